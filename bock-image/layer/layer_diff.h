/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two images of a store, file by file, without unpacking them. Layers are read as for unpacking: against their
 * digests, within the bounds of opts, in a process that can do nothing else (layer_confine.h), which may open the
 * store for reading and nothing for writing. Layers that both images begin with (by DiffID) are read once, and not at
 * all where nothing comes above them.
 *
 * Uses / used by: layer_confine, layer_view / cmd.
 */
#ifndef LAYER_DIFF_H
#define LAYER_DIFF_H

#include "layer/layer_view.h"

struct layer_diff_sink {
	/* As layer_view_compare's; and once behind the last of them, where no call failed. */
	int (*visit)(void *ctx, const struct layer_change *c, struct bk_err **err);
	int (*end)(void *ctx, struct bk_err **err);
	void *ctx;
};

/*
 * sink is called in the confined process if opts->confine says that there is one: it may write to descriptors 0 to 2,
 * and what it changes in memory is lost. Nothing is called before both images were read and checked.
 * *ret_n: how many paths differ.
 */
int layer_diff(const struct store *s, const struct store_image *old, const struct store_image *new,
	       const struct layer_opts *opts, const struct layer_diff_sink *sink, uint64_t *ret_n,
	       struct bk_err **err);

#endif
