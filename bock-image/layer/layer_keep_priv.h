/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of layer_keep.h share. */
#ifndef LAYER_KEEP_PRIV_H
#define LAYER_KEEP_PRIV_H

#include "layer/layer_keep.h"

/* Whether the layer is there already, as the marker says. */
int layer_keep_find_(const struct store *s, const char *key, const char *diff_id, bool *ret, struct bk_err **err);

/* Opens the folder of layers, and names those of the image in *k, which is empty before; their ChainIDs are k's. */
int layer_keep_name_(const struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *k, char ***ret_chain, struct bk_err **err);

#endif
