/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detached mounts: made, given all that they are to have, and only then attached with move_mount(2). They
 * can be made in other namespaces than those they are attached in.
 */
#ifndef MOUNT_TREE_H
#define MOUNT_TREE_H

#include "mount/mount_plan.h"

/*
 * A clone of the mount at source, with those below for rbind, that has no options yet. opened: source, by
 * whoever may open it; -1: by us.
 */
int mount_tree_bind(const struct mount_op *op, const char *source, int opened, int *ret_fd,
		    struct bk_err **err);

/*
 * A new file system of that type, with the options of the superblock, data (NULL: none) and the attributes
 * of the mount. writable: whatever the options say, it is not read-only yet.
 */
int mount_tree_new(const struct mount_op *op, const char *type, const char *data, bool writable,
		   int *ret_fd, struct bk_err **err);

/* Attributes of the mount fd, of those below (r...), and propagation. */
int mount_tree_attrs(const struct mount_flags *f, int fd, const char *dest, struct bk_err **err);

/* What a remount changes of the superblock that is mounted at fd: only what the options name. */
int mount_tree_reconfigure(const struct mount_flags *f, int fd, const char *dest,
			   struct bk_err **err);

/* Maps its ids as userns does (mount_setattr(2), MOUNT_ATTR_IDMAP). */
int mount_tree_idmap(const struct mount_op *op, int fd, int userns, struct bk_err **err);

/* Attaches it to the open target. */
int mount_tree_attach(const struct mount_op *op, int fd, int target, struct bk_err **err);

#endif
