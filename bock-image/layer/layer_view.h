/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that layers make, in memory and without the content of its files, of which a sum is kept: what an image
 * holds is known without unpacking it. Links in the middle of names are followed inside the root, and whiteouts,
 * opaque directories and hard links mean what they mean to layer_tree.
 *
 * Owners and attributes are those that the layers say, whoever asks.
 *
 *	layer_view_new, layer_view_fd or layer_view_image for each layer from the lowest on, layer_view_compare
 *
 * Uses / used by: bk_map, layer_sink, layer_sum / layer_diff.
 */
#ifndef LAYER_VIEW_H
#define LAYER_VIEW_H

#include <stdbool.h>

#include "layer/layer.h"
#include "layer/layer_tar.h"
#include "layer/layer_tree.h"

#define LAYER_VIEW_NODES_MAX ((size_t)4 << 20)		/* names of one view */
#define LAYER_VIEW_MEMORY_MAX ((size_t)1 << 30)		/* of their attributes */
#define LAYER_VIEW_DEPTH_MAX (2 * LAYER_DEPTH_MAX)	/* links may lead deeper than names do */
#define LAYER_VIEW_LINKS_MAX 40				/* followed on one way, as the kernel does */

struct layer_view;

/* What a name leads to. It never changes, so that names and views share it. */
struct layer_file {
	struct layer_attrs attrs;	/* xattrs by their names */
	dev_t rdev;
	uint64_t size;		/* of a regular file */
	const char *link;	/* target of a symbolic link, else NULL */
	const char *sum;	/* of the content (layer_sum.h); NULL: it is empty, or no regular file */
	const struct layer_piece *pieces; /* in place of sum, of a view of places: where the content is in the layer's tar */
	size_t n_pieces;
	unsigned int layer;	/* with them: which, from 1 on */
	bool implied;		/* a directory that no entry names: root's, 0755, of no known time */
};

enum layer_change_what {
	LAYER_CHANGE_TYPE = 1,
	LAYER_CHANGE_CONTENT = 2,
	LAYER_CHANGE_SIZE = 4,
	LAYER_CHANGE_TARGET = 8,
	LAYER_CHANGE_DEVICE = 16,
	LAYER_CHANGE_MODE = 32,
	LAYER_CHANGE_OWNER = 64,
	LAYER_CHANGE_MTIME = 128,
	LAYER_CHANGE_XATTRS = 256,
};

struct layer_change {
	const char *path;		/* "" is the root */
	unsigned int what;		/* of enum layer_change_what, where both are there */
	const struct layer_file *old;	/* NULL: added */
	const struct layer_file *new;	/* NULL: removed */
};

/* A tree that has a root and nothing in it. */
struct layer_view *layer_view_new(void) __attribute__((returns_nonnull));
/* The same tree once more. It shares what names lead to: v must live as long as it. */
struct layer_view *layer_view_copy(const struct layer_view *v) __attribute__((returns_nonnull));
/* One that knows of each file where its content is, and no sum of it. */
struct layer_view *layer_view_new_places(void) __attribute__((returns_nonnull));
void layer_view_free(struct layer_view *v);
BK_DEFINE_AUTO(layer_view, layer_view_free);
#define bk_autolayerview bk_auto(bk_auto_layer_view_)

/* The next layer, from a blob: arguments as layer_apply's, opts is not NULL. After an error v is of no use. */
int layer_view_fd(struct layer_view *v, int fd, const char *digest, const char *diff_id,
		  const struct layer_opts *opts, struct bk_err **err);
/* The next layer: i of the image. */
int layer_view_image(struct layer_view *v, const struct store *s, const struct store_image *image, size_t i,
		     const struct layer_opts *opts, struct bk_err **err);

/*
 * Calls visit for each path at which new differs from old: a directory before what is in it, names in the order of
 * their bytes. Times are not compared where one of the two is implied. Not 0 ends it.
 */
int layer_view_compare(const struct layer_view *old, const struct layer_view *new,
		       int (*visit)(void *ctx, const struct layer_change *c, struct bk_err **err),
		       void *ctx, struct bk_err **err);

#endif
