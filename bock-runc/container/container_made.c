/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_made.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "base/bk_stuck.h"
#include "container/container_hooks.h"
#include "container/container_probe.h"
#include "hooks/hooks.h"
#include "init/init_sync.h"
#include "init/init_trace.h"

void container_created_done(struct container_created *r)
{
	bk_close(&r->pidfd);
	bk_close(&r->sync);
	bk_close(&r->master);
	container_sockets_done(&r->sockets);
	container_notify_done(&r->notify);
	container_done(&r->c);
	init_plan_done(&r->plan);
	spec_done(&r->spec);
}

int container_created_owner(struct container_created *r, struct bk_err **err)
{
	r->owner_start = container_probe_self(&r->owner_pid, &r->ignored_signals);
	if (!r->owner_start)
		return bk_err_set(err, BK_ERR_IO, errno, "read '/proc/self/stat'");
	return 0;
}

void container_created_warn_caps(const struct container_created *r)
{
	for (char **cap = r->plan.unknown_caps; r->warnings && cap && *cap; cap++)
		bk_strv_push(r->warnings,
			     bk_asprintf("process.capabilities: '%s' is unknown and ignored", *cap));
}

int container_created_reap(const struct container_created *r, int *ret_status, struct bk_err **err)
{
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED) < 0) {
		if (errno != EINTR)
			return bk_err_set(err, BK_ERR_IO, errno, "wait for the container's process");
	}
	*ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

int container_created_patience(const struct container_created *r)
{
	const struct oci_hooks *h = r->plan.params.exec ? NULL : r->spec.config->hooks;
	int hook_ms = container_wait_ms(r->c.root, INIT_HOOK_TIMEOUT_MS);
	int own = container_wait_ms(r->c.root, CONTAINER_ANSWER_TIMEOUT_MS);
	uint64_t sum = 0;

	/* those that it runs itself, and which the time-outs of hooks are for */
	if (r->endless)
		return -1;
	if (h && __builtin_add_overflow(hooks_may_take(h->create_container, h->n_create_container, hook_ms),
					hooks_may_take(h->start_container, h->n_start_container, hook_ms), &sum))
		return -1;
	return own < 0 || sum > (uint64_t)(INT32_MAX - own) ? -1 : own + (int)sum;
}

int container_created_listen(const struct container_created *r, struct bk_err **err)
{
	int ms = container_created_patience(r);
	const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L };

	if (ms >= 0 && setsockopt(r->sync, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set a time-out for the first process");
	return 0;
}

int container_created_recv(const struct container_created *r, pid_t *ret_pid, int *ret_fd, struct bk_err **err)
{
	bk_autofree char *who = NULL;
	int got = init_sync_recv(r->sync, ret_pid, ret_fd, err);
	int ms;

	if (got != SYNC_TIMEOUT)
		return got;
	ms = container_created_patience(r);
	who = bk_stuck_describe(r->pid);
	got = bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "the %s has not come further for %d.%03d s: %s",
			 r->plan.params.exec ? "process" : "container's first process", ms / 1000, ms % 1000, who);
	return bk_err_hint(err, got, r->plan.seccomp.listener ?
			   "the agent at linux.seccomp.listenerPath must answer what the runtime calls, too" :
			   "what it waits in must let it go on, or be given more time with --timeout");
}

void container_created_kill(struct container_created *r)
{
	siginfo_t info;

	(void)pidfd_send_signal(r->pidfd, SIGKILL, NULL, 0);
	/* one that does not die is left to `delete --force`, which says so */
	if (bk_fd_wait(r->pidfd, POLLIN, container_wait_ms(r->c.root, CONTAINER_KILL_TIMEOUT_MS)) > 0)
		(void)waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED);
	bk_close(&r->pidfd);
}

void container_created_undo(struct container_created *r)
{
	bk_autostrv char **ignored = NULL;

	if (r->pidfd >= 0)
		container_created_kill(r);
	if (r->c.dirfd >= 0)
		(void)container_delete(&r->c, true, &ignored, NULL);
}

int container_created_pid_file(const struct container_created *r, const char *path,
			       struct bk_err **err)
{
	char text[16];
	int n, rc;

	if (!path)
		return 0;
	n = snprintf(text, sizeof(text), "%d", (int)r->pid);
	rc = bk_file_write_atomic(AT_FDCWD, path, text, (size_t)n, 0644, false, err);
	return rc < 0 ? bk_err_wrap(err, rc, "pid file") : 0;
}

int container_created_started(struct container_created *r, struct bk_err **err)
{
	int got = container_created_recv(r, NULL, NULL, err);
	int rc;

	init_trace_flush(r->c.trace);
	if (init_trace_mark(r->c.trace, "execute the program", got) < 0)
		return got;
	bk_close(&r->sync);
	rc = container_hooks_poststart(&r->c, err);
	if (rc < 0)
		(void)container_kill(&r->c, SIGKILL, true, NULL);
	return rc;
}
