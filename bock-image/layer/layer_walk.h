/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree on the disk as the entries of a layer that would make it: the way back of layer_tree. Directories
 * come before what is in them, names in the order of their bytes, and of the names of one file the first is
 * the file and the others are hard links to it.
 *
 * The tree may be anybody's: each name is opened by itself below its directory, no link is followed, and
 * what is opened is looked at before it is read (CVE-2024-9676). A mount in the tree is an error that names
 * it. Sockets are in no layer: they are warned of.
 *
 * Of an upper directory of overlayfs (Documentation/filesystems/overlayfs.rst) what hides names of the layers below comes
 * as entries that say so: whiteouts, and sockets, are `gone`, and have a path and nothing else; directories are `opaque`.
 *
 * Uses / used by: bk_root, layer_ids_map / bundle.
 */
#ifndef LAYER_WALK_H
#define LAYER_WALK_H

#include "layer/layer_ids.h"
#include "layer/layer_tar.h"

/* Whether the tree is an upper directory of overlayfs, and whose its attributes are. */
enum layer_walk_upper {
	LAYER_WALK_NO_UPPER,
	LAYER_WALK_TRUSTED,	/* trusted.overlay.* */
	LAYER_WALK_USER,	/* user.overlay.*, as of a mount with userxattr */
};

struct layer_walk_opts {
	/* All files are the caller's: owners are those that LAYER_ROOTLESS_XATTR notes, else root. */
	bool rootless;
	const struct layer_ids *ids;	/* what the tree's owners were mapped by; may be NULL */
	enum layer_walk_upper upper;
	char *const *skip;		/* strv of clean paths that are left out, with all below; may be NULL */
	void (*warn)(void *ctx, const char *message);	/* may be NULL */
	void *ctx;
};

/* fd is open for reading where e is a regular file and no hard link, else -1. Not 0 ends the walk. */
typedef int (*layer_walk_fn)(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err);

/*
 * Visits the tree's root (path "") and all that is below it. -BK_ERR_UNSUPPORTED for an upper directory that refers to
 * the layers below by name (redirect_dir=on) or has attributes without content (metacopy=on).
 */
int layer_walk(const struct bk_root *root, const struct layer_walk_opts *opts, layer_walk_fn visit,
	       void *ctx, struct bk_err **err);

#endif
