/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whiteouts: they hide what lower layers brought, never what their own layer makes, whichever of the
 * two comes first (image-spec layer.md).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_str.h"
#include "layer/layer_tree_priv.h"

/* The path as deep as this is not one that a layer of ours can have made. */
#define HIDE_DEPTH_MAX (LAYER_DEPTH_MAX + 1)

static int empty_lower(struct layer_tree *t, int fd, const char *path, unsigned int depth,
		       struct bk_err **err);

/* Removes one name in dirfd, or, where this layer has made something there, what else is below it. */
static int remove_lower(struct layer_tree *t, int dirfd, const char *dir, const char *name,
			unsigned int depth, struct bk_err **err)
{
	bk_autofree char *path = layer_tree_join_(dir, name);
	int fd;

	if (!bk_map_has(t->made, path)) {
		t->removed = true;
		return bk_root_rmtree_at(dirfd, name, err);
	}
	if (depth > HIDE_DEPTH_MAX)
		return bk_err_set(err, BK_ERR_IO, ENAMETOOLONG, "'/%s'", path);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/%s'", path);
	return empty_lower(t, fd, path, depth, err);
}

/* All names of a directory, so that it does not change while it is read. -1 and errno. */
static int list_names(DIR *dir, struct bk_arena *arena, char ***ret, size_t *ret_n)
{
	const struct dirent *e;
	char **names = NULL;
	size_t n = 0;

	while ((errno = 0, e = readdir(dir)) != NULL) {
		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		names = bk_arena_grow(arena, names, n, sizeof(*names));
		names[n++] = bk_arena_strdup(arena, e->d_name);
	}
	*ret = names;
	*ret_n = n;
	return errno ? -1 : 0;
}

/* Removes from the directory fd (taken) what this layer has not made. */
static int empty_lower(struct layer_tree *t, int fd, const char *path, unsigned int depth,
		       struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoclosedir DIR *dir = fdopendir(fd);
	char **names = NULL;
	size_t n = 0;
	int rc = 0;

	if (!dir) {
		int errnum = errno;

		bk_close(&fd);
		return bk_err_set(err, BK_ERR_IO, errnum, "read '/%s'", path);
	}
	if (list_names(dir, arena, &names, &n) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '/%s'", path);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = remove_lower(t, dirfd(dir), path, names[i], depth + 1, err);
	return rc;
}

int layer_tree_whiteout(struct layer_tree *t, const char *path, struct bk_err **err)
{
	const char *name;
	int rc;

	if (t->base)
		return 0;
	rc = layer_tree_parent_(t, path, false, &name, err);
	if (rc < 0 || !name)
		return rc;
	layer_tree_forget_others_(t);
	return remove_lower(t, t->dir->fd, t->dir->path, name, 0, err);
}

int layer_tree_opaque(struct layer_tree *t, const char *path, struct bk_err **err)
{
	/* Any name will do: it is the directory that is wanted. */
	bk_autofree char *inside = layer_tree_join_(path, "x");
	const char *name;
	int fd, rc;

	if (t->base)
		return 0;
	rc = layer_tree_parent_(t, inside, false, &name, err);
	if (rc < 0 || !name)
		return rc;
	layer_tree_forget_others_(t);
	fd = openat(t->dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/%s'", path);
	return empty_lower(t, fd, t->dir->path, 0, err);
}
