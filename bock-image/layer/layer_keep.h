/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's layers, each unpacked once and kept in the store (store_layers.h). The lowest is written as it is; each
 * other is written into an overlayfs over those below it, so that its tree is what changes, with overlayfs's whiteouts,
 * and what it means is what copying all layers into one directory means: links in the middle of names, hard links to
 * lower files, directories that no entry names.
 *
 * Uses / used by: store, layer_apply, layer_overlay / bundle, cmd.
 */
#ifndef LAYER_KEEP_H
#define LAYER_KEEP_H

#include "layer/layer.h"
#include "layer/layer_overlay.h"
#include "store/store_layers.h"

struct layer_kept {
	struct bk_arena *arena;		/* owns all below */
	enum store_layer_kind kind;
	char **keys;			/* strv, the lowest layer first */
	char **lower;			/* strv for struct layer_overlay: KEY/fs, the topmost first, at last "empty" */
	int layers;			/* the folder that these are in */
	size_t unpacked;		/* how many were not there before */
};

#define LAYER_KEPT_INIT { .layers = -1 }
void layer_kept_done(struct layer_kept *k);
#define bk_autolayerkept bk_auto(layer_kept_done)

/* What a caller with these options keeps: by his user namespace, and whether all files become his. */
enum store_layer_kind layer_keep_kind(const struct layer_opts *opts);

/* Unpacks what is not there. The store must be writable. ret_stats (NULL): of what was unpacked now. */
int layer_keep_image(struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *ret, struct layer_stats *ret_stats, struct bk_err **err);

/*
 * The same where nothing has to be unpacked: *ret_all says whether all layers are there; if not, *ret is as it was. The store
 * must be writable.
 */
int layer_keep_found(const struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *ret, bool *ret_all, struct bk_err **err);

/* Whether all of its layers are there already. */
bool layer_keep_has(const struct store *s, const struct store_image *image, const struct layer_opts *opts);

/* All layers of it, read-only and not attached. */
int layer_keep_mount(const struct layer_kept *k, const char *source, bool attach, int *ret_fd,
		     struct bk_err **err);

/* Gives the empty directory `to` the owner, mode, times and attributes that the directory `from` has. */
int layer_keep_dress(int from, int to, struct bk_err **err);

#endif
