/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_tar.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_tar_priv.h"

#define OCTAL_SIZE_MAX ((uint64_t)077777777777) /* what 11 digits say */
#define MAJOR_MAX      ((1 << 12) - 1)		/* of a device, to the kernel */
#define MINOR_MAX      ((1 << 20) - 1)

int layer_tar_new(struct layer_stream *stream, const struct layer_opts *opts,
		  struct layer_tar **ret, struct bk_err **err)
{
	static const struct layer_opts none;
	const struct layer_opts *o = opts ? opts : &none;
	struct layer_tar *t = bk_calloc(1, sizeof(*t));

	(void)err;
	t->stream = stream;
	t->max_name = o->max_name ? o->max_name : BK_ROOT_PATH_MAX - 1;
	t->max_pax = o->max_pax ? o->max_pax : LAYER_PAX_MAX;
	t->max_depth = o->max_depth ? o->max_depth : LAYER_DEPTH_MAX;
	t->max_file = o->max_file ? o->max_file : LAYER_SIZE_MAX;
	*ret = t;
	return 0;
}

void layer_tar_free(struct layer_tar *t)
{
	if (!t)
		return;
	tar_said_clear_(&t->said);
	free(t->long_name);
	free(t->long_link);
	free(t->path);
	free(t->link);
	free(t);
}

int layer_tar_clean(const char *name, size_t max_name, unsigned int max_depth, char **ret,
		    struct bk_err **err)
{
	bk_autofree char *clean = NULL;
	size_t len = strlen(name), n = 0, depth = 0;

	if (len > max_name)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the name '%.64s...' has %zu bytes, at most %zu are taken", name,
				  len, max_name);
	clean = bk_malloc(len + 1);
	for (const char *p = name; *p;) {
		size_t part;

		p += strspn(p, "/");
		part = strcspn(p, "/");
		if (part == 2 && p[0] == '.' && p[1] == '.')
			return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' leads upwards", name);
		if (part > 0 && !(part == 1 && p[0] == '.')) {
			if (n > 0)
				clean[n++] = '/';
			memcpy(clean + n, p, part);
			n += part;
			if (++depth > max_depth)
				return bk_err_set(err, BK_ERR_CONFIG, 0,
						  "'%.64s...' is deeper than %u directories", name,
						  max_depth);
		}
		p += part;
	}
	clean[n] = '\0';
	*ret = bk_steal_ptr(&clean);
	return 0;
}

/* ---- entries ------------------------------------------------------------------------------------ */

/* In the order of reading. */
static const struct kind {
	char type;
	mode_t mode;
	bool body;
} kinds[] = {
	{ '0', S_IFREG, true },	 { '\0', S_IFREG, true }, { '7', S_IFREG, true },
	{ 'S', S_IFREG, true },	 { '1', S_IFREG, false }, { '2', S_IFLNK, false },
	{ '3', S_IFCHR, false }, { '4', S_IFBLK, false }, { '5', S_IFDIR, false },
	{ '6', S_IFIFO, false },
};

/* A field that need not end in a NUL. Heap. */
static char *text_of(const char *field, size_t len)
{
	return bk_strndup(field, strnlen(field, len));
}

static char *header_name(const struct tar_header *h)
{
	bk_autofree char *name = text_of(h->name, sizeof(h->name));
	bk_autofree char *prefix = NULL;

	if (!tar_is_ustar_(h) || h->prefix[0] == '\0')
		return bk_steal_ptr(&name);
	prefix = text_of(h->prefix, sizeof(h->prefix));
	return bk_asprintf("%s/%s", prefix, name);
}

/* Takes the name that counts out of *a, *b or the header's. */
static char *take_first(char **a, char **b, char *header)
{
	char *name = *a ? bk_steal_ptr(a) : *b ? bk_steal_ptr(b) : NULL;

	if (!name)
		return header;
	free(header);
	return name;
}

static int read_names(struct layer_tar *t, const struct kind *k, struct layer_entry *e,
		      struct bk_err **err)
{
	struct tar_said *s = &t->said;
	bk_autofree char *link = text_of(t->header.link, sizeof(t->header.link));
	bk_autofree char *name = NULL;
	size_t len;
	int rc;

	name = take_first(&s->path, &t->long_name, header_name(&t->header));
	name = take_first(&s->sparse_name, &t->long_name, bk_steal_ptr(&name));
	link = take_first(&s->link, &t->long_link, bk_steal_ptr(&link));
	len = strlen(name);
	if (len == 0)
		return tar_bad_(t, err, "an entry without a name");
	rc = layer_tar_clean(name, t->max_name, t->max_depth, &t->path, err);
	if (rc < 0)
		return rc;
	e->path = t->path;
	/* A directory before there was a type for them. */
	if (S_ISREG(k->mode) && k->type != '1' && name[len - 1] == '/') {
		if (k->type != '\0' || t->body > 0)
			return tar_bad_(t, err, "the regular file '%s'", name);
		e->attrs.mode = S_IFDIR;
	}
	e->is_hardlink = k->type == '1';
	if (!e->is_hardlink && !S_ISLNK(k->mode))
		return 0;
	if (*link == '\0')
		return tar_bad_(t, err, "the link '%s' without a target", name);
	if (e->is_hardlink)
		rc = layer_tar_clean(link, t->max_name, t->max_depth, &t->link, err);
	else if (strlen(link) > t->max_name)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "its target has %zu bytes", strlen(link));
	else
		t->link = bk_steal_ptr(&link);
	e->link = t->link;
	return rc < 0 ? bk_err_wrap(err, rc, "link '%s'", name) : 0;
}

static int read_attrs(struct layer_tar *t, struct layer_attrs *a, struct bk_err **err)
{
	const struct tar_said *s = &t->said;
	int64_t mode, uid = 0, gid = 0, mtime = 0;
	int rc = TAR_NUMBER(t, mode, 0, 0177777, &mode, err);

	/* What a pax header overrides must be a number all the same: GNU tar wants that too. */
	if (rc == 0)
		rc = TAR_NUMBER(t, uid, s->has_uid ? INT64_MIN : 0,
				s->has_uid ? INT64_MAX : UINT32_MAX - 1, &uid, err);
	if (rc == 0)
		rc = TAR_NUMBER(t, gid, s->has_gid ? INT64_MIN : 0,
				s->has_gid ? INT64_MAX : UINT32_MAX - 1, &gid, err);
	if (rc == 0)
		rc = TAR_NUMBER(t, mtime, INT64_MIN / 2, INT64_MAX / 2, &mtime, err);
	if (rc < 0)
		return rc;
	a->mode |= (mode_t)mode & 07777;
	a->uid = s->has_uid ? s->uid : (uid_t)uid;
	a->gid = s->has_gid ? s->gid : (gid_t)gid;
	a->mtime = s->has_mtime ? s->mtime : (struct timespec){ .tv_sec = mtime };
	a->xattrs = s->xattrs;
	a->n_xattrs = s->n_xattrs;
	return 0;
}

static int read_device(const struct layer_tar *t, dev_t *ret, struct bk_err **err)
{
	int64_t major, minor;
	int rc = TAR_NUMBER(t, devmajor, 0, MAJOR_MAX, &major, err);

	if (rc == 0)
		rc = TAR_NUMBER(t, devminor, 0, MINOR_MAX, &minor, err);
	if (rc < 0)
		return rc;
	*ret = makedev((unsigned int)major, (unsigned int)minor);
	return 0;
}

/* How much is stored: by the pax header where there is one, and the other must not contradict. */
static int read_size(struct layer_tar *t, const struct kind *k, uint64_t size, struct bk_err **err)
{
	const struct tar_said *s = &t->said;

	if (s->has_size && s->size != size && s->size <= OCTAL_SIZE_MAX)
		return tar_bad_(t, err,
				"an entry of %" PRIu64 " bytes by its pax header, and %" PRIu64
				" by the other",
				s->size, size);
	if (s->has_size)
		size = s->size;
	if (!k->body && size > 0)
		return tar_bad_(t, err, "an entry of type '%c' that has a body", k->type);
	return tar_start_body_(t, size, err);
}

static int read_entry(struct layer_tar *t, uint64_t size, struct layer_entry *e,
		      struct bk_err **err)
{
	const struct kind *k = kinds;
	int rc;

	while (k < kinds + BK_ARRAY_SIZE(kinds) && k->type != t->header.type)
		k++;
	if (k == kinds + BK_ARRAY_SIZE(kinds))
		return tar_bad_(t, err, "an entry of the unknown type %d",
				(unsigned char)t->header.type);
	e->attrs.mode = k->mode;
	rc = read_size(t, k, size, err);
	if (rc == 0)
		rc = read_names(t, k, e, err);
	if (rc == 0)
		rc = read_attrs(t, &e->attrs, err);
	if (rc == 0 && (S_ISCHR(k->mode) || S_ISBLK(k->mode)))
		rc = read_device(t, &e->rdev, err);
	if (rc < 0)
		return rc;
	t->real = t->body;
	t->sparse = k->type == 'S' || t->said.sparse.any;
	if (t->sparse) {
		if (!S_ISREG(e->attrs.mode) || e->is_hardlink)
			return tar_bad_(t, err, "a map of holes in '%s', which is no file",
					e->path);
		rc = tar_sparse_read_(t, err);
		if (rc < 0)
			return rc;
		t->real = t->said.sparse.real;
	}
	if (t->real > t->max_file)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' has %" PRIu64 " bytes, at most %" PRIu64 " are taken",
				  e->path, t->real, t->max_file);
	e->size = t->real;
	e->left_out = t->said.left_out;
	return 0;
}

static void forget_entry(struct layer_tar *t)
{
	tar_said_clear_(&t->said);
	free(t->long_name);
	free(t->long_link);
	free(t->path);
	free(t->link);
	t->long_name = t->long_link = t->path = t->link = NULL;
}

int layer_tar_next(struct layer_tar *t, struct layer_entry *ret, bool *ret_more,
		   struct bk_err **err)
{
	struct layer_entry e = { 0 };
	uint64_t size = 0;
	bool more = false;
	int rc = tar_skip_body_(t, err);

	forget_entry(t);
	if (rc == 0)
		rc = tar_next_header_(t, &size, &more, err);
	if (rc == 0 && more)
		rc = read_entry(t, size, &e, err);
	if (rc < 0)
		return rc;
	*ret = e;
	*ret_more = more;
	return 0;
}

/* ---- content ------------------------------------------------------------------------------------ */

/* Where content goes: to a file, or (fd -1) to a sum. */
struct content {
	int fd;
	struct layer_sum *sum;
};

/* The next `size` bytes of the body, from `offset` on (-1: where it stands). */
static int copy_body(struct layer_tar *t, const struct content *to, uint64_t size, off_t offset,
		     struct bk_err **err)
{
	while (size > 0) {
		size_t part;
		int rc = tar_need_(t, err);

		if (rc < 0)
			return rc;
		if (t->len == 0)
			return tar_bad_(t, err, "'%s' is cut short", t->path);
		part = size < t->len ? (size_t)size : t->len;
		if (to->fd < 0)
			layer_sum_add(to->sum, t->data, part);
		else if (offset >= 0 && lseek(to->fd, offset, SEEK_SET) < 0)
			rc = -errno;
		if (rc == 0 && to->fd >= 0)
			rc = bk_fd_write_all(to->fd, t->data, part);
		if (rc < 0)
			return bk_err_set(err, BK_ERR_IO, -rc, "write '/%s'", t->path);
		offset = -1; /* the file stands where it has to */
		tar_advance_(t, part);
		t->body -= part;
		size -= part;
	}
	return 0;
}

/* *ret_end: where the last piece ends. */
static int copy_content(struct layer_tar *t, const struct content *to, uint64_t *ret_end,
			struct bk_err **err)
{
	const struct tar_sparse *s = &t->said.sparse;
	uint64_t end = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct tar_extent *e = &s->extents[i];
		off_t offset = e->offset == end ? -1 : (off_t)e->offset;
		int rc;

		if (!e->size)
			continue;
		if (to->fd < 0)
			layer_sum_hole(to->sum, e->offset - end);
		rc = copy_body(t, to, e->size, offset, err);
		if (rc < 0)
			return rc;
		end = e->offset + e->size;
	}
	*ret_end = end;
	return 0;
}

int layer_tar_content(struct layer_tar *t, int fd, struct bk_err **err)
{
	const struct content to = { .fd = fd };
	uint64_t end = 0;
	int rc;

	if (!t->sparse)
		return copy_body(t, &to, t->body, -1, err);
	rc = copy_content(t, &to, &end, err);
	if (rc < 0)
		return rc;
	/* A hole at the end. */
	if (end < t->real && ftruncate(fd, (off_t)t->real) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "extend '/%s'", t->path);
	return 0;
}

void layer_tar_pieces(const struct layer_tar *t, struct bk_arena *arena, struct layer_piece **ret, size_t *ret_n)
{
	const struct tar_sparse *s = &t->said.sparse;
	const struct tar_extent whole = { .size = t->body };
	const struct tar_extent *e = t->sparse ? s->extents : &whole;
	size_t n = t->sparse ? s->n : 1;
	struct layer_piece *pieces = bk_arena_alloc(arena, (n + 1) * sizeof(*pieces));
	uint64_t at = t->at;

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		if (e[i].size > 0)
			pieces[(*ret_n)++] = (struct layer_piece){ .offset = e[i].offset, .size = e[i].size, .at = at };
		at += e[i].size;
	}
	*ret = pieces;
}

int layer_tar_sum(struct layer_tar *t, struct layer_sum *sum, struct bk_err **err)
{
	const struct content to = { .fd = -1, .sum = sum };
	uint64_t end = 0;
	int rc;

	if (!t->sparse)
		return copy_body(t, &to, t->body, -1, err);
	rc = copy_content(t, &to, &end, err);
	if (rc == 0)
		layer_sum_hole(sum, t->real - end);
	return rc;
}
