/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_stuck.h"
#include "container/container.h"
#include "container/container_hooks.h"
#include "container/container_notify.h"
#include "init/init_trace.h"
#include "sys/sys_words.h"

static int check_status(const struct container *c, struct bk_err **err)
{
	enum oci_status status;
	int rc = container_status(c, &status, NULL, err);

	if (rc < 0)
		return rc;
	if (status == OCI_CREATED) /* which it remains */
		return c->state.no_process ? bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_NO_PROCESS) : 0;
	if (status == OCI_STOPPED)
		return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_START_STOPPED);
	if (status == OCI_RUNNING)
		return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_START_RUNNING);
	return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_START_STATE,
			  container_status_name(status));
}

/* Nobody listens any more, or has gone away without a word: that says what has happened. */
static int killed_or(int rc, struct bk_err *e, struct bk_err **err)
{
	if (bk_err_errno(e) != ECONNRESET && bk_err_errno(e) != ECONNREFUSED) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	return bk_err_set(err, BK_ERR_IO, 0, "its process was killed before it ran the program");
}

static int answer(const struct container *c, int sock, struct bk_err **err)
{
	int ms = container_wait_ms(c->root, CONTAINER_ANSWER_TIMEOUT_MS);
	uint64_t hooks = c->state.start_hooks_ms;
	bk_autofree char *who = NULL;
	int rc;

	ms = ms < 0 || hooks > (uint64_t)(INT32_MAX - ms) ? -1 : ms + (int)hooks;
	rc = bk_fd_wait(sock, POLLIN, ms);
	if (rc != 0)
		return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "wait for the first process") : bk_err_recv(sock, err);
	who = bk_stuck_describe(c->state.pid);
	rc = bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "the container's first process does not answer for %d.%03d s: %s",
			ms / 1000, ms % 1000, who);
	return bk_err_hint(err, rc, "it may be stopped, or its cgroup frozen by others; it can't be started again, but "
			   "deleted by force");
}

/* Calls the container's first process; its end of the connection closes by execve. */
static int call(const struct container *c, struct bk_err **err)
{
	bk_autoclose int sock = -1;
	struct bk_err *e = NULL;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/" CONTAINER_SOCKET, c->dirfd);
	rc = bk_fd_unix_connect(path, &sock, &e);
	if (rc < 0)
		return killed_or(rc, e, err);
	/* at once: should we be killed now, a container that runs must not be taken for a created one */
	if (unlinkat(c->dirfd, CONTAINER_SOCKET, 0) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "remove '%s'", CONTAINER_SOCKET);
	rc = answer(c, sock, &e);
	return rc < 0 ? killed_or(rc, e, err) : rc;
}

static int start(struct container *c, struct bk_err **err)
{
	int rc = call(c, err);

	if (init_trace_mark(c->trace, "execute the program", rc) < 0)
		return rc;
	rc = container_hooks_poststart(c, err);
	if (rc < 0) /* runtime.md "Lifecycle": a failed poststart stops the container */
		(void)container_kill(c, SIGKILL, true, NULL);
	return rc;
}

static int start_and_wait(struct container *c, const char *notify, char ***warnings,
			  struct bk_err **err)
{
	bk_auto(container_notify_done) struct container_notify n = CONTAINER_NOTIFY_INIT;
	bk_autoclose int pidfd = -1;
	int rc = container_notify_connect(notify, &n, err);

	if (rc == 0)
		rc = container_notify_bind(c->dirfd, &n, err);
	if (rc == 0)
		rc = container_pidfd(c, &pidfd, err);
	if (rc == 0)
		rc = start(c, err);
	if (rc < 0)
		return rc;
	container_unlock(c); /* who gets tired of waiting can kill it */
	container_notify_wait(&n, pidfd, c->state.pid, c->root->timeout_ms, warnings);
	return 0;
}

int container_start(struct container *c, const char *notify, char ***warnings, struct bk_err **err)
{
	int rc = init_trace_mark(c->trace, "check the status", check_status(c, err));

	if (rc < 0)
		return rc;
	return notify ? start_and_wait(c, notify, warnings, err) : start(c, err);
}
