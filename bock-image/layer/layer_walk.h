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
 * Uses / used by: bk_root, layer_ids_map / bundle.
 */
#ifndef LAYER_WALK_H
#define LAYER_WALK_H

#include "layer/layer_ids.h"
#include "layer/layer_tar.h"

struct layer_walk_opts {
	/* All files are the caller's: owners are those that LAYER_ROOTLESS_XATTR notes, else root. */
	bool rootless;
	const struct layer_ids *ids;	/* what the tree's owners were mapped by; may be NULL */
	void (*warn)(void *ctx, const char *message);	/* may be NULL */
	void *ctx;
};

/* fd is open for reading where e is a regular file and no hard link, else -1. Not 0 ends the walk. */
typedef int (*layer_walk_fn)(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err);

/* Visits the tree's root (path "") and all that is below it. */
int layer_walk(const struct bk_root *root, const struct layer_walk_opts *opts, layer_walk_fn visit,
	       void *ctx, struct bk_err **err);

#endif
