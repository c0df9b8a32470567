/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "layer/layer_acl.h"
#include "layer/layer_tree_priv.h"

/* How often an entry is tried again because somebody puts something in its way. */
#define MAKE_TRIES 4

static char made_mark; /* its address is every value of t->made */

void layer_tree_warn_(const struct layer_tree *t, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	if (!t->opts->warn)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->opts->warn(t->opts->ctx, text);
}

char *layer_tree_join_(const char *dir, const char *name)
{
	return *dir ? bk_asprintf("%s/%s", dir, name) : bk_strdup(name);
}

static int is_empty(const struct bk_root *root, bool *ret, struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	const struct dirent *e;
	int fd = -1;
	int rc = bk_root_openat_nolinks(root, ".", O_RDONLY | O_DIRECTORY, 0, &fd, err);

	if (rc < 0)
		return rc;
	dir = fdopendir(fd);
	if (!dir) {
		int errnum = errno;

		bk_close(&fd);
		return bk_err_set(err, BK_ERR_IO, errnum, "read '/'");
	}
	*ret = true;
	while ((errno = 0, e = readdir(dir)) != NULL)
		if (!bk_streq(e->d_name, ".") && !bk_streq(e->d_name, ".."))
			*ret = false;
	return errno == 0 ? 0 : bk_err_set(err, BK_ERR_IO, errno, "read '/'");
}

/* By umask(2) where there is no procfs to be read, as in a confined process, which has one thread here. */
static mode_t change_umask(void)
{
	mode_t mask = umask(0777);

	(void)umask(mask);
	return mask;
}

/* What umask(2) can't say without changing it for all threads. */
static mode_t read_umask(void)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	const char *line;
	mode_t mask = 0;

	if (bk_file_read(AT_FDCWD, "/proc/self/status", &text, NULL) < 0)
		return change_umask();
	line = strstr(bk_buf_str(&text), "\nUmask:\t");
	if (!line)
		return change_umask();
	for (line += strlen("\nUmask:\t"); *line >= '0' && *line <= '7'; line++)
		mask = mask << 3 | (mode_t)(*line - '0');
	return mask;
}

/* Whether what is made below the root inherits nothing from it: no group, no access control list. */
static int look_at_root(struct layer_tree *t, struct bk_err **err)
{
	char proc[32];
	struct stat st;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", t->root->fd);
	if (fstat(t->root->fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '/'");
	t->plain = st.st_gid == t->gid && !(st.st_mode & S_ISGID) &&
		   getxattr(proc, LAYER_ACL_DEFAULT, NULL, 0) < 0;
	return 0;
}

int layer_tree_new(const struct bk_root *root, const struct layer_opts *opts,
		   struct layer_tree **ret, struct bk_err **err)
{
	bk_autolayertree struct layer_tree *t = bk_calloc(1, sizeof(*t));
	int rc;

	t->root = root;
	t->opts = opts;
	t->uid = geteuid();
	t->gid = getegid();
	t->rootless = opts->rootless || t->uid != 0;
	t->umask = read_umask();
	for (size_t i = 0; i < TREE_DIRS; i++)
		t->dirs[i].fd = -1;
	t->arena = bk_arena_new();
	t->made = bk_map_new(NULL);
	t->pending = bk_map_new(NULL);
	rc = is_empty(root, &t->base, err);
	if (rc == 0)
		rc = look_at_root(t, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&t);
	return 0;
}

void layer_tree_free(struct layer_tree *t)
{
	if (!t)
		return;
	layer_tree_forget_(t);
	bk_map_free(t->made);
	bk_map_free(t->pending);
	bk_arena_free(t->arena);
	free(t);
}

/* Remembers what the layer made: the path, and that something is below each directory above it. */
static void note_made(struct layer_tree *t, const char *dir, const char *name)
{
	bk_autofree char *path = NULL;
	char *slash;

	if (t->base)
		return;
	path = layer_tree_join_(dir, name);
	while (bk_map_set(t->made, path, &made_mark)) {
		slash = strrchr(path, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
}

/* ---- entries ------------------------------------------------------------------------------------ */

/* Removes what stands in the way of an entry. */
static int clear_way(struct layer_tree *t, const char *path, const char *name, struct bk_err **err)
{
	int rc;

	t->removed = true;
	layer_tree_forget_others_(t);
	rc = bk_root_rmtree_at(t->dir->fd, name, err);
	return rc < 0 ? bk_err_wrap(err, rc, "replace '/%s'", path) : 0;
}

/*
 * Makes one name by `make` (0 or more, or -1 and errno), after removing what is there. The parent that
 * is remembered stays right meanwhile: only what is in it is removed.
 */
static int make_name(struct layer_tree *t, const char *path,
		     int (*make)(int dirfd, const char *name, const void *ctx), const void *ctx,
		     int *ret, struct bk_err **err)
{
	const char *name;
	int rc = layer_tree_parent_(t, path, true, &name, err);

	if (rc < 0)
		return rc;
	for (int i = 0; i < MAKE_TRIES; i++) {
		*ret = make(t->dir->fd, name, ctx);
		if (*ret >= 0) {
			note_made(t, t->dir->path, name);
			return 0;
		}
		if (errno != EEXIST)
			break;
		rc = clear_way(t, path, name, err);
		if (rc < 0)
			return rc;
	}
	return bk_err_set(err, BK_ERR_IO, errno, "make '/%s'", path);
}

static int do_open(int dirfd, const char *name, const void *ctx)
{
	const mode_t *mode = ctx;

	return openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, *mode);
}

int layer_tree_file(struct layer_tree *t, const char *path, const struct layer_attrs *attrs,
		    int *ret_fd, struct bk_err **err)
{
	const mode_t mode = attrs->mode & 0777;

	return make_name(t, path, do_open, &mode, ret_fd, err);
}

/* What made the entry has set of its attributes; t->dir is the directory that it is in. */
static unsigned int set_already(const struct layer_tree *t, const struct layer_attrs *attrs)
{
	return (layer_tree_owned_(t, t->dir, attrs) ? ATTRS_OWNED : 0u) |
	       (layer_tree_moded_(t, t->dir, attrs->mode) ? ATTRS_MODED : 0u);
}

int layer_tree_file_done(struct layer_tree *t, const char *path, int fd,
			 const struct layer_attrs *attrs, struct bk_err **err)
{
	return layer_attrs_set_(t, path, fd, set_already(t, attrs), attrs, err);
}

/* Opens what was just made for its attributes, itself and nothing that it leads to. */
static int set_made(const struct layer_tree *t, const char *path, const struct layer_attrs *attrs,
		    struct bk_err **err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	bk_autoclose int fd = openat(t->dir->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/%s'", path);
	if ((st.st_mode & S_IFMT) != (attrs->mode & S_IFMT))
		return bk_err_set(err, BK_ERR_IO, ESTALE, "'/%s' is replaced while it is unpacked",
				  path);
	return layer_attrs_set_(t, path, fd, ATTRS_O_PATH, attrs, err);
}

/* A symbolic link by its name, where nobody else can have put something in its place. */
static int set_link(const struct layer_tree *t, const char *path, const struct layer_attrs *attrs,
		    struct bk_err **err)
{
	const struct timespec times[2] = { attrs->mtime, attrs->mtime };
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!t->rootless && !layer_tree_owned_(t, t->dir, attrs) &&
	    fchownat(t->dir->fd, name, attrs->uid, attrs->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the owner of '/%s'", path);
	if (utimensat(t->dir->fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the time of '/%s'", path);
	return layer_attrs_note_owner_(t, path, -1, true, attrs, err);
}

static int do_symlink(int dirfd, const char *name, const void *target)
{
	return symlinkat(target, dirfd, name);
}

int layer_tree_symlink(struct layer_tree *t, const char *path, const char *target,
		       const struct layer_attrs *attrs, struct bk_err **err)
{
	int made, rc;

	if (*target == '\0')
		return bk_err_set(err, BK_ERR_CONFIG, 0, "symbolic link '/%s' has no target", path);
	rc = make_name(t, path, do_symlink, target, &made, err);
	if (rc < 0)
		return rc;
	return t->dir->own && attrs->n_xattrs == 0 ? set_link(t, path, attrs, err)
						   : set_made(t, path, attrs, err);
}

struct node {
	mode_t type;
	dev_t rdev;
};

static int do_mknod(int dirfd, const char *name, const void *ctx)
{
	const struct node *n = ctx;

	return mknodat(dirfd, name, n->type | 0600, n->rdev);
}

int layer_tree_node(struct layer_tree *t, const char *path, dev_t rdev,
		    const struct layer_attrs *attrs, struct bk_err **err)
{
	const struct node n = { .type = attrs->mode & S_IFMT,
				.rdev = S_ISFIFO(attrs->mode) ? 0 : rdev };
	int made, rc;

	if (t->opts->overlay && S_ISCHR(attrs->mode) && rdev == 0) {
		layer_tree_warn_(t, "device '/%s' left out: 0:0 is what overlayfs takes for a whiteout", path);
		return layer_tree_whiteout(t, path, err);
	}
	if (t->rootless && !S_ISFIFO(attrs->mode)) {
		layer_tree_warn_(t, "device '/%s' left out: only root makes devices", path);
		/* What it replaces is gone all the same. */
		return layer_tree_whiteout(t, path, err);
	}
	rc = make_name(t, path, do_mknod, &n, &made, err);
	return rc < 0 ? rc : set_made(t, path, attrs, err);
}

struct link_from {
	int dirfd;
	const char *name;
};

static int do_link(int dirfd, const char *name, const void *ctx)
{
	const struct link_from *from = ctx;

	return linkat(from->dirfd, from->name, dirfd, name, 0);
}

/* Whether both names are one file already: replacing one by the other would lose it. */
static bool same_file(int dirfd, const char *name, const struct stat *st)
{
	struct stat other;

	return fstatat(dirfd, name, &other, AT_SYMLINK_NOFOLLOW) == 0 &&
	       other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static int link_error(const struct link_from *from, const char *path, const char *target,
		      int errnum, struct bk_err **err)
{
	struct stat st;

	if (fstatat(from->dirfd, from->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "hard link '/%s' to the directory '/%s'",
				  path, target);
	return bk_err_set(err, errnum == ENOENT ? BK_ERR_CONFIG : BK_ERR_IO, errnum,
			  "hard link '/%s' to '/%s'", path, target);
}

static int make_link(struct layer_tree *t, const char *path, const char *target,
		     const struct link_from *from, struct bk_err **err)
{
	const char *name;
	struct stat st;
	int made, rc = layer_tree_parent_(t, path, true, &name, err);

	if (rc < 0)
		return rc;
	if (do_link(t->dir->fd, name, from) < 0) {
		if (errno != EEXIST ||
		    fstatat(from->dirfd, from->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISDIR(st.st_mode))
			return link_error(from, path, target, errno, err);
		if (!same_file(t->dir->fd, name, &st))
			return make_name(t, path, do_link, from, &made, err);
	}
	note_made(t, t->dir->path, name);
	return 0;
}

/* overlayfs copies a lower layer's file when it gets another name, and the names that it had there stay the old file's. */
static void warn_unlinked(const struct layer_tree *t, const struct tree_dir *dir, const char *name,
			  const char *path)
{
	bk_autofree char *from = layer_tree_join_(dir->path, name);
	struct stat st;

	if (t->opts->overlay && !t->base && !bk_map_has(t->made, from) &&
	    fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) && st.st_nlink > 1)
		layer_tree_warn_(t, "hard link '/%s' to '/%s': other names that it has in lower layers are "
				 "files of their own by overlayfs", path, from);
}

int layer_tree_link(struct layer_tree *t, const char *path, const char *target, struct bk_err **err)
{
	const char *slash = strrchr(target, '/');
	struct tree_dir *dir = NULL;
	struct link_from from;
	int rc;

	rc = tree_dir_get_(t, target, slash ? (size_t)(slash - target) : 0, false, &dir, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "hard link '/%s'", path);
	if (!dir)
		return bk_err_set(err, BK_ERR_CONFIG, ENOENT, "hard link '/%s' to '/%s'", path,
				  target);
	warn_unlinked(t, dir, slash ? slash + 1 : target, path);
	from = (struct link_from){ .dirfd = dir->fd, .name = slash ? slash + 1 : target };
	dir->pinned = true;
	rc = make_link(t, path, target, &from, err);
	dir->pinned = false;
	return rc;
}

/* ---- directories -------------------------------------------------------------------------------- */

/* Makes the directory unless it is there; what else is there makes room. */
static int make_dir(struct layer_tree *t, const char *path, const char *name, mode_t mode,
		    bool *ret_existed, struct bk_err **err)
{
	struct stat st;
	int rc;

	*ret_existed = false;
	for (int i = 0; i < MAKE_TRIES; i++) {
		if (mkdirat(t->dir->fd, name, mode) == 0)
			return 0;
		if (errno != EEXIST)
			break;
		if (fstatat(t->dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode)) {
			*ret_existed = true;
			return 0;
		}
		rc = clear_way(t, path, name, err);
		if (rc < 0)
			return rc;
	}
	return bk_err_set(err, BK_ERR_IO, errno, "make directory '/%s'", path);
}

static void copy_attrs(struct bk_arena *arena, const struct layer_attrs *from,
		       struct layer_attrs *to)
{
	*to = *from;
	if (from->n_xattrs == 0)
		return;
	to->xattrs = bk_arena_alloc(arena, from->n_xattrs * sizeof(*to->xattrs));
	for (size_t i = 0; i < from->n_xattrs; i++) {
		to->xattrs[i] = from->xattrs[i];
		to->xattrs[i].name = bk_arena_strdup(arena, from->xattrs[i].name);
		to->xattrs[i].value = bk_arena_alloc(arena, from->xattrs[i].size + 1);
		memcpy(to->xattrs[i].value, from->xattrs[i].value, from->xattrs[i].size);
	}
}

static void note_dir(struct layer_tree *t, const char *path, bool existed, bool times_only,
		     const struct layer_attrs *attrs)
{
	struct layer_pending *p = bk_map_get(t->pending, path);

	if (!p) {
		p = bk_arena_alloc(t->arena, sizeof(*p));
		p->path = bk_arena_strdup(t->arena, path);
		(void)bk_map_set(t->pending, p->path, p);
	}
	p->whole = true;
	p->existed = p->existed || existed;
	p->times_only = times_only;
	copy_attrs(t->arena, attrs, &p->attrs);
}

int layer_tree_dir(struct layer_tree *t, const char *path, const struct layer_attrs *attrs,
		   struct bk_err **err)
{
	/* Until the end nobody else may write to it, and it hands nothing down. */
	const mode_t mode = (attrs->mode & 0755) | 0700;
	bk_autofree char *real = NULL;
	const char *name;
	bool existed = false, times_only;
	int rc;

	if (*path == '\0') {
		note_dir(t, "", true, false, attrs);
		return 0;
	}
	rc = layer_tree_parent_(t, path, true, &name, err);
	if (rc == 0)
		rc = make_dir(t, path, name, mode, &existed, err);
	if (rc < 0)
		return rc;
	note_made(t, t->dir->path, name);
	real = layer_tree_join_(t->dir->path, name);
	times_only = !existed && attrs->n_xattrs == 0 && mode == (attrs->mode & 07777) &&
		     layer_tree_moded_(t, t->dir, mode) &&
		     (t->rootless ? attrs->uid == 0 && attrs->gid == 0
				  : layer_tree_owned_(t, t->dir, attrs));
	note_dir(t, real, existed && !t->base, times_only, attrs);
	return 0;
}

static int by_path_down(const void *a, const void *b)
{
	const struct layer_pending *const *x = a;
	const struct layer_pending *const *y = b;

	return strcmp((*y)->path, (*x)->path);
}

/* A user may have to let himself read an own directory first: its mode is set afterwards anyway. */
static void make_readable(const struct layer_tree *t, const char *path)
{
	bk_autoclose int fd = -1;
	struct stat st;

	if (bk_root_openat_nolinks(t->root, path, O_PATH | O_DIRECTORY, 0, &fd, NULL) == 0 &&
	    fstat(fd, &st) == 0)
		(void)tree_make_writable_(fd, path, &st, NULL);
}

/* A directory that is none any more, or gone, was replaced later in the layer. */
static int open_pending(const struct layer_tree *t, const struct layer_pending *p, int *ret_fd,
			struct bk_err **err)
{
	const char *path = *p->path ? p->path : ".";
	struct bk_err *why = NULL;
	int errnum, rc;

	rc = bk_root_openat_nolinks(t->root, path, O_RDONLY | O_DIRECTORY, 0, ret_fd, &why);
	if (rc < 0 && bk_err_errno(why) == EACCES && p->whole) {
		bk_err_clear(&why);
		make_readable(t, path);
		rc = bk_root_openat_nolinks(t->root, path, O_RDONLY | O_DIRECTORY, 0, ret_fd, &why);
	}
	errnum = bk_err_errno(why);
	if (rc < 0 && (errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP)) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0)
		bk_err_move(err, why);
	return rc;
}

/* The time alone, by name: nothing can be in the place of what this layer made. */
static int finish_time(struct layer_tree *t, const struct layer_pending *p, struct bk_err **err)
{
	const struct timespec times[2] = { p->attrs.mtime, p->attrs.mtime };
	const char *slash = strrchr(p->path, '/');
	struct tree_dir *dir = NULL;
	int rc = tree_dir_get_(t, p->path, slash ? (size_t)(slash - p->path) : 0, false, &dir, err);

	if (rc < 0)
		return rc;
	if (!dir || utimensat(dir->fd, slash ? slash + 1 : p->path, times, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, dir ? errno : ENOENT, "set the time of '/%s'",
				  p->path);
	return 0;
}

static int finish_dir(struct layer_tree *t, const struct layer_pending *p, struct bk_err **err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, p->attrs.mtime };
	bk_autoclose int fd = -1;
	int rc;

	if (p->times_only && !t->removed)
		return finish_time(t, p, err);
	rc = open_pending(t, p, &fd, err);
	if (rc < 0 || fd < 0)
		return rc;
	if (p->whole) {
		if (p->existed) {
			rc = layer_attrs_clear_(p->path, fd, &p->attrs, err);
			if (rc < 0)
				return rc;
		}
		return layer_attrs_set_(t, p->path, fd, 0, &p->attrs, err);
	}
	if (p->has_mode && fchmod(fd, p->attrs.mode & 07777) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the mode of '/%s'", p->path);
	if (futimens(fd, times) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the time of '/%s'", p->path);
	return 0;
}

int layer_tree_finish(struct layer_tree *t, struct bk_err **err)
{
	size_t n = bk_map_len(t->pending), i = 0, it = 0;
	bk_autofree struct layer_pending **all = bk_calloc(n + 1, sizeof(struct layer_pending *));
	const char *key;
	void *value;
	int rc = 0;

	layer_tree_forget_(t);
	while (i < n && bk_map_next(t->pending, &it, &key, &value))
		all[i++] = value;
	/* What is below comes before what is above, which may forbid to enter it. */
	qsort(all, n, sizeof(struct layer_pending *), by_path_down);
	for (i = 0; rc == 0 && i < n; i++)
		rc = finish_dir(t, all[i], err);
	return rc;
}
