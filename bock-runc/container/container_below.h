/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container without a mount namespace (init_plan.host_mounts): its mounts are in the runtime's, and are to
 * be gone when it is.
 */
#ifndef CONTAINER_BELOW_H
#define CONTAINER_BELOW_H

#include "container/container_made.h"

/*
 * Before anything is made: nothing may be mounted below the root file system, since what is there is unmounted
 * when the container is deleted; and a root that is to be read-only must be so already.
 */
int container_below_check(const struct spec *spec, struct bk_err **err);

/* Fills what the state says of it, for whoever deletes the container. */
int container_below_state(struct container_created *r, struct bk_err **err);

/* Whether the mount namespace that the container is in is ours. */
bool container_below_is_ours(const struct container *c);

/*
 * Unmounts all of it. In another mount namespace than the container's that can't be done: an error, or with
 * force a warning.
 */
int container_below_remove(const struct container *c, bool force, char ***warnings, struct bk_err **err);

#endif
