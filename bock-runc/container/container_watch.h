/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The watcher of a foreground run: a process of its own that deletes the container when bock-runc is
 * killed (SIGKILL, or by the kernel for want of memory) and can't do so itself.
 *
 *	container_watch_begin(root, id, pid, start, &w, err);	before the first side effect
 *	...
 *	container_watch_end(&w);			nothing is left to watch for
 */
#ifndef CONTAINER_WATCH_H
#define CONTAINER_WATCH_H

#include "container/container.h"

struct container_watch {
	int pipe;	/* its other end is the watcher's; closed without a word it means that we died */
};

#define CONTAINER_WATCH_INIT { .pipe = -1 }

/*
 * Starts the watcher of the container that `owner`, this process, begun at `start`, makes.
 * It leaves our session and keeps none of our descriptors.
 */
int container_watch_begin(const struct container_root *root, const char *id, pid_t owner,
			  uint64_t start, struct container_watch *ret, struct bk_err **err);

/* Dismisses it. */
void container_watch_end(struct container_watch *w);

/* Leaves to it what may be there still. */
void container_watch_abandon(struct container_watch *w);

#endif
