/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's end of sd_notify(3): a socket in the state folder, whose folder is bound to /run/notify in
 * the container, and the service manager's socket on the host. Of all that a container may say one thing is
 * handed on, and once: that it is ready. It can't make the runtime tell the manager anything else.
 *
 *	container_notify_connect(NOTIFY_SOCKET, &n, err);	before anything is made
 *	container_notify_folder(dirfd, err);			create, and run
 *	container_notify_bind(dirfd, &n, err);			start, and run: before the program runs
 *	container_notify_wait(&n, pidfd, pid, &warnings);	start, and run --detach
 *	container_notify_turn(&n);				run: when n.sock is readable
 *	container_notify_done(&n);
 */
#ifndef CONTAINER_NOTIFY_H
#define CONTAINER_NOTIFY_H

#include <sys/types.h>

#include "base/bk_err.h"

#define CONTAINER_NOTIFY_FOLDER "notify"
#define CONTAINER_NOTIFY_SOCKET "notify.sock"
#define CONTAINER_NOTIFY_MAX 4096		/* bytes of a message; what is longer is thrown away */
#define CONTAINER_NOTIFY_WAIT_MS (60 * 60 * 1000)	/* until the container says that it is ready */
#define CONTAINER_NOTIFY_BARRIER_MS 30000	/* until the manager has read what we sent */

struct container_notify {
	int sock;	/* the container's messages; -1: it says nothing to us */
	int host;	/* the manager; -1: nobody wants to know */
};

#define CONTAINER_NOTIFY_INIT { .sock = -1, .host = -1 }

/* name: an absolute path, or an abstract name behind '@'. */
int container_notify_connect(const char *name, struct container_notify *ret, struct bk_err **err);

/* The folder below the open state folder of a container. */
int container_notify_folder(int dirfd, struct bk_err **err);

/* Listens in it. Nothing where there is no such folder: the container was made without. */
int container_notify_bind(int dirfd, struct container_notify *n, struct bk_err **err);

/*
 * Waits until the container is ready or has ended. Then the manager gets READY=1, MAINPID=pid and, to be sure
 * that it knows the pid before we end, a barrier. timeout_ms: for each in place of the times above; 0: those,
 * -1: for ever. What fails here is a warning: the container runs.
 */
void container_notify_wait(struct container_notify *n, int pidfd, pid_t pid, int timeout_ms, char ***warnings);

/*
 * Takes one message, without waiting, for a runtime that stays and is the manager's main process itself. What
 * comes after READY=1 is taken too, so that no sender waits or fails.
 */
void container_notify_turn(struct container_notify *n);

void container_notify_done(struct container_notify *n);

#endif
