/* SPDX-License-Identifier: Apache-2.0 */
/* Between layer_view.c and who reads views: layer_view_diff.c, layer_erofs.c. */
#ifndef LAYER_VIEW_PRIV_H
#define LAYER_VIEW_PRIV_H

#include "base/bk_map.h"
#include "base/bk_mem.h"
#include "layer/layer_view.h"

struct view_node {
	const char *name;
	struct view_node *parent;	/* NULL: the root */
	const struct layer_file *file;
	struct bk_map *children;	/* name -> node, of a directory; NULL: none yet */
	unsigned int depth;
	unsigned int layer;		/* the last that made it, or something below it */
};

struct layer_view {
	struct bk_arena *arena;	/* names and files */
	struct view_node *root;
	size_t n_nodes;
	unsigned int layer;	/* that is being applied, from 1 on */
	bool places;		/* pieces in place of sums */
};

#endif
