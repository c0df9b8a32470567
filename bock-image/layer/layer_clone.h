/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of its own from kept layers (layer_keep.h): names are made again, the lowest layer first, and files share their
 * blocks with the store's until one of the two is written to (FICLONE: btrfs, xfs, bcachefs).
 *
 * Uses / used by: layer_keep / bundle.
 */
#ifndef LAYER_CLONE_H
#define LAYER_CLONE_H

#include "layer/layer_keep.h"

/*
 * Whether files of the folder `from` can share their blocks with files of `to`: 0, or -BK_ERR_UNSUPPORTED. Nothing is left
 * in either.
 */
int layer_clone_probe(int from, int to, struct bk_err **err);

/*
 * Fills root, which is empty, with all layers of k. may_copy: where blocks can't be shared they are copied
 * (copy_file_range(2), holes stay holes), else that is -BK_ERR_UNSUPPORTED. What has no place in a tree, sockets, is left
 * out. An ordinary user's own files that their mode closes to him can't be read: -BK_ERR_PERMISSION.
 */
int layer_clone(const struct layer_kept *k, const struct bk_root *root, bool may_copy, struct bk_err **err);

#endif
