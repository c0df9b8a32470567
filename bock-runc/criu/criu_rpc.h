/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A criu of our own, spoken to by its RPC: `criu swrk FD` over a socket pair, one process for one dump or restore.
 * Nothing of criu is linked.
 *
 *	criu_start(&how, &c, err);		executes it and asks for its version
 *	criu_check_features(&c, ...);		where they are needed
 *	criu_call(&c, req, notify, arg, &pid, err);	the act; criu has ended when this returns 0
 *	criu_end(&c);				on every path
 *
 * Whoever is killed in between leaves a criu that reads the end of its socket, fails, and takes back what it did.
 */
#ifndef CRIU_RPC_H
#define CRIU_RPC_H

#include "base/bk_proc.h"
#include "criu/criu_msg.h"

#define CRIU_PROGRAM "criu"
/* external pid namespaces, notification when lazy pages can be asked for, the freezer of cgroup version 2 */
#define CRIU_VERSION_MIN 31500
#define CRIU_VERSION_LSM 31600		/* another profile, another mount context */
#define CRIU_START_TIMEOUT_MS 30000	/* to say its version or its features, and to end when all is done */
#define CRIU_SILENCE_MS 600000		/* in an act: without a message and without using a processor */

struct criu_how {
	const char *program;	/* NULL: CRIU_PROGRAM, looked for in PATH */
	const int *fds;		/* passed on under the same numbers, beside 0, 1 and 2, which are ours */
	size_t n_fds;
	int silence_ms;		/* 0: CRIU_SILENCE_MS; -1: it may be silent for ever */
};

struct criu {
	struct bk_proc proc;
	int sock;
	int silence_ms;
	int version;		/* 10000 * major + 100 * minor + sublevel */
};

#define CRIU_INIT { .proc = BK_PROC_INIT, .sock = -1 }

/* What criu tells while it works; answering it lets it go on. */
struct criu_event {
	const char *script;	/* "post-restore", ... */
	pid_t pid;		/* 0: none */
	int *fd;		/* the descriptor that came with it, -1: none; who keeps it sets it to -1 */
};

typedef int criu_notify_fn(void *arg, const struct criu_event *e, struct bk_err **err);

/*
 * Errors: -BK_ERR_NOT_FOUND: no such program, with a hint; -BK_ERR_UNSUPPORTED: older than CRIU_VERSION_MIN; it died,
 * answered what is no answer, or nothing.
 */
int criu_start(const struct criu_how *how, struct criu *ret, struct bk_err **err);

/* -BK_ERR_UNSUPPORTED names what this criu, or this kernel, can't do of what is set in want. */
int criu_check_features(struct criu *c, const struct criu_features *want, struct bk_err **err);

/*
 * Sends a request and serves notifications (NULL: all are accepted) until the answer. If notify fails criu is told,
 * and the error is notify's. *ret_pid (may be NULL): of a restored process tree's root.
 */
int criu_call(struct criu *c, struct criu_req *req, criu_notify_fn *notify, void *arg, pid_t *ret_pid,
	      struct bk_err **err);

/* Closes; a criu that does not end by that is killed. */
void criu_end(struct criu *c);
#define bk_autocriu bk_auto(criu_end)

#endif
