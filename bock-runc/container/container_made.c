/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_made.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "container/container_hooks.h"
#include "container/container_probe.h"
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

void container_created_kill(struct container_created *r)
{
	siginfo_t info;

	(void)pidfd_send_signal(r->pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
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
	int got = init_sync_recv(r->sync, NULL, NULL, err);
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
