/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>

#include "base/bk_auto.h"
#include "cgroup/cgroup.h"
#include "container/container.h"
#include "sys/sys_words.h"

static int open_cgroup(const struct container *c, int *ret_fd, struct bk_err **err)
{
	struct cgroup_host host;

	if (!c->state.cgroup)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "the container has no cgroup");
	cgroup_find(&host);
	return cgroup_open(&host, c->state.cgroup, ret_fd, err);
}

/* Other signals than KILL have no call for a whole cgroup. Processes may end meanwhile. */
static int signal_each(int cgroup, int sig, struct bk_err **err)
{
	bk_autofree pid_t *pids = NULL;
	size_t n = 0;
	int rc = cgroup_procs(cgroup, true, &pids, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		/* 0 stands for processes of other pid namespaces, and to kill(2) for our own group */
		if (pids[i] > 0 && kill(pids[i], sig) < 0 && errno != ESRCH)
			rc = bk_err_set(err, BK_ERR_IO, errno, "signal process %d", (int)pids[i]);
	}
	return rc;
}

static int signal_all(const struct container *c, int sig, struct bk_err **err)
{
	bk_autoclose int cgroup = -1;
	int rc = open_cgroup(c, &cgroup, err);

	if (rc < 0)
		return rc;
	return sig == SIGKILL ? cgroup_kill(cgroup, err) : signal_each(cgroup, sig, err);
}

/*
 * One SIGKILL for the first process is not enough: the others of a shared pid namespace live on, and in a frozen
 * cgroup what `exec` is about to bring into the pid namespace, which can't end before that does.
 */
static bool needs_all(const struct container *c)
{
	struct cgroup_host host;
	bool frozen = false;

	if (c->state.shared_pid_ns)
		return true;
	cgroup_find(&host);
	return cgroup_is_frozen(&host, c->state.cgroup, &frozen, NULL) == 0 && frozen;
}

int container_kill(const struct container *c, int sig, bool all, struct bk_err **err)
{
	bk_autoclose int pidfd = -1;
	struct bk_err *why = NULL;
	int rc;

	rc = container_pidfd(c, &pidfd, &why);
	if (rc == -BK_ERR_NOT_FOUND && all)
		bk_err_clear(&why);
	else if (rc < 0)
		bk_err_move(err, why);
	if (rc < 0 && rc != -BK_ERR_NOT_FOUND)
		return rc;
	if (c->state.cgroup && (all || (rc == 0 && sig == SIGKILL && needs_all(c)))) {
		struct bk_err *e = NULL;
		int all_rc = signal_all(c, sig, &e);

		if (all_rc == 0)
			return 0;
		if (all_rc != -BK_ERR_NOT_FOUND) {
			bk_err_move(err, e);
			return all_rc;
		}
		bk_err_clear(&e);
	}
	if (rc < 0)
		return all ? 0 : rc;
	if (pidfd_send_signal(pidfd, sig, NULL, 0) < 0) {
		if (errno == ESRCH)
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
		return bk_err_set(err, BK_ERR_IO, errno, "send signal %d", sig);
	}
	return 0;
}
