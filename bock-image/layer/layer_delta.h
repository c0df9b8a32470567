/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What turns one tree into another, as the tar of a layer (image-spec layer.md, "Change Types"): what is new or not as it
 * was, with the directories above it, and a whiteout for each name that is gone. Files are compared by all that a layer
 * keeps of them, content included. Names of one file come all or none, so that a layer does not link to those below.
 * The same two trees give the same bytes.
 *
 * What is may be an upper directory of overlayfs, over what was: then its whiteouts and opaque directories say what is gone,
 * and what it does not have is as it was. Names of one file that it has not all of come by themselves, as overlayfs shows
 * them.
 *
 * Sparse files are written with their zeros, as the specification asks for.
 *
 * Calling order: layer_delta_new, layer_delta_old, layer_delta_compare, layer_delta_write, layer_delta_free. The first tree
 * may be gone after layer_delta_old.
 *
 * Uses / used by: layer_walk, bk_tar, bk_digest / bundle.
 */
#ifndef LAYER_DELTA_H
#define LAYER_DELTA_H

#include "layer/layer_walk.h"

struct layer_delta;

/*
 * opts is for both trees, but opts->upper for the second alone; what it points to must live as long. Of the first nothing
 * is warned of. What opts->skip has is in neither.
 */
struct layer_delta *layer_delta_new(const struct layer_walk_opts *opts) __attribute__((returns_nonnull));
void layer_delta_free(struct layer_delta *d);
BK_DEFINE_AUTO(layer_delta, layer_delta_free);
#define bk_autolayerdelta bk_auto(bk_auto_layer_delta_)

/*
 * Reads what was. Times of directories from `since` (CLOCK_REALTIME_COARSE) on are those of the unpacking, which the
 * layers did not name: they are not compared.
 */
int layer_delta_old(struct layer_delta *d, const struct bk_root *root, const struct timespec *since, struct bk_err **err);

/*
 * Compares what is. *ret_changed: whether anything differs. A name that begins with ".wh." can be in no layer:
 * -BK_ERR_CONFIG.
 */
int layer_delta_compare(struct layer_delta *d, const struct bk_root *root, bool *ret_changed, struct bk_err **err);

/*
 * Writes the layer, content as root has it now. -BK_ERR_IO where the tree is not what was compared. The sink gets the
 * bytes in order; an error of it ends the writing.
 */
int layer_delta_write(struct layer_delta *d, const struct bk_root *root,
		     int (*sink)(void *ctx, const void *data, size_t len, struct bk_err **err), void *ctx,
		     struct bk_err **err);

#endif
