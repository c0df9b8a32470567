/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_map.h"
#include "base/bk_str.h"
#include "layer/layer_ids_map.h"

#define NAMES_SIZE 65536	/* of all xattrs of a file together, and of a value: the kernel's limits */
#define PROC_SIZE  32
#define STAT_MASK  (STATX_BASIC_STATS | STATX_MNT_ID)

struct walk {
	const struct bk_root *root;
	const struct layer_walk_opts *opts;
	layer_walk_fn visit;
	void *ctx;
	struct bk_map *files;	/* "dev:ino" -> path, of files with several names */
	char *names, *value;	/* NAMES_SIZE each */
	uint64_t mount;		/* that the root is in */
};

static void warn(const struct walk *w, const char *path, const char *what)
{
	char text[BK_ERR_MSG_MAX];

	if (!w->opts->warn)
		return;
	(void)snprintf(text, sizeof(text), "'/%s': %s", path, what);
	w->opts->warn(w->opts->ctx, text);
}

static int fail(struct bk_err **err, const char *act, const char *path)
{
	return bk_err_set(err, BK_ERR_IO, errno, "%s '/%s'", act, path);
}

/*
 * Who is not root may have forbidden himself to read what he owns. Where errno says so, the mode is more until the caller
 * has set *ret_mode again.
 */
static bool allow(int fd, const char *proc, mode_t more, mode_t *ret_mode)
{
	struct stat st;

	if (errno != EACCES || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return false;
	*ret_mode = st.st_mode & 07777;
	return chmod(proc, *ret_mode | more) == 0;
}

/* ---- attributes --------------------------------------------------------------------------------- */

/* A varint of at most 32 bits; NULL: it is none. */
static const unsigned char *get_varint(const unsigned char *p, const unsigned char *end, uint32_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; p < end && shift < 35; shift += 7) {
		value |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p++ & 0x80)) {
			*ret = (uint32_t)value;
			return value <= UINT32_MAX ? p : NULL;
		}
	}
	return NULL;
}

/* rootlesscontainers.proto's Resource: fields 1 and 2, the last number for "as it is". */
static int read_note(const void *value, size_t size, const char *path, struct layer_attrs *a,
		     struct bk_err **err)
{
	const unsigned char *p = value, *end = p + size;

	while (p && p < end) {
		unsigned char tag = *p++;
		uint32_t id = 0;

		p = tag == 0x08 || tag == 0x10 ? get_varint(p, end, &id) : NULL;
		if (p && id != UINT32_MAX && tag == 0x08)
			a->uid = id;
		else if (p && id != UINT32_MAX)
			a->gid = id;
	}
	if (!p)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'/%s': its attribute " LAYER_ROOTLESS_XATTR
				  " notes no owner", path);
	return 0;
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct layer_xattr *)a)->name, ((const struct layer_xattr *)b)->name);
}

/* Those of user.* want a file that can be read. */
static int get_xattr(const struct walk *w, const char *path, int fd, const char *name, ssize_t *ret,
		     struct bk_err **err)
{
	char proc[PROC_SIZE];
	mode_t mode;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	*ret = getxattr(proc, name, w->value, NAMES_SIZE);
	if (*ret < 0 && allow(fd, proc, 0400, &mode)) {
		int errnum;

		*ret = getxattr(proc, name, w->value, NAMES_SIZE);
		errnum = errno;
		if (chmod(proc, mode) < 0)
			return fail(err, "set the mode of", path);
		errno = errnum;
	}
	return 0;
}

static int add_xattr(const struct walk *w, const char *path, int fd, const char *name,
		     struct layer_attrs *a, struct bk_err **err)
{
	ssize_t size;
	int rc;

	if (!layer_xattr_taken(name))
		return 0;
	rc = get_xattr(w, path, fd, name, &size, err);
	if (rc < 0)
		return rc;
	if (size < 0 && errno == ENODATA)
		return 0;
	if (size < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read the attribute '%s' of '/%s'", name, path);
	if (w->opts->rootless && bk_streq(name, LAYER_ROOTLESS_XATTR))
		return read_note(w->value, (size_t)size, path, a, err);
	if (a->n_xattrs >= LAYER_XATTRS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'/%s' has more than %d attributes", path,
				  LAYER_XATTRS_MAX);
	a->xattrs = bk_reallocarray(a->xattrs, a->n_xattrs + 1, sizeof(*a->xattrs));
	a->xattrs[a->n_xattrs++] = (struct layer_xattr){
		.name = bk_strdup(name),
		.value = bk_memdup(size ? w->value : "", size ? (size_t)size : 1),
		.size = (size_t)size,
	};
	return 0;
}

static int read_xattrs(const struct walk *w, const char *path, int fd, struct layer_attrs *a,
		       struct bk_err **err)
{
	char proc[PROC_SIZE];
	ssize_t len;
	int rc = 0;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	len = listxattr(proc, w->names, NAMES_SIZE);
	if (len < 0 && errno == EOPNOTSUPP)
		return 0;
	if (len < 0)
		return fail(err, "list the attributes of", path);
	for (const char *name = w->names; rc == 0 && name < w->names + len; name += strlen(name) + 1)
		rc = add_xattr(w, path, fd, name, a, err);
	if (a->n_xattrs > 1)
		qsort(a->xattrs, a->n_xattrs, sizeof(*a->xattrs), compare_xattrs);
	return rc;
}

static void free_attrs(struct layer_attrs *a)
{
	for (size_t i = 0; i < a->n_xattrs; i++) {
		free(a->xattrs[i].name);
		free(a->xattrs[i].value);
	}
	free(a->xattrs);
}

static int read_attrs(const struct walk *w, const char *path, int fd, const struct statx *st,
		      struct layer_attrs *a, struct bk_err **err)
{
	int rc;

	*a = (struct layer_attrs){
		.mode = st->stx_mode,
		.uid = w->opts->rootless ? 0 : st->stx_uid,
		.gid = w->opts->rootless ? 0 : st->stx_gid,
		.mtime = { .tv_sec = st->stx_mtime.tv_sec, .tv_nsec = st->stx_mtime.tv_nsec },
	};
	rc = read_xattrs(w, path, fd, a, err);
	if (rc == 0 && w->opts->ids && !w->opts->rootless) {
		rc = layer_ids_unmap(w->opts->ids, a, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "'/%s'", path);
	}
	return rc;
}

/* ---- an upper directory of overlayfs ------------------------------------------------------------- */

/* One of overlayfs's own attributes: its length, and in w->value what it is; negative: there is none. */
static int upper_attr(const struct walk *w, const char *path, int fd, const char *name, ssize_t *ret,
		      struct bk_err **err)
{
	bk_autofree char *full = bk_asprintf("%s.overlay.%s",
					     w->opts->upper == LAYER_WALK_USER ? "user" : "trusted", name);
	int rc = get_xattr(w, path, fd, full, ret, err);

	if (rc == 0 && *ret < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		rc = bk_err_set(err, BK_ERR_IO, errno, "read the attribute '%s' of '/%s'", full, path);
	return rc;
}

/* What refers to files of the layers below can't be read without them. */
static int refuse_reference(const struct walk *w, const char *path, int fd, const char *name, const char *option,
			    struct bk_err **err)
{
	ssize_t size;
	int rc = upper_attr(w, path, fd, name, &size, err);

	if (rc < 0 || size < 0)
		return rc;
	return bk_err_hint(err, bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "'/%s' has overlayfs's attribute '%s': it was "
					   "mounted with %s=on, and what that left in the layers below is not "
					   "looked up", path, name, option),
			   "mount the root as unpack wrote it to config.json, with %s off, after a copy in the "
			   "container has taken the place of it", option);
}

/* What overlayfs notes of it, to e: not of links, devices and FIFOs. */
static int read_upper(const struct walk *w, int fd, const struct statx *st, struct layer_entry *e, struct bk_err **err)
{
	bool is_dir = S_ISDIR(st->stx_mode);
	ssize_t size = -1;
	int rc;

	if (w->opts->upper == LAYER_WALK_NO_UPPER || (!is_dir && !S_ISREG(st->stx_mode)))
		return 0;
	if (!is_dir)
		rc = refuse_reference(w, e->path, fd, "metacopy", "metacopy", err);
	else
		rc = refuse_reference(w, e->path, fd, "redirect", "redirect_dir", err);
	if (rc == 0 && is_dir)
		rc = upper_attr(w, e->path, fd, "opaque", &size, err);
	else if (rc == 0 && st->stx_size == 0)
		rc = upper_attr(w, e->path, fd, "whiteout", &size, err);
	e->opaque = is_dir && size == 1 && *w->value == 'y';
	e->gone = !is_dir && size >= 0;
	return rc;
}

/* ---- entries ------------------------------------------------------------------------------------ */

static int open_to_read(const char *path, int fd, int flags, int *ret, struct bk_err **err)
{
	char proc[PROC_SIZE];
	mode_t mode;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	*ret = open(proc, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*ret < 0 && allow(fd, proc, flags & O_DIRECTORY ? 0500 : 0400, &mode)) {
		*ret = open(proc, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (chmod(proc, mode) < 0)
			return fail(err, "set the mode of", path);
	}
	return *ret < 0 ? fail(err, "open", path) : 0;
}

static int read_link(const char *path, int fd, char **ret, struct bk_err **err)
{
	char text[BK_ROOT_PATH_MAX];
	ssize_t len = readlinkat(fd, "", text, sizeof(text));

	if (len < 0)
		return fail(err, "read the link", path);
	*ret = bk_strndup(text, (size_t)len);
	return 0;
}

/* Of a file with several names: the first, or NULL where this is it. */
static const char *first_name(struct walk *w, const char *path, const struct statx *st)
{
	char key[64];
	const char *first;

	if (S_ISDIR(st->stx_mode) || st->stx_nlink < 2)
		return NULL;
	(void)snprintf(key, sizeof(key), "%x:%x:%" PRIu64, st->stx_dev_major, st->stx_dev_minor,
		       (uint64_t)st->stx_ino);
	first = bk_map_get(w->files, key);
	if (!first)
		(void)bk_map_set(w->files, key, bk_strdup(path));
	return first;
}

static int visit_entry(struct walk *w, const char *path, int fd, const struct statx *st,
		       struct bk_err **err)
{
	bk_autofree char *target = NULL;
	bk_autoclose int content = -1;
	struct layer_entry e = { .path = path };
	const char *first;
	int rc = read_upper(w, fd, st, &e, err);

	if (rc < 0)
		return rc;
	if (e.gone)
		return w->visit(w->ctx, &e, -1, err);
	first = first_name(w, path, st);
	if (first) {
		e.link = first;
		e.is_hardlink = true;
		e.attrs.mode = st->stx_mode;
		return w->visit(w->ctx, &e, -1, err);
	}
	if (S_ISLNK(st->stx_mode))
		rc = read_link(path, fd, &target, err);
	else if (S_ISREG(st->stx_mode))
		rc = open_to_read(path, fd, O_RDONLY, &content, err);
	if (rc < 0)
		return rc;
	e.link = target;
	e.size = S_ISREG(st->stx_mode) ? st->stx_size : 0;
	if (S_ISCHR(st->stx_mode) || S_ISBLK(st->stx_mode))
		e.rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor);
	rc = read_attrs(w, path, fd, st, &e.attrs, err);
	if (rc == 0)
		rc = w->visit(w->ctx, &e, content, err);
	free_attrs(&e.attrs);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(const char *path, int fd, struct bk_arena *arena, char ***ret, size_t *ret_n,
		      struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	const struct dirent *e;
	char **names = NULL;
	int own = -1;
	size_t n = 0;
	int rc = open_to_read(path, fd, O_RDONLY | O_DIRECTORY, &own, err);

	if (rc < 0)
		return rc;
	dir = fdopendir(own);
	if (!dir) {
		bk_close(&own);
		return fail(err, "read", path);
	}
	errno = 0;
	while ((e = readdir(dir)) != NULL) {
		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		if (n >= LAYER_ENTRIES_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "'/%s' has too many entries", path);
		names = bk_arena_grow(arena, names, n, sizeof(*names));
		names[n++] = bk_arena_strdup(arena, e->d_name);
		errno = 0;
	}
	if (errno)
		return fail(err, "read", path);
	if (n > 1)
		qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*ret_n = n;
	return 0;
}

static bool is_whiteout(const struct walk *w, const struct statx *st)
{
	return w->opts->upper && S_ISCHR(st->stx_mode) && st->stx_rdev_major == 0 && st->stx_rdev_minor == 0;
}

static bool is_skipped(const struct walk *w, const char *path)
{
	for (char *const *s = w->opts->skip; s && *s; s++)
		if (bk_streq(*s, path))
			return true;
	return false;
}

static int walk_dir(struct walk *w, const char *path, int fd, unsigned int depth, struct bk_err **err);

static int walk_name(struct walk *w, const char *path, int dirfd, const char *name, unsigned int depth,
		     struct bk_err **err)
{
	bk_autoclose int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const struct layer_entry gone = { .path = path, .gone = true };
	struct statx st;

	if ((fd < 0 && errno == ENOENT) || is_skipped(w, path))
		return 0;
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STAT_MASK, &st) < 0)
		return fail(err, "look at", path);
	if (st.stx_mnt_id != w->mount)
		return bk_err_hint(err,
				   bk_err_set(err, BK_ERR_CONFIG, 0,
					      "something is mounted on '/%s'", path),
				   "unmount it first");
	if (S_ISSOCK(st.stx_mode))
		warn(w, path, "a socket can't be in a layer: left out");
	if (S_ISSOCK(st.stx_mode) || is_whiteout(w, &st))
		return w->opts->upper ? w->visit(w->ctx, &gone, -1, err) : 0;
	if (S_ISDIR(st.stx_mode))
		return walk_dir(w, path, fd, depth, err);
	return visit_entry(w, path, fd, &st, err);
}

static int walk_dir(struct walk *w, const char *path, int fd, unsigned int depth, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char **names = NULL;
	struct statx st;
	size_t n = 0;
	int rc;

	if (depth > LAYER_DEPTH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'/%.256s...': deeper than %d", path,
				  LAYER_DEPTH_MAX);
	if (statx(fd, "", AT_EMPTY_PATH, STAT_MASK, &st) < 0)
		return fail(err, "look at", path);
	rc = visit_entry(w, path, fd, &st, err);
	if (rc == 0)
		rc = list_names(path, fd, arena, &names, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		bk_autofree char *below = bk_asprintf("%s%s%s", path, *path ? "/" : "", names[i]);

		rc = walk_name(w, below, fd, names[i], depth + 1, err);
	}
	return rc;
}

int layer_walk(const struct bk_root *root, const struct layer_walk_opts *opts, layer_walk_fn visit,
	       void *ctx, struct bk_err **err)
{
	bk_autofree char *names = bk_malloc(NAMES_SIZE);
	bk_autofree char *value = bk_malloc(NAMES_SIZE);
	bk_automap struct bk_map *files = bk_map_new(free);
	struct walk w = {
		.root = root,
		.opts = opts,
		.visit = visit,
		.ctx = ctx,
		.files = files,
		.names = names,
		.value = value,
	};
	struct statx st;

	if (statx(root->fd, "", AT_EMPTY_PATH, STAT_MASK, &st) < 0)
		return fail(err, "look at", "");
	w.mount = st.stx_mnt_id;
	return walk_dir(&w, "", root->fd, 0, err);
}
