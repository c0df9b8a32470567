/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources of bind mounts for a container in a user namespace. Its root is nobody on the host and may not look
 * into folders of mode 700; the runtime may, and opens them as the child sees them: in its mount namespace, so
 * that the mounts keep the flags that are locked there.
 */
#ifndef CONTAINER_SOURCE_H
#define CONTAINER_SOURCE_H

#include <sys/types.h>

#include "init/init_sync.h"
#include "mount/mount_plan.h"

/* Sends op's source; without a descriptor when it can't be opened: the child tries and says why. */
int container_source_send(const struct mount_op *op, pid_t first, int sync, struct bk_err **err);

/* Sends a descriptor (-1: none) that the child waits for. A child that is gone is no error here: it has said why. */
int container_source_push(int sync, enum init_sync letter, int fd, struct bk_err **err);

#endif
