/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of entries becomes a blob of the store.
 *
 * Uses / used by: snap_tar, layer_out / step.
 */
#ifndef SNAP_LAYER_H
#define SNAP_LAYER_H

#include "layer/layer_out.h"
#include "snap/snap_list.h"

/*
 * Finishes the list (times clamped to max_mtime) and writes it, compressed by gzip. *ret_written is
 * false, and nothing is stored, if the list is empty.
 */
int snap_layer_write(struct snap_list *l, int64_t max_mtime, struct store *s,
		     struct layer_info *ret, bool *ret_written, struct bk_err **err);

#endif
