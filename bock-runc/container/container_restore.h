/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restore: a container whose processes criu makes of its images, in the place of container_create. Its cgroup, hooks,
 * network devices and state are made here, as for a new one.
 *
 * criu is the first process that the state knows, in the container's cgroup; its successor takes its place there before
 * it is let go on. So `delete --force` removes whatever a killed restore left.
 */
#ifndef CONTAINER_RESTORE_H
#define CONTAINER_RESTORE_H

#include "container/container_create.h"
#include "container/container_criu.h"

/*
 * Restores what was prepared in r, with p->restore; the processes run when this returns. On failure r is done
 * already.
 */
int container_restore(const struct container_create *p, struct container_created *r, struct bk_err **err);

#endif
