/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: criu writes the processes of a container to a folder of images. The container keeps its lock
 * meanwhile. If criu or we die in the middle the processes go on; frozen ones are thawed.
 */
#ifndef CONTAINER_CHECKPOINT_H
#define CONTAINER_CHECKPOINT_H

#include "container/container.h"
#include "container/container_criu.h"

/*
 * A container that runs or is paused; c is locked. It is deleted when its processes are in the images, unless
 * leave_running or pre_dump: what fails of that is appended to warnings (strv).
 */
int container_checkpoint(struct container *c, const struct container_criu_opts *o, char ***warnings,
			 struct bk_err **err);

#endif
