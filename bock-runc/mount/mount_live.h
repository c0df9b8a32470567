/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts that come and go while a container runs. What a mount shows is opened in the runtime's namespaces and
 * attached by a process in those of the container:
 *
 *	runtime		mount_live_check, mount_live_open
 *	container	mount_live_attach, mount_live_detach, mount_live_remove
 *
 * The container's processes are at work meanwhile: below its root nothing is reached but through bk_root.
 */
#ifndef MOUNT_LIVE_H
#define MOUNT_LIVE_H

#include "mount/mount_plan.h"

/* What can't be had in a running container is refused by name. Pure. */
int mount_live_check(const struct mount_op *op, struct bk_err **err);

/*
 * The detached mount of op, which has no idmap. *ret_tree is -1 for what belongs to the container's own
 * user namespace and is made there, by mount_live_attach.
 */
int mount_live_open(const struct mount_op *op, int *ret_tree, struct bk_err **err);

/* Attaches *tree, which is made first where it is -1. It stays open. */
int mount_live_attach(const struct mount_op *op, int *tree, const struct bk_root *root,
		      struct bk_err **err);

/*
 * Takes away the mount whose root fd is. proc_fd: a procfs of our own pid namespace, through which a mount on a
 * file is named; -1: there is none. Changes the current directory.
 */
int mount_live_detach(int fd, int proc_fd, struct bk_err **err);

/*
 * Takes away the topmost mount on dest. *ret_clone is a detached copy of it, to put it back; -1 where there can
 * be none (of what is unbindable).
 */
int mount_live_remove(const char *dest, const struct bk_root *root, int proc_fd, int *ret_clone,
		      struct bk_err **err);

/* Puts it back. */
int mount_live_restore(const char *dest, int clone, const struct bk_root *root, struct bk_err **err);

#endif
