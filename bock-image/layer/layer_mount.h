/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images mounted read-only, from the layers that the store keeps (layer_keep.h): of one layer a bind mount, of more an
 * overlayfs without an upper layer; or as an EROFS of their tars (layer_index.h). Devices in them can't be opened; setuid bits count, as with podman image mount.
 *
 * Uses / used by: store_mounts, layer_index, layer_keep / cmd.
 */
#ifndef LAYER_MOUNT_H
#define LAYER_MOUNT_H

#include <stdbool.h>

#include "layer/layer_keep.h"

/* 0 where this process may mount, else -BK_ERR_PERMISSION that says how one may. */
int layer_mount_may(struct bk_err **err);

/*
 * Mounts the image at the empty directory dir, no symbolic link; where that is NULL in a folder of the store's, and if it
 * is there already in this mount namespace, that counts one more. name is what the caller calls the image. The store must be
 * writable. erofs: in that way; for root of the first user namespace alone. In a user namespace of fewer than 65536 ids all files are the caller's. *ret_path is where it is; heap.
 */
int layer_mount_image(struct store *s, const struct store_image *image, const char *name, const char *dir,
		      bool erofs, const struct layer_opts *opts, char **ret_path, struct bk_err **err);

#endif
