/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that a layer is applied to. Paths are relative and clean ("etc/passwd": no leading '/', no
 * "//", "." or ".."); links in the middle of them are followed inside the root, a last component
 * never is. What stands in the way of an entry is removed, but a directory over a directory keeps what
 * is in it.
 *
 * Attributes of directories come last (layer_tree_finish): a mode may forbid writing, and every name
 * made changes a time. Directories that the layer does not mention keep their time.
 *
 * Calling order: layer_tree_new, entries and whiteouts in any order, layer_tree_finish,
 * layer_tree_free. One tree is for one layer: it knows which paths the layer has made.
 *
 * Uses / used by: bk_root, bk_map / layer_apply.
 */
#ifndef LAYER_TREE_H
#define LAYER_TREE_H

#include <sys/stat.h>
#include <time.h>

#include "base/bk_err.h"
#include "base/bk_root.h"
#include "layer/layer.h"

/*
 * The attribute in which a rootless tree keeps the owner that an entry has: rootlesscontainers.proto, as umoci
 * and PRoot's runrootless know it.
 */
#define LAYER_ROOTLESS_XATTR "user.rootlesscontainers"

struct layer_xattr {
	char *name;
	void *value;
	size_t size;
};

struct layer_attrs {
	mode_t mode;	/* type and permissions */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	struct layer_xattr *xattrs;
	size_t n_xattrs;
};

/* Whether a layer's attribute of that name is taken over: not what is of the machine or of overlayfs. */
bool layer_xattr_taken(const char *name);

struct layer_tree;

int layer_tree_new(const struct bk_root *root, const struct layer_opts *opts,
		   struct layer_tree **ret, struct bk_err **err);
void layer_tree_free(struct layer_tree *t);
BK_DEFINE_AUTO(layer_tree, layer_tree_free);
#define bk_autolayertree bk_auto(bk_auto_layer_tree_)

/* path "" is the root. */
int layer_tree_dir(struct layer_tree *t, const char *path, const struct layer_attrs *attrs,
		   struct bk_err **err);
/* An empty regular file to write to; then layer_tree_file_done, which sets the attributes. */
int layer_tree_file(struct layer_tree *t, const char *path, const struct layer_attrs *attrs,
		    int *ret_fd, struct bk_err **err);
int layer_tree_file_done(struct layer_tree *t, const char *path, int fd,
			 const struct layer_attrs *attrs, struct bk_err **err);
int layer_tree_symlink(struct layer_tree *t, const char *path, const char *target,
		       const struct layer_attrs *attrs, struct bk_err **err);
/* A hard link to what is at target (a path as all of them) in this tree. */
int layer_tree_link(struct layer_tree *t, const char *path, const char *target,
		    struct bk_err **err);
/* A device or FIFO by attrs->mode. Devices are left out with a warning where the caller can't make them. */
int layer_tree_node(struct layer_tree *t, const char *path, dev_t rdev,
		    const struct layer_attrs *attrs, struct bk_err **err);

/* Removes what lower layers have at path, but nothing that this one made. */
int layer_tree_whiteout(struct layer_tree *t, const char *path, struct bk_err **err);
/* The same for all that is in the directory path ("" is the root). */
int layer_tree_opaque(struct layer_tree *t, const char *path, struct bk_err **err);

int layer_tree_finish(struct layer_tree *t, struct bk_err **err);

#endif
