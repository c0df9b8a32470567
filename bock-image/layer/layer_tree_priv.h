/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the tree share. */
#ifndef LAYER_TREE_PRIV_H
#define LAYER_TREE_PRIV_H

#include "base/bk_map.h"
#include "base/bk_mem.h"
#include "layer/layer_tree.h"

/* A directory whose attributes are set at the end. */
struct layer_pending {
	char *path;		/* real path below the root, "" for itself */
	bool whole;		/* an entry of the layer: all attributes; else mtime, and mode if set */
	bool existed;		/* it may have xattrs that are to go */
	bool has_mode;
	struct layer_attrs attrs;
};

struct layer_tree {
	const struct bk_root *root;
	const struct layer_opts *opts;
	bool rootless;
	bool base;		/* the tree was empty: there is nothing lower */
	struct bk_arena *arena;
	struct bk_map *made;	/* real paths that this layer made, or made something below */
	struct bk_map *pending;	/* real path -> struct layer_pending */
	char *dir_given;	/* the last parent that was opened: as given, */
	char *dir_path;		/* its real path below the root, */
	int dir_fd;		/* and itself; -1: none */
};

void layer_tree_warn_(const struct layer_tree *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Opens the directory that holds path's last component: t->dir_fd and t->dir_path, until the next
 * call; *ret_name points into path. Without make an absent one is 0 with *ret_name NULL.
 */
int layer_tree_parent_(struct layer_tree *t, const char *path, bool make, const char **ret_name,
		       struct bk_err **err);
/* Forgets that directory: what led to it may lead elsewhere now. */
void layer_tree_forget_(struct layer_tree *t);
/* "dir/name", or name in the root. Heap. */
char *layer_tree_join_(const char *dir, const char *name);

/* Sets all attributes of what fd is; fd is open for reading or writing, or (proc) an O_PATH fd. */
int layer_attrs_set_(const struct layer_tree *t, const char *path, int fd, bool o_path,
		     const struct layer_attrs *attrs, struct bk_err **err);
/* Removes the xattrs of a directory that the entry which replaces its attributes does not have. */
int layer_attrs_clear_(const char *path, int fd,
		       const struct layer_attrs *attrs, struct bk_err **err);

#endif
