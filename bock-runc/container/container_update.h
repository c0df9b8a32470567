/* SPDX-License-Identifier: Apache-2.0 */
/* `update`: other limits for a container that is there; `events`: what it uses of them. */
#ifndef CONTAINER_UPDATE_H
#define CONTAINER_UPDATE_H

#include "container/container.h"
#include "oci/oci_runtime_linux.h"

/*
 * Adds given to the resources that the container has and writes what changes, all or nothing: the schemata of
 * rdt (NULL: none are given), limits, then the device rules if any are given, then resources.json. c is locked.
 * -BK_ERR_NOT_FOUND "container not running".
 */
int container_update(const struct container *c, const struct oci_resources *given,
		     const struct oci_intel_rdt *rdt, struct bk_err **err);

struct container_events {
	bool once;		/* one "stats" and no more */
	int interval_ms;	/* between two of them */
};

/*
 * Prints events to out_fd, one JSON object a line, until the container has stopped: "stats" after each interval,
 * "oom" when the kernel has killed a process for want of memory.
 */
int container_events(const struct container *c, const struct container_events *p, int out_fd,
		     struct bk_err **err);

#endif
