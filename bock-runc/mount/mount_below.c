/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_below.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "mount/mount_live.h"
#include "mount/mount_move.h"

/* One line of mountinfo (proc_pid_mountinfo(5)). */
struct line {
	uint64_t id, parent;
	uint64_t group;		/* of the mounts that share what is mounted on them; 0: none */
	const char *root, *path;
	size_t at;		/* its place in the table */
	bool below, foreign;
};

struct table {
	struct line *lines;	/* by id */
	struct line **by_group;
	size_t n;
};

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_id(const void *a, const void *b)
{
	return compare(((const struct line *)a)->id, ((const struct line *)b)->id);
}

/* Then by id: the order of what is equal would be qsort's affair. */
static int by_group(const void *a, const void *b)
{
	const struct line *x = *(struct line *const *)a, *y = *(struct line *const *)b;

	return x->group == y->group ? compare(x->id, y->id) : compare(x->group, y->group);
}

static int by_place(const void *a, const void *b)
{
	return compare((*(struct line *const *)a)->at, (*(struct line *const *)b)->at);
}

/* The fields of text, which is cut into pieces; false: it is no such line. */
static bool parse_line(char *text, struct line *ret)
{
	char *fields[6];
	struct line l = { 0 };
	char *word;

	for (size_t i = 0; i < BK_ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&text, " ");
		if (!text)
			return false;
	}
	if (bk_num_u64(fields[0], UINT64_MAX, &l.id, NULL) < 0 ||
	    bk_num_u64(fields[1], UINT64_MAX, &l.parent, NULL) < 0 || fields[4][0] != '/')
		return false;
	while ((word = strsep(&text, " ")) && !bk_streq(word, "-")) {
		const char *group = bk_skip_prefix(word, "shared:");

		if (group && bk_num_u64(group, UINT64_MAX, &l.group, NULL) < 0)
			return false;
	}
	mount_move_unescape(fields[4]);
	mount_move_unescape(fields[3]);
	l.root = fields[3];
	l.path = fields[4];
	*ret = l;
	return word != NULL;
}

static void parse_table(char *text, const char *dir, struct table *ret)
{
	struct table t = { .lines = bk_malloc(sizeof(*t.lines)) };
	char *one;

	while ((one = strsep(&text, "\n"))) {
		struct line l;

		if (!parse_line(one, &l))
			continue;
		l.at = t.n;
		l.below = bk_path_below(l.path, dir) && !bk_streq(l.path, dir);
		if ((t.n & (t.n - 1)) == 0) /* capacities are powers of two */
			t.lines = bk_reallocarray(t.lines, 2 * t.n + 1, sizeof(*t.lines));
		t.lines[t.n++] = l;
	}
	qsort(t.lines, t.n, sizeof(*t.lines), by_id);
	t.by_group = bk_calloc(t.n + 1, sizeof(struct line *));
	for (size_t i = 0; i < t.n; i++)
		t.by_group[i] = &t.lines[i];
	qsort(t.by_group, t.n, sizeof(struct line *), by_group);
	*ret = t;
}

static struct line *parent_of(const struct table *t, const struct line *l)
{
	const struct line key = { .id = l->parent };

	return bsearch(&key, t->lines, t->n, sizeof(key), by_id);
}

/* The first of the group. */
static size_t find_group(const struct table *t, uint64_t group)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->by_group[middle]->group < group)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where on the file system of its parent it is mounted; heap. */
static char *place_of(const struct line *l, const struct line *parent)
{
	const char *rest = bk_streq(parent->path, "/") ? l->path : l->path + strlen(parent->path);

	if (!bk_path_below(l->path, parent->path))
		return NULL; /* what it is on was moved, or lies outside of our root */
	return bk_asprintf("%s%s", bk_streq(parent->root, "/") ? "" : parent->root, rest);
}

/* Whether the kernel made one of the two when the other was mounted: on a peer, at the same place. */
static bool came_with(const struct line *a, const struct line *on, const struct line *b, const struct line *b_on)
{
	bk_autofree char *place = NULL;
	bk_autofree char *b_place = NULL;

	if (!on || !b_on || on == b_on || !on->group || on->group != b_on->group)
		return false;
	place = place_of(a, on);
	b_place = place_of(b, b_on);
	return bk_streq0(place, b_place) && place;
}

/* A peer outside that came with it goes with it. Any other is what this is a bind mount of. */
static bool is_foreign(const struct table *t, const struct line *l)
{
	const struct line *on = parent_of(t, l);

	for (size_t i = l->group ? find_group(t, l->group) : t->n;
	     i < t->n && t->by_group[i]->group == l->group; i++) {
		const struct line *peer = t->by_group[i];

		if (!peer->below && ((on && on->foreign) || !came_with(l, on, peer, parent_of(t, peer))))
			return true;
	}
	return false;
}

void mount_below_parse(const char *mountinfo, const char *dir, struct mount_below *ret)
{
	bk_autofree char *text = bk_strdup(mountinfo);
	struct mount_below b = { 0 };
	struct line **found;
	struct table t;

	parse_table(text, dir, &t);
	found = bk_calloc(t.n + 1, sizeof(struct line *));
	for (size_t i = 0; i < t.n; i++) {
		if (t.lines[i].below)
			found[b.n++] = &t.lines[i];
	}
	qsort(found, b.n, sizeof(struct line *), by_place);
	b.rows = bk_calloc(b.n + 1, sizeof(*b.rows));
	for (size_t i = 0; i < b.n; i++) { /* what they are mounted on comes before them */
		found[i]->foreign = is_foreign(&t, found[i]);
		b.rows[i].foreign = found[i]->foreign;
		b.rows[i].id = found[i]->id;
		b.rows[i].path = bk_strdup(found[i]->path + (bk_streq(dir, "/") ? 0 : strlen(dir)));
	}
	free(found);
	free(t.by_group);
	free(t.lines);
	*ret = b;
}

void mount_below_done(struct mount_below *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->rows[i].path);
	free(b->rows);
	*b = (struct mount_below){ 0 };
}

int mount_below_find(const char *dir, struct mount_below *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf table = BK_BUF_INIT(MOUNT_BELOW_TABLE_MAX);
	bk_autofree char *real = realpath(dir, NULL);
	int rc;

	if (!real && errno == ENOENT) { /* nor can there be a mount on what is not there */
		*ret = (struct mount_below){ 0 };
		return 0;
	}
	if (!real)
		return bk_err_set(err, BK_ERR_IO, errno, "resolve '%s'", dir);
	rc = bk_file_read(AT_FDCWD, "/proc/self/mountinfo", &table, err);
	if (rc < 0)
		return rc;
	mount_below_parse(bk_buf_str(&table), real, ret);
	return 0;
}

int mount_below_open(const char *dir, uint64_t dev, uint64_t inode, struct bk_root *ret, struct bk_err **err)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct stat st;
	int rc = bk_root_open(&root, dir, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "root file system");
	if (fstat(root.fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of root file system '%s'", dir);
	if (inode && (st.st_dev != dev || st.st_ino != inode))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "root file system '%s' is not the one that the container was made in", dir);
	bk_root_from_fd(ret, bk_steal_fd(&root.fd));
	return 0;
}

/* The mount of that row, which must not be covered by another one. */
static int open_row(const struct bk_root *root, const struct mount_below_row *row, int *ret_fd,
		    struct bk_err **err)
{
	bk_autoclose int fd = -1;
	struct statx st;
	int rc = bk_root_openat_nolinks(root, row->path, O_PATH | O_NOFOLLOW, 0, &fd, err);

	if (rc < 0)
		return rc;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT) || st.stx_mnt_id != row->id)
		return bk_err_set(err, BK_ERR_IO, EBUSY, "it is covered by another one");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

/*
 * What is unmounted goes away on all peers of the mount that it is on. False: of one this could not be done, so
 * that only what is on top of all may be unmounted.
 */
static bool make_private(const struct bk_root *root, const struct mount_below *b)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };

	for (size_t i = 0; i < b->n; i++) {
		bk_autoclose int fd = -1;

		if (b->rows[i].foreign && (open_row(root, &b->rows[i], &fd, NULL) < 0 ||
					   mount_setattr(fd, "", AT_EMPTY_PATH, &private, sizeof(private)) < 0))
			return false;
	}
	return true;
}

/* Each that can be removed (or only the last one); *ret_err is the first's that can't. */
static void remove_all(const struct bk_root *root, const struct mount_below *b, bool all, int proc_fd,
		       struct bk_err **ret_err)
{
	for (size_t i = b->n; i-- > 0;) {
		bk_autoclose int fd = -1;
		struct bk_err *e = NULL;
		int rc = open_row(root, &b->rows[i], &fd, &e);

		if (rc == 0)
			rc = mount_live_detach(fd, proc_fd, &e);
		if (rc == 0 && !all)
			return;
		if (rc < 0)
			(void)bk_err_wrap(&e, rc, "unmount '%s'", b->rows[i].path);
		if (*ret_err)
			bk_err_clear(&e);
		else
			*ret_err = e;
	}
}

int mount_below_remove(const char *dir, uint64_t dev, uint64_t inode, struct bk_err **err)
{
	bk_autoclose int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bk_autoclose int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct bk_err *first = NULL;
	size_t before = SIZE_MAX;
	int idle = 0, rc = 0;

	while (rc == 0) {
		bk_auto(mount_below_done) struct mount_below b = { 0 };
		bk_autoroot struct bk_root root = BK_ROOT_INIT;

		rc = mount_below_find(dir, &b, err);
		if (rc < 0 || b.n == 0)
			break;
		idle = b.n < before ? 0 : idle + 1;
		before = b.n;
		if (idle == MOUNT_BELOW_TRIES) {
			rc = first ? -(int)bk_err_kind_of(first) :
				     bk_err_set(&first, BK_ERR_IO, EBUSY, "'%s' is mounted again and again",
						b.rows[b.n - 1].path);
			bk_err_move(err, bk_steal_ptr(&first));
			break;
		}
		bk_err_clear(&first);
		rc = mount_below_open(dir, dev, inode, &root, err);
		if (rc == 0)
			remove_all(&root, &b, make_private(&root, &b), proc_fd, &first);
	}
	bk_err_clear(&first);
	if (cwd >= 0)
		(void)!fchdir(cwd);
	return rc < 0 ? bk_err_wrap(err, rc, "mounts below '%s'", dir) : 0;
}
