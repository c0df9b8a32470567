/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts with mapped ids: made in the runtime's namespaces, for a container that exists. */
#ifndef CONTAINER_IDMAP_H
#define CONTAINER_IDMAP_H

#include <sys/types.h>

#include "mount/mount_plan.h"

/* The user namespace of the last one: most mounts of a container have the same mapping. */
struct container_idmap {
	const struct mount_idmap *of;	/* NULL: none yet */
	int userns;
};

#define CONTAINER_IDMAP_INIT { .userns = -1 }

/* Makes op, whose idmap is set, detached; first is the container's first process. */
int container_idmap_make(struct container_idmap *k, const struct mount_op *op, pid_t first,
			 int *ret_tree, struct bk_err **err);
/*
 * A tree with mounts below, made in the runtime's namespaces, is locked to the container's user namespace where that
 * is another one (mount_lock.h). Done by container_idmap_make, too.
 */
int container_idmap_lock(const struct mount_op *op, pid_t first, int *tree, struct bk_err **err);
void container_idmap_done(struct container_idmap *k);

#endif
