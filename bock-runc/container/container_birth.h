/* SPDX-License-Identifier: Apache-2.0 */
/* The stage RUNTIME of a plan, and the conversation with the child; a part of container_create. */
#ifndef CONTAINER_BIRTH_H
#define CONTAINER_BIRTH_H

#include "cgroup/cgroup.h"
#include "container/container_idmap.h"
#include "container/container_made.h"
#include "init/init_child.h"

struct container_birth {
	struct init_child child;	/* what the child gets at the clone */
	struct sec_bpf bpf;
	struct container_idmap idmap;
	int cgroup_fd;
	int watch_fd;			/* container_create's */
	int sync_child;			/* the child's end, ours to close after the clone */
};

/* b refers to r, which must stay where it is until container_birth_done. */
void container_birth_init(struct container_birth *b, struct container_created *r);
void container_birth_done(struct container_birth *b);

/* Executes the stage; returns when the child is ready and waits to be let go. */
int container_birth_run(struct container_created *r, struct container_birth *b, struct bk_err **err);

/* The parts of it that `exec` has too: the filter, the clone, and the talk until the child is ready. */
int container_birth_seccomp(struct container_created *r, struct container_birth *b,
			    struct bk_err **err);
int container_birth_clone(struct container_created *r, struct container_birth *b,
			  struct bk_err **err);
int container_birth_converse(struct container_created *r, const struct container_birth *b,
			     struct bk_err **err);

/*
 * And those that a restore has too: the cgroup (into the state first; *ret_fd stays as it is where there is none),
 * its limits and devices, and the hooks prestart and createRuntime of r->pid.
 */
int container_birth_cgroup(struct container_created *r, int *ret_fd, struct bk_err **err);
int container_birth_limits(struct container_created *r, int cgroup_fd, struct bk_err **err);
int container_birth_devices(struct container_created *r, int cgroup_fd, struct bk_err **err);
int container_birth_hooks(struct container_created *r, const struct init_hooks_output *output,
			  struct bk_err **err);

/* Takes the child over from the intermediate process (plan.joins_user, OP_FORK). */
int container_birth_adopt(struct container_created *r, struct bk_err **err);

/*
 * Lets the child go on. wait (create): until it no longer dies with us, which it says by closing its end.
 */
int container_birth_release(struct container_created *r, bool wait, struct bk_err **err);

#endif
