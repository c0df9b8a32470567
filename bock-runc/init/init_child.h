/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child: executes the stages CONTAINER and PROCESS of a plan, from clone3 to execve. It is single-
 * threaded, has the runtime's memory as it was at the clone, and reports an error as one message.
 */
#ifndef INIT_CHILD_H
#define INIT_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bk_root.h"
#include "init/init_hooks.h"
#include "init/init_plan.h"
#include "oci/oci_state.h"
#include "sec/sec_seccomp.h"

struct init_trace;

struct init_child {
	/* set by the runtime before the clone */
	const struct init_plan *plan;
	const struct sec_bpf *bpf;
	int sync;		/* our end of the pair */
	int listen_fd;		/* create: the socket on which `start` calls; -1: run, exec */
	int enter_fd;		/* exec: pidfd of the container's first process; else -1 */
	int console_sock;	/* where the pty's master goes; -1: to the runtime */
	bool die_with_parent;	/* foreground run */
	bool new_keyring;
	bool restore_mask;	/* to signal_mask, before execve */
	sigset_t signal_mask;
	struct init_hooks_output hooks_output;
	struct init_trace *trace;	/* NULL: none */
	uint64_t ignored_signals;	/* bit N - 1: signal N, to be not ignored any more */
	/* the child's own */
	struct bk_root root;
	int join_fds[OCI_NS_MAX_];
	int proc_fd, host_proc, conn, notify_fd;
	bool setgroups_denied;	/* by the user namespace */
	bool in_cwd;		/* process.cwd was entered before the change of user */
	mode_t umask;
	char **env;
	char *program;
};

/* All descriptors -1. */
void init_child_init(struct init_child *c);

/*
 * Executes the plan; returns only by execve or _exit(1). In a plan that joins a user namespace it is
 * called in the intermediate process, which clones the child as a sibling of itself.
 */
_Noreturn void init_child_run(struct init_child *c);

/*
 * Clones (flags: CLONE_NEW*) a sibling of this process, tells the runtime of it (SYNC_PID) and ends. Returns in the
 * sibling, when the runtime's word of it is on its way; or with an error in this process. where is for its message.
 */
int init_child_hand_over(const struct init_child *c, uint64_t flags, const char *where, struct bk_err **err);

/* The state of the container in a plan; borrows from it. */
struct oci_state init_state(const struct init_plan *p, int status, pid_t pid);

/* The state document (runtime.md "State") of the container in a plan, for hooks. status: enum oci_status. */
int init_state_json(const struct init_plan *p, int status, pid_t pid, struct bk_buf *out,
		    struct bk_err **err);

/* One operation; init_ops.c. */
int init_op_run(struct init_child *c, const struct init_op *op, struct bk_err **err);

/* Why execve of the container's program failed, in runc's words where callers match them. */
int init_exec_error(const char *program, int errnum, struct bk_err **err);

/* Waits for one message from the runtime; the runtime being gone is an error. */
int init_child_wait(struct init_child *c, int want, struct bk_err **err);
/* The same, and the descriptor that comes with it. */
int init_child_receive(struct init_child *c, int want, int *ret_fd, struct bk_err **err);


#endif
