/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system of a stage while it is built: a chain of directories, one a layer, that overlayfs
 * makes one tree of. The first layers (an image) are applied to one directory; a layer that was
 * written from sources gets one; the upper directory of a RUN step becomes one.
 *
 * Nothing is unpacked or mounted before somebody asks for the tree. Where overlayfs is not to be had,
 * the chain is a single directory, to which layers are applied and in which RUN steps work
 * (snap_tree finds what they changed).
 *
 * Calling order: snap_chain_init or _inherit; snap_chain_image, _layer as the stage grows; _view to
 * read; _begin, _end around a RUN step; snap_chain_done.
 *
 * Uses / used by: snap_space, layer / step.
 */
#ifndef SNAP_CHAIN_H
#define SNAP_CHAIN_H

#include <stdbool.h>

#include "base/bk_root.h"
#include "layer/layer.h"
#include "layer/layer_out.h"
#include "snap/snap_list.h"
#include "snap/snap_space.h"
#include "snap/snap_tree.h"
#include "store/store_image.h"

/* Something that is to be in the tree, and what directory it is in. */
struct snap_link {
	const struct store_image *image; /* all layers of it; or ... */
	struct layer_info layer;	 /* ... this one */
	char *name;			 /* of the directory; NULL: not unpacked yet */
};

struct snap_chain {
	struct snap_space *space;
	struct store *store;
	struct snap_link *links; /* from the bottom up */
	size_t n;
	char *view_name; /* where the tree is mounted for reading, NULL: nowhere */
	size_t viewed;	 /* links that the view shows */
	struct bk_root view;
	char *tree;	/* without overlayfs: the directory */
	size_t in_tree; /* and the links that are in it */
	/* between _begin and _end */
	char *upper, *work, *merged;
	struct bk_root merged_root;
	struct snap_tree *before;
};

void snap_chain_init(struct snap_chain *c, struct snap_space *space, struct store *store);
void snap_chain_done(struct snap_chain *c);
/* Starts from what another chain is now; that one must live as long. */
void snap_chain_inherit(struct snap_chain *c, const struct snap_chain *from);

/* Grows by all layers of an image (borrowed, as long as the chain lives), or by a layer of the store. */
void snap_chain_image(struct snap_chain *c, const struct store_image *image);
void snap_chain_layer(struct snap_chain *c, const struct layer_info *layer);

/*
 * The tree as it is now, for reading; *ret is NULL where there is nothing in it. Valid until the chain
 * grows.
 */
int snap_chain_view(struct snap_chain *c, const struct bk_root **ret, struct bk_err **err);

/* Makes the tree writable for a step: *ret_path (heap) is where, *ret_root the same tree. */
int snap_chain_begin(struct snap_chain *c, char **ret_path, const struct bk_root **ret_root,
		     struct bk_err **err);
/*
 * Ends the step, and lists what it changed. The list reads from the chain: it must be written before
 * snap_chain_keep or snap_chain_drop.
 */
int snap_chain_end(struct snap_chain *c, int64_t whiteout_mtime, struct snap_list *l,
		   struct bk_err **err);
/* The chain grows by what the step left: layer is what became of the list. */
void snap_chain_keep(struct snap_chain *c, const struct layer_info *layer);
/* There was nothing, or it failed. Does nothing if no step was begun. */
void snap_chain_drop(struct snap_chain *c);

#endif
