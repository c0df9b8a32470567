/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving network devices from the caller's network namespace into another, all or none: runtime-spec
 * config-linux.md "Network Devices".
 *
 *	devices -> net_move_check (no side effect) -> net_move -> on failure everything is moved back
 *
 * A device keeps its permanent addresses of global scope and what the kernel keeps (MTU, hardware address, queues,
 * alternative names); it is set up. What the kernel drops when a device is moved (routes, its place in a bridge,
 * other addresses) is not made again there.
 */
#ifndef NET_MOVE_H
#define NET_MOVE_H

#include <stddef.h>

#include "base/bk_err.h"

#define NET_MOVE_MAX	((size_t)4096)	/* devices of one call */

struct net_move {
	const char *device;	/* its name here, or an alternative name of it */
	const char *name;	/* there, "%d" for a number that the kernel finds; NULL: as here */
};

/*
 * Whether moving them would be possible: they exist, none is the loopback device or there twice, the names are
 * free and no two are the same. ns_fd -1: the namespace is not there yet, and only what is here is looked at.
 * The error names the device. The calling thread enters the namespace for a moment.
 */
int net_move_check(int ns_fd, const struct net_move *moves, size_t n, struct bk_err **err);

/*
 * Checks and moves. After a failure the devices that had been moved are back, with name, index, addresses, state and
 * bridge as before (their routes are gone); the error's hint says which could not be moved back.
 */
int net_move(int ns_fd, const struct net_move *moves, size_t n, struct bk_err **err);

#endif
