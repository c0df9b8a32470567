/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar stream of a layer (codec/bk_tar.h): the same bytes for the same entries.
 *
 * Uses / used by: snap_list / snap_layer.
 */
#ifndef SNAP_TAR_H
#define SNAP_TAR_H

#include "snap/snap_list.h"

/* Where the bytes go: 0, or -kind with *err set, which ends the writing. */
typedef int (*snap_tar_sink)(void *ctx, const void *data, size_t len, struct bk_err **err);

/*
 * Writes a finished list, with the two zero blocks at the end. Content is read from the entries' roots
 * with no link followed; a file whose size is not what it was when it was added is -BK_ERR_IO.
 */
int snap_tar_write(const struct snap_list *l, snap_tar_sink sink, void *ctx, struct bk_err **err);

#endif
