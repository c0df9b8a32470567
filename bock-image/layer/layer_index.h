/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as one EROFS (layer_erofs.h): each layer is kept as its uncompressed tar, once for all images that begin with
 * the same layers, and the image as an index of them. Nothing is unpacked, and the tree is what copying all layers into
 * one directory makes, hard links across layers included. In the store both are as unpacked layers are (store_layers.h),
 * with one file, LAYER_INDEX_FILE, as their tree.
 *
 * It takes root of the first user namespace, Linux 6.12 with CONFIG_EROFS_FS_BACKED_BY_FILE.
 *
 * Uses / used by: store_layers, layer_stream, layer_view, layer_erofs, layer_confine / bundle.
 */
#ifndef LAYER_INDEX_H
#define LAYER_INDEX_H

#include "layer/layer.h"
#include "store/store_layers.h"

struct layer_index {
	struct bk_arena *arena;	/* owns all below */
	char **keys;		/* strv: of the tars, the lowest first, then of the index */
	char *source;		/* below the folder of layers: of the index */
	char **devices;		/* strv, the same of the tars */
	int layers;		/* the folder */
};

#define LAYER_INDEX_INIT { .layers = -1 }
void layer_index_done(struct layer_index *x);
#define bk_autolayerindex bk_auto(layer_index_done)

/* Whether one can be mounted here: 0, or -BK_ERR_UNSUPPORTED or -BK_ERR_PERMISSION with what is missing. */
int layer_index_may(struct bk_err **err);

/* Makes what is not there. The store must be writable. ret_stats (NULL): of the tars that were made now. */
int layer_index_image(struct store *s, const struct store_image *image, const struct layer_opts *opts,
		      struct layer_index *ret, struct layer_stats *ret_stats, struct bk_err **err);

/* A mount of it, read-only and attached nowhere. */
int layer_index_mount(const struct layer_index *x, int *ret_fd, struct bk_err **err);

#endif
