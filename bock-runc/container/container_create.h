/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container: the stage RUNTIME of a plan, and the conversation with the child that executes the
 * others. Used by `create` (the child then waits for `start`) and `run` (it is let go at once).
 *
 * When anything fails, everything that was made is undone, and what can't be is left in the state
 * folder for `delete --force`.
 */
#ifndef CONTAINER_CREATE_H
#define CONTAINER_CREATE_H

#include <signal.h>

#include "container/container.h"
#include "init/init_plan.h"

struct container_create {
	const struct container_root *root;
	const char *id;
	const char *bundle;		/* NULL: the current directory */
	const char *config_path;	/* NULL: config.json of the bundle */
	const char *console_socket;	/* NULL: none */
	const char *pid_file;		/* NULL: none */
	uint32_t preserve_fds;
	bool no_new_keyring;
	bool wait_start;		/* create */
	bool own_terminal;		/* foreground run: the pty's master comes to us */
	bool die_with_runtime;		/* foreground run */
	int watch_fd;			/* foreground run: not for the child to hold open; 0: none */
	const sigset_t *signal_mask;	/* for the child to restore; NULL: as it is */
};

struct container_created {
	struct spec spec;
	struct init_plan plan;
	struct container c;
	pid_t pid;
	int pidfd;
	int sync;	/* run: closed by the child's execve, or the error why not */
	int master;	/* the pty, -1: none */
};

#define CONTAINER_CREATED_INIT { .c = CONTAINER_INIT, .pid = -1, .pidfd = -1, .sync = -1, .master = -1 }

/*
 * Compiles the plan alone: what --dry-run prints. No side effect. r begins as CONTAINER_CREATED_INIT and
 * must not move afterwards (its plan refers to its spec); container_created_done frees it.
 */
int container_plan(const struct container_create *p, struct container_created *r,
		   struct bk_err **err);

/*
 * The plan, and what else can be checked before anything is made; where the plan wants the runtime
 * sealed, this process starts anew from a sealed copy. On failure r is done already.
 */
int container_prepare(const struct container_create *p, struct container_created *r,
		      struct bk_err **err);

/*
 * Makes the container that was prepared in r; the child has been told to go on when this returns. On
 * failure r is done already.
 */
int container_create(const struct container_create *p, struct container_created *r,
		     struct bk_err **err);

/* run: waits until the child has executed its program, and runs the poststart hooks. */
int container_created_started(struct container_created *r, struct bk_err **err);

/* Undoes a creation: kills, deletes, runs poststop. Best effort; what fails is left for delete --force. */
void container_created_undo(struct container_created *r);

/* Closes and frees; the container lives on. */
void container_created_done(struct container_created *r);

#endif
