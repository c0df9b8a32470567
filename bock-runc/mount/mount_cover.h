/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file system that is the container's root: the first of the mounts with the destination "/", as bundles have it
 * whose layers are mounted by overlayfs. root.path is where it is attached; the next may refer to that.
 */
#ifndef MOUNT_COVER_H
#define MOUNT_COVER_H

#include "mount/mount_plan.h"

/*
 * Mounts op, of kind MOUNT_ROOT, over *root, which is what lies on top at rootfs (as in mount_root.h); *root is the
 * new file system afterwards. Options with a value of more than 255 bytes go by mount(2), which takes MOUNT_DATA_MAX
 * in all; others by fsconfig(2).
 */
int mount_cover(const struct mount_op *op, const char *rootfs, struct bk_root *root, struct bk_err **err);

#endif
