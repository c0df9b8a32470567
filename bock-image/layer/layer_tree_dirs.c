/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories that entries are in. Entries come directory by directory, so the last few of them stay
 * open, and a name is opened from the one above it: one system call, mostly none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_str.h"
#include "layer/layer_ids.h"
#include "layer/layer_tree_priv.h"

static void drop(struct tree_dir *d)
{
	bk_close(&d->fd);
	free(d->given);
	free(d->path);
	*d = (struct tree_dir){ .fd = -1 };
}

void layer_tree_forget_(struct layer_tree *t)
{
	t->dir = NULL;
	layer_tree_forget_others_(t);
}

void layer_tree_forget_others_(struct layer_tree *t)
{
	for (size_t i = 0; i < TREE_DIRS; i++)
		if (&t->dirs[i] != t->dir)
			drop(&t->dirs[i]);
}

bool layer_tree_owned_(const struct layer_tree *t, const struct tree_dir *dir,
		       const struct layer_attrs *attrs)
{
	return t->plain && dir->own && attrs->uid == t->uid && attrs->gid == t->gid;
}

bool layer_tree_moded_(const struct layer_tree *t, const struct tree_dir *dir, mode_t mode)
{
	mode &= 07777;
	return t->plain && dir->own && !(mode & ~0777u) && !(mode & t->umask);
}

/* Where fd really is below the root: what /proc says of it, without what it says of the root. */
static int real_path(const struct layer_tree *t, int fd, char **ret, struct bk_err **err)
{
	char proc[32], root[BK_ROOT_PATH_MAX], path[BK_ROOT_PATH_MAX];
	ssize_t n_root, n_path;
	const char *rest;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", t->root->fd);
	n_root = readlink(proc, root, sizeof(root) - 1);
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n_path = readlink(proc, path, sizeof(path) - 1);
	if (n_root < 0 || n_path < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read the link '%s'", proc);
	root[n_root] = path[n_path] = '\0';
	if (bk_streq(root, "/"))
		root[0] = '\0';
	rest = bk_skip_prefix(path, root);
	if (!rest || (*rest != '/' && *rest != '\0'))
		return bk_err_set(err, BK_ERR_IO, ESTALE, "the tree is moved while it is unpacked");
	*ret = bk_strdup(*rest ? rest + 1 : rest);
	return 0;
}

/* Lets a user who may not write to an own directory do it for now. */
int tree_make_writable_(int fd, const char *path, const struct stat *st, struct bk_err **err)
{
	char proc[32];

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (chmod(proc, (st->st_mode & 07777) | 0700) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '/%s' writable", path);
	return 0;
}

/* Notes that the directory, which is about to be changed, must have its time (and mode) back. */
static int note_restore(struct layer_tree *t, int fd, const char *path, struct bk_err **err)
{
	bool root = t->uid == 0;
	struct layer_pending *p;
	bool change_mode;
	struct stat st;

	if (root && (t->base || bk_map_has(t->pending, path)))
		return 0;
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '/%s'", path);
	change_mode = !root && (st.st_mode & 0700) != 0700;
	if (!bk_map_has(t->pending, path)) {
		p = bk_arena_alloc(t->arena, sizeof(*p));
		p->path = bk_arena_strdup(t->arena, path);
		p->attrs.mode = st.st_mode;
		p->attrs.mtime = st.st_mtim;
		p->has_mode = change_mode;
		(void)bk_map_set(t->pending, p->path, p);
	}
	return change_mode ? tree_make_writable_(fd, path, &st, err) : 0;
}

/* Where a directory can be put: an empty place, or that of the one used least recently. One is pinned at most. */
static struct tree_dir *take_place(struct layer_tree *t)
{
	struct tree_dir *best = &t->dirs[t->dirs[0].pinned ? 1 : 0];

	for (size_t i = 0; i < TREE_DIRS; i++) {
		struct tree_dir *d = &t->dirs[i];

		if (!d->given)
			return d;
		if (!d->pinned && d->used < best->used)
			best = d;
	}
	drop(best);
	return best;
}

static struct tree_dir *find(struct layer_tree *t, const char *given, size_t len)
{
	for (size_t i = 0; i < TREE_DIRS; i++) {
		struct tree_dir *d = &t->dirs[i];

		if (d->given && strncmp(d->given, given, len) == 0 && d->given[len] == '\0') {
			d->used = ++t->clock;
			return d;
		}
	}
	return NULL;
}

/* Whether this layer made the directory at that real path, and nobody else could write to it since. */
static bool is_own(const struct layer_tree *t, const char *path)
{
	const struct layer_pending *p = bk_map_get(t->pending, path);

	return t->base || (p && p->whole && !p->existed);
}

/* fd and path are taken over. */
static struct tree_dir *keep(struct layer_tree *t, const char *given, size_t len, char *path,
			     int fd, bool own)
{
	struct tree_dir *d = take_place(t);

	*d = (struct tree_dir){
		.given = bk_strndup(given, len),
		.path = path,
		.fd = fd,
		.own = own || is_own(t, path),
		.used = ++t->clock,
	};
	return d;
}

/* The way with links in it, which are followed inside the root; or the root itself. */
static int open_by_links(struct layer_tree *t, const char *given, size_t len, bool make,
			 struct tree_dir **ret, struct bk_err **err)
{
	bk_autofree char *text = bk_strndup(given, len);
	bk_autofree char *path = NULL;
	bk_autoclose int fd = -1;
	struct bk_err *why = NULL;
	int rc;

	if (len == 0) {
		rc = bk_root_openat_nolinks(t->root, ".", O_PATH | O_DIRECTORY, 0, &fd, err);
		path = bk_strdup("");
	} else if (make) {
		rc = bk_root_mkdirs(t->root, text, 0755, &fd, err);
	} else {
		rc = bk_root_openat(t->root, text, O_PATH | O_DIRECTORY, 0, &fd, &why);
		if (rc < 0 && (bk_err_errno(why) == ENOENT || bk_err_errno(why) == ENOTDIR)) {
			bk_err_clear(&why);
			return 0;
		}
		bk_err_move(err, why);
	}
	if (rc == 0 && !path)
		rc = real_path(t, fd, &path, err);
	if (rc < 0)
		return rc;
	*ret = keep(t, given, len, bk_steal_ptr(&path), bk_steal_fd(&fd), false);
	return 0;
}

/* One name below an open directory: *ret_fd is -1 where it is absent, or a link or anything else. */
static int open_below(const struct tree_dir *above, const char *name, int *ret_fd, bool *ret_absent,
		      struct bk_err **err)
{
	const struct bk_root here = { .fd = above->fd };
	struct bk_err *why = NULL;
	int rc, errnum;

	rc = bk_root_openat_nolinks(&here, name, O_PATH | O_DIRECTORY, 0, ret_fd, &why);
	errnum = bk_err_errno(why);
	*ret_absent = rc < 0 && errnum == ENOENT;
	if (rc < 0 && errnum != ELOOP && errnum != ENOENT && errnum != ENOTDIR) {
		bk_err_move(err, why);
		return rc;
	}
	bk_err_clear(&why);
	return 0;
}

/* A directory that no entry makes is root's, whoever that is. */
static int own_made(const struct layer_tree *t, int fd, struct bk_err **err)
{
	const struct layer_ids *ids = t->opts->ids;
	uint32_t uid, gid;

	if (t->rootless || !ids || !layer_ids_host(ids->uids, ids->n_uids, 0, &uid) ||
	    !layer_ids_host(ids->gids, ids->n_gids, 0, &gid) || (uid == t->uid && gid == t->gid))
		return 0;
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the owner");
	return 0;
}

int tree_dir_get_(struct layer_tree *t, const char *given, size_t len, bool make,
		  struct tree_dir **ret, struct bk_err **err)
{
	const char *slash = len ? memrchr(given, '/', len) : NULL;
	size_t up = slash ? (size_t)(slash - given) : 0;
	struct tree_dir *above = NULL;
	bk_autofree char *name = NULL;
	bool absent, made = false;
	int fd = -1, rc;

	*ret = find(t, given, len);
	if (*ret)
		return 0;
	if (len == 0)
		return open_by_links(t, given, len, make, ret, err);
	/* No deeper than a name of LAYER_DEPTH_MAX components. */
	rc = tree_dir_get_(t, given, up, make, &above, err);
	if (rc < 0 || !above)
		return rc;
	name = slash ? bk_strndup(slash + 1, len - up - 1) : bk_strndup(given, len);
	rc = open_below(above, name, &fd, &absent, err);
	if (rc == 0 && absent && make) {
		made = true;
		rc = note_restore(t, above->fd, above->path, err);
		if (rc == 0 && mkdirat(above->fd, name, 0755) < 0 && errno != EEXIST)
			rc = bk_err_set(err, BK_ERR_IO, errno, "make directory");
		if (rc == 0)
			rc = open_below(above, name, &fd, &absent, err);
		if (rc == 0 && fd >= 0)
			rc = own_made(t, fd, err);
	}
	if (rc < 0)
		return bk_err_wrap(err, rc, "'/%.*s'", (int)len, given);
	if (fd < 0)
		return absent ? 0 : open_by_links(t, given, len, make, ret, err);
	*ret = keep(t, given, len, layer_tree_join_(above->path, name), fd, made);
	return 0;
}

int layer_tree_parent_(struct layer_tree *t, const char *path, bool make, const char **ret_name,
		       struct bk_err **err)
{
	const char *slash = strrchr(path, '/');
	int rc;

	*ret_name = NULL;
	t->dir = NULL;
	rc = tree_dir_get_(t, path, slash ? (size_t)(slash - path) : 0, make, &t->dir, err);
	if (rc < 0 || !t->dir)
		return rc;
	if (!t->dir->noted) {
		rc = note_restore(t, t->dir->fd, t->dir->path, err);
		if (rc < 0)
			return rc;
		t->dir->noted = true;
	}
	*ret_name = slash ? slash + 1 : path;
	return 0;
}
