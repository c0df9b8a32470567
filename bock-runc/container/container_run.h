/* SPDX-License-Identifier: Apache-2.0 */
/* `run` and `restore`: a container from beginning to end in the foreground, or left running. */
#ifndef CONTAINER_RUN_H
#define CONTAINER_RUN_H

#include "container/container_create.h"

/*
 * Creates and starts p (whose terminal and signal members are set here), or restores it (p->restore). Foreground: hands signals
 * and the terminal on, waits, and deletes the container unless keep; *ret_status is the program's exit
 * status (128 + signal). warnings as in container_delete.
 */
int container_run(struct container_create *p, bool detach, bool keep, int *ret_status,
		  char ***warnings, struct bk_err **err);

#endif
