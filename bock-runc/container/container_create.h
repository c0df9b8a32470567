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

#include "container/container_made.h"
#include "container/container_service.h"

struct container_criu_opts;

struct container_create {
	const struct container_root *root;
	const char *id;
	const char *bundle;		/* NULL: the current directory */
	const char *config_path;	/* NULL: config.json of the bundle */
	const char *console_socket;	/* NULL: none */
	const char *pid_file;		/* NULL: none */
	const char *pidfd_socket;	/* NULL: none, but for the annotation */
	uint32_t preserve_fds;		/* beside those of service */
	struct container_service service;
	bool no_new_keyring;
	const struct cgroup_manager *manager; /* who makes the cgroup; NULL: nobody */
	bool cgroup_needed;		/* a user without a delegated one is refused */
	bool cgroup_optional;		/* root, too, runs without one where none may be made */
	bool no_pivot;
	bool wait_start;		/* create */
	bool own_terminal;		/* foreground run: the pty's master comes to us */
	bool die_with_runtime;		/* foreground run */
	int watch_fd;			/* foreground run: not for the child to hold open; 0: none */
	const sigset_t *signal_mask;	/* for the child to restore; NULL: as it is */
	struct init_trace *trace;	/* NULL: none */
	const struct container_criu_opts *restore; /* container_restore; NULL: it is made anew */
	char ***warnings;		/* strv that what is ignored is appended to; NULL: nobody asks */
};

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

/* --preserve-fds: descriptors 3 to 3 + n - 1 are there, and the caller's; "please check that preserved-fd ...". */
int container_check_preserved(uint32_t n, struct bk_err **err);

#endif
