/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: network devices of the runtime's namespace are moved into the container's. bock-net does it,
 * which links a netlink library; here it is executed.
 */
#ifndef CONTAINER_NET_H
#define CONTAINER_NET_H

#include "container/container_made.h"

#define CONTAINER_NET_TIMEOUT_MS 60000	/* for bock-net to be done with all devices */

/*
 * Before any side effect: the helper is there, and moving is possible as far as it can be known (the namespace to
 * come of a container has no device but lo).
 */
int container_net_check(const struct container_created *r, struct bk_err **err);

/* Moves them, all or none; the child is in its network namespace, and waits. */
int container_net_move(const struct container_created *r, struct bk_err **err);

#endif
