/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes by pidfd, with time-outs. A spawned program gets exactly the argv, environment,
 * directory and descriptors named here: everything else is closed.
 */
#ifndef BK_PROC_H
#define BK_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"

struct bk_proc {
	pid_t pid;
	int pidfd;
};

#define BK_PROC_INIT { .pid = -1, .pidfd = -1 }

struct bk_proc_spec {
	const char *path;	/* absolute, or a name looked up in our PATH */
	char *const *argv;
	char *const *env;	/* NULL: ours; empty vector: none */
	const char *cwd;	/* NULL: ours */
	int stdin_fd;		/* -1: /dev/null; the fd stays the caller's */
	int stdout_fd;		/* -1: ours */
	int stderr_fd;		/* -1: ours */
	const int *keep_fds;	/* passed on under the same numbers (>= 3) */
	size_t n_keep_fds;
	/* bk_proc_run: output that does not fit pushes out what came before, and is no error */
	bool keep_latest;
	bool no_new_privs;	/* it and what it executes gain no rights from files */
	int death_signal;	/* sent to it by the kernel when our thread ends, before it was executed, too; 0: none */
};

/*
 * Starts it: returns when the program has been executed, with all signals at their defaults and
 * none blocked. An exec failure is reported here, as BK_ERR_NOT_FOUND for ENOENT: "execute 'x': No
 * such file or directory". Empty and relative parts of PATH are passed over.
 */
int bk_proc_spawn(const struct bk_proc_spec *spec, struct bk_proc *ret, struct bk_err **err);

/*
 * Waits at most timeout_ms (-1: for ever), reaps, closes the pidfd. *ret_status is as waitpid's.
 * On time-out the process is killed and reaped, and the error is -BK_ERR_IO with ETIMEDOUT.
 */
int bk_proc_wait(struct bk_proc *p, int timeout_ms, int *ret_status, struct bk_err **err);

/* Exit status as a shell says it: code, or 128 + signal. */
int bk_proc_exit_code(int status);

/*
 * Runs to its end, which is not that of what it left running behind it: feeds `input` on stdin (SIGPIPE and EPIPE are no error), collects stdout in out
 * and stderr in errout (each NULL: as spec says; the same one twice: both in order). Without input
 * (NULL) stdin is as spec says. timeout_ms as in bk_proc_wait, for the whole run. Output that does not
 * fit its buffer is an error, and the process is killed.
 */
int bk_proc_run(const struct bk_proc_spec *spec, const void *input, size_t input_len,
		struct bk_buf *out, struct bk_buf *errout, int timeout_ms, int *ret_status,
		struct bk_err **err);

/*
 * Gives a signal its default action: any, those too that the C library keeps to itself and refuses to
 * change. Async-signal-safe; KILL and STOP have it anyway.
 */
void bk_proc_default_signal(int sig);

/* Field 22 of /proc/PID/stat: with the pid it names a process for ever. 0 ticks are never valid. */
int bk_proc_start_time(pid_t pid, uint64_t *ret_ticks, struct bk_err **err);

#endif
