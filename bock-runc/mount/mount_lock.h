/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel locks the mounts of a tree to each other, and their flags, when they are copied into a mount namespace
 * of another user namespace (mount_namespaces(7)): nobody in there can see what they cover. A detached tree that
 * comes from outside is spared that, so it is copied in this way first.
 */
#ifndef MOUNT_LOCK_H
#define MOUNT_LOCK_H

#include "base/bk_err.h"
#include "mount/mount_opts.h"

/*
 * *tree, a detached recursive bind mount of a directory with all its attributes, is replaced by a copy that is
 * locked for userns, which is not ours and which we have all rights in. Its propagation, of which the copy keeps no
 * more than slaves have, is set as f says. A process does it and has ended when this returns.
 */
int mount_lock_tree(int *tree, int userns, const struct mount_flags *f, const char *dest, struct bk_err **err);

#endif
