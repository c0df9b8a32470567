/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_list.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/bk_path.h"
#include "base/bk_str.h"

/* Names of all xattrs of one file together: the kernel's own limit. */
#define XATTR_NAMES_MAX 65536
#define LINK_MAX_BYTES	4096

struct snap_list *snap_list_new(void)
{
	struct snap_list *l = bk_calloc(1, sizeof(*l));

	l->arena = bk_arena_new();
	return l;
}

void snap_list_free(struct snap_list *l)
{
	if (!l)
		return;
	bk_arena_free(l->arena);
	free(l);
}

static int add(struct snap_list *l, const char *path, struct snap_entry **ret, struct bk_err **err)
{
	struct snap_entry *e;

	if (l->n >= SNAP_ENTRIES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %zu files for one layer",
				  SNAP_ENTRIES_MAX);
	l->items = bk_arena_grow(l->arena, l->items, l->n, sizeof(*l->items));
	e = &l->items[l->n];
	e->number = l->n++;
	e->path = bk_arena_strdup(l->arena, path);
	e->order = e->path;
	*ret = e;
	return 0;
}

/* ---- what a file has ------------------------------------------------------------------------------ */

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct bk_tar_xattr *)a)->name, ((const struct bk_tar_xattr *)b)->name);
}

/*
 * What belongs to the file system at hand stays there: overlayfs's marks, SELinux's labels of this
 * host, and ACLs, which name this host's users.
 */
static bool skip_xattr(const char *name)
{
	return bk_skip_prefix(name, "trusted.overlay.") || bk_skip_prefix(name, "user.overlay.") ||
	       bk_skip_prefix(name, "system.") || bk_streq(name, "security.selinux");
}

/* An O_PATH descriptor takes no xattr call but through its link in /proc. */
static int read_xattrs(struct snap_list *l, struct snap_entry *e, int fd, struct bk_err **err)
{
	char link[64];
	bk_autofree char *names = NULL;
	bk_autofree char *value = NULL;
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = listxattr(link, NULL, 0);
	if (len <= 0)
		return len == 0 || errno == ENOTSUP
			       ? 0
			       : bk_err_set(err, BK_ERR_IO, errno, "list xattrs of '%s'", e->path);
	names = bk_malloc(XATTR_NAMES_MAX);
	value = bk_malloc(SNAP_XATTR_MAX);
	len = listxattr(link, names, XATTR_NAMES_MAX);
	if (len < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "list xattrs of '%s'", e->path);
	for (char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t size;
		void *copy;

		if (skip_xattr(name))
			continue;
		size = getxattr(link, name, value, SNAP_XATTR_MAX);
		if (size < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "read xattr '%s' of '%s'", name,
					  e->path);
		copy = bk_arena_alloc(l->arena, (size_t)size + 1);
		memcpy(copy, value, (size_t)size);
		e->xattrs = bk_arena_grow(l->arena, e->xattrs, e->n_xattrs, sizeof(*e->xattrs));
		e->xattrs[e->n_xattrs++] = (struct bk_tar_xattr){
			.name = bk_arena_strdup(l->arena, name), .value = copy, .size = (size_t)size
		};
	}
	if (e->n_xattrs > 1)
		qsort(e->xattrs, e->n_xattrs, sizeof(*e->xattrs), compare_xattrs);
	return 0;
}

static int read_link(struct snap_list *l, struct snap_entry *e, int fd, struct bk_err **err)
{
	char text[LINK_MAX_BYTES + 1];
	ssize_t len = readlinkat(fd, "", text, sizeof(text) - 1);

	if (len < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read link '%s'", e->path);
	e->link = bk_arena_strndup(l->arena, text, (size_t)len);
	return 0;
}

int snap_list_add(struct snap_list *l, const char *path, const struct bk_root *root,
		  const char *source, struct snap_entry **ret_entry, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	struct snap_entry *e = NULL;
	struct stat st;
	int rc = bk_root_openat(root, source, O_PATH | O_NOFOLLOW, 0, &fd, err);

	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '%s'", source);
	if (ret_entry)
		*ret_entry = NULL;
	if (S_ISSOCK(st.st_mode))
		return 0;
	rc = add(l, path, &e, err);
	if (rc < 0)
		return rc;
	e->mode = st.st_mode;
	e->uid = st.st_uid;
	e->gid = st.st_gid;
	e->mtime = st.st_mtim.tv_sec;
	e->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	e->rdev = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? st.st_rdev : 0;
	e->dev = st.st_dev;
	e->ino = st.st_ino;
	e->nlink = S_ISDIR(st.st_mode) ? 1 : st.st_nlink;
	e->root = root;
	e->source = bk_arena_strdup(l->arena, source);
	if (S_ISLNK(st.st_mode))
		rc = read_link(l, e, fd, err);
	else
		rc = read_xattrs(l, e, fd, err);
	if (ret_entry)
		*ret_entry = e;
	return rc;
}

int snap_list_add_dir(struct snap_list *l, const char *path, int64_t mtime,
		      struct snap_entry **ret_entry, struct bk_err **err)
{
	struct snap_entry *e = NULL;
	int rc = add(l, path, &e, err);

	if (rc < 0)
		return rc;
	e->mode = S_IFDIR | 0755;
	e->mtime = mtime;
	e->nlink = 1;
	if (ret_entry)
		*ret_entry = e;
	return 0;
}

int snap_list_add_whiteout(struct snap_list *l, const char *path, int64_t mtime,
			   struct bk_err **err)
{
	const char *base = bk_path_base(path);
	bk_autofree char *marker = bk_asprintf("%.*s" SNAP_WHITEOUT "%s", (int)(base - path), path,
					       base);
	struct snap_entry *e = NULL;
	int rc = add(l, marker, &e, err);

	if (rc < 0)
		return rc;
	e->mode = S_IFREG;
	e->mtime = mtime;
	e->nlink = 1;
	e->order = bk_arena_printf(l->arena, "%.*s\002%s", (int)(base - path), path, base);
	return 0;
}

/* ---- order ---------------------------------------------------------------------------------------- */

/* '/' before all other bytes: a directory's content follows it at once. */
static int compare_order(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (*a == '/' ? 1 : (unsigned char)*a) - (*b == '/' ? 1 : (unsigned char)*b);
}

static int compare_entries(const void *a, const void *b)
{
	const struct snap_entry *x = a;
	const struct snap_entry *y = b;
	int order = compare_order(x->order, y->order);

	if (order != 0)
		return order;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int compare_inodes(const void *a, const void *b)
{
	const struct snap_entry *x = *(const struct snap_entry *const *)a;
	const struct snap_entry *y = *(const struct snap_entry *const *)b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The first in the order is the file, the others are links to it. */
static void link_entries(struct snap_list *l)
{
	bk_autofree struct snap_entry **multiple = bk_calloc(l->n + 1, sizeof(struct snap_entry *));
	const struct snap_entry *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].nlink > 1)
			multiple[n++] = &l->items[i];
	if (n < 2)
		return;
	qsort(multiple, n, sizeof(struct snap_entry *), compare_inodes);
	for (size_t i = 0; i < n; i++) {
		struct snap_entry *e = multiple[i];

		if (!first || first->dev != e->dev || first->ino != e->ino) {
			first = e;
			continue;
		}
		e->hardlink = true;
		e->link = first->path;
		e->size = 0;
		e->n_xattrs = 0;
	}
}

static void drop_earlier(struct snap_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (n > 0 && bk_streq(l->items[n - 1].order, l->items[i].order))
			n--;
		l->items[n++] = l->items[i];
	}
	l->n = n;
}

/* What lies below a path follows it at once. */
static int check_parents(const struct snap_list *l, struct bk_err **err)
{
	for (size_t i = 1; i < l->n; i++) {
		const struct snap_entry *above = &l->items[i - 1];
		const char *rest = bk_skip_prefix(l->items[i].path, above->path);

		if (!S_ISDIR(above->mode) && rest && *rest == '/')
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "'/%s' is no directory and can't hold '/%s'", above->path,
					  l->items[i].path);
	}
	return 0;
}

int snap_list_finish(struct snap_list *l, int64_t max_mtime, struct bk_err **err)
{
	if (l->n > 1)
		qsort(l->items, l->n, sizeof(*l->items), compare_entries);
	drop_earlier(l);
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].mtime > max_mtime)
			l->items[i].mtime = max_mtime;
	link_entries(l);
	return check_parents(l, err);
}
