/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer's entries mean (image-spec layer.md), for whoever keeps the tree: on the disk (layer_apply) or in memory
 * (layer_view). Markers are told from files here, and what no layer may say is refused, so that all take the same
 * layers.
 *
 * Uses / used by: store, layer_stream, layer_tar / layer_apply, layer_view.
 */
#ifndef LAYER_SINK_H
#define LAYER_SINK_H

#include "layer/layer.h"
#include "layer/layer_tar.h"

/*
 * Paths are as of layer_tree.h, "" is the root. ctx is the caller's; an error ends the layer. Entries come in the
 * order of the layer, finish behind the last.
 */
struct layer_sink {
	int (*dir)(void *ctx, const struct layer_entry *e, struct bk_err **err);
	/* A regular file; its content is layer_tar_content's or layer_tar_sum's, or left alone. */
	int (*file)(void *ctx, struct layer_tar *tar, const struct layer_entry *e, struct bk_err **err);
	int (*symlink)(void *ctx, const struct layer_entry *e, struct bk_err **err);
	/* e->link is the name that it links to, not "". */
	int (*link)(void *ctx, const struct layer_entry *e, struct bk_err **err);
	/* A device or FIFO. */
	int (*node)(void *ctx, const struct layer_entry *e, struct bk_err **err);
	/* Removes path, or all that is in the directory, but nothing that this layer made. */
	int (*whiteout)(void *ctx, const char *path, struct bk_err **err);
	int (*opaque)(void *ctx, const char *dir, struct bk_err **err);
	int (*finish)(void *ctx, struct bk_err **err);
};

/* The blob that fd yields, as for layer_apply; opts is not NULL. */
int layer_sink_fd(const struct layer_sink *sink, void *ctx, int fd, const char *digest, const char *diff_id,
		  const struct layer_opts *opts, struct layer_stats *ret_stats, struct bk_err **err);
/* The layer i of an image, against its digest and DiffID. Errors name it. */
int layer_sink_image(const struct layer_sink *sink, void *ctx, const struct store *s,
		     const struct store_image *image, size_t i, const struct layer_opts *opts,
		     struct layer_stats *ret_stats, struct bk_err **err);

#endif
