/* SPDX-License-Identifier: Apache-2.0 */
/* A container in the hands of the process that makes it: what container_create returns. */
#ifndef CONTAINER_MADE_H
#define CONTAINER_MADE_H

#include "cgroup/cgroup_manager.h"
#include "container/container.h"
#include "container/container_notify.h"
#include "container/container_sockets.h"
#include "init/init_plan.h"
#include "rdt/rdt.h"

struct container_created {
	struct spec spec;
	struct init_plan plan;
	struct cgroup_host host;
	struct cgroup_place place;	/* of the cgroup to be made; manager NULL: none is */
	struct rdt rdt;		/* linux.intelRdt (container_rdt) */
	struct container c;
	pid_t owner_pid;	/* the making process, and its start time as /proc/PID/stat has it */
	uint64_t owner_start;
	uint64_t ignored_signals; /* of the making process, from its caller (container_probe_self) */
	pid_t pid;
	int pidfd;
	int sync;	/* run: closed by the child's execve, or the error why not */
	int master;	/* the pty, -1: none */
	struct container_notify notify;
	struct container_sockets sockets; /* whom it is announced to */
	bool endless;		/* exec in a paused container: its process answers when that is resumed */
	char ***warnings;	/* strv for what is left out; NULL: nobody asks */
	struct tty_proxy *proxy; /* of a foreground run: takes the master before the program starts */
};

#define CONTAINER_CREATED_INIT                                                      \
	{ .c = CONTAINER_INIT, .pid = -1, .pidfd = -1, .sync = -1, .master = -1, \
	  .sockets = CONTAINER_SOCKETS_INIT, .notify = CONTAINER_NOTIFY_INIT }

/* Who makes it: we do. */
int container_created_owner(struct container_created *r, struct bk_err **err);

/* config.md: an unknown capability is to be ignored, and that is to be told. */
void container_created_warn_caps(const struct container_created *r);

/* run: waits until the child has executed its program, and runs the poststart hooks. */
int container_created_started(struct container_created *r, struct bk_err **err);

/* --pid-file: replaces the file at path (NULL: none) as a whole, with the pid and no newline. */
int container_created_pid_file(const struct container_created *r, const char *path,
			       struct bk_err **err);

/*
 * init_sync_recv() from the first process, whom that must not take longer than CONTAINER_ANSWER_TIMEOUT_MS
 * (container_created_listen) and what its hooks may take: the error says what it waits in.
 */
int container_created_recv(const struct container_created *r, pid_t *ret_pid, int *ret_fd, struct bk_err **err);
/* Sets the time-out on r->sync. */
int container_created_listen(const struct container_created *r, struct bk_err **err);
/* How long that is; -1: for ever. */
int container_created_patience(const struct container_created *r);

/* Undoes a creation: kills, deletes, runs poststop. Best effort; what fails is left for delete --force. */
void container_created_undo(struct container_created *r);

/* Closes and frees; the container lives on. */
void container_created_done(struct container_created *r);

/* Waits for the end of the process; *ret_status is its exit status, 128 and the signal if one ended it. */
int container_created_reap(const struct container_created *r, int *ret_status, struct bk_err **err);

/* Kills and reaps the first process. */
void container_created_kill(struct container_created *r);

#endif
