/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts of a running container (`mounts add`, `mounts remove`). All of a call are made, or none: what was done
 * before a failure is undone. Directories and files that were made to mount on stay.
 */
#ifndef CONTAINER_MOUNTS_H
#define CONTAINER_MOUNTS_H

#include "container/container.h"

#define CONTAINER_MOUNTS_TEXT_MAX ((size_t)1 << 20)	/* bytes of the list */

/*
 * text is a JSON array of mounts as config.json has them, `what` its name for messages; members that are unknown
 * are an error. c must be locked. A container whose pid namespace others see makes this process start anew from
 * a sealed copy first.
 */
int container_mounts_add(const struct container *c, const char *what, const char *text,
			 struct bk_err **err);

/* Of each mount only the destination matters; the last of the list goes first. */
int container_mounts_remove(const struct container *c, const char *what, const char *text,
			    struct bk_err **err);

#endif
