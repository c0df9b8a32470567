/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of `exec`: into the namespaces of a container that is there. */
#include "init/init_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/bk_auto.h"

/*
 * All at once (kernel 5.8): the kernel looks at every permission before it changes anything, and the pidfd
 * can't have become another process's. The pid namespace is entered by children only.
 */
int init_op_enter(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int fd;

	if (setns(c->enter_fd, (int)op->u.flags) < 0) {
		if (errno == ESRCH)
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "container not running");
		return bk_err_set(err, BK_ERR_IO, errno, "setns: enter the container's namespaces");
	}
	bk_close(&c->enter_fd);
	fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open the container's root");
	bk_root_from_fd(&c->root, fd);
	return 0;
}

/* The runtime's own child, in the pid namespace; we end. */
int init_op_fork(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc;

	(void)op;
	/* seen from inside from now on, by processes with our rights */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "hide from other processes");
	rc = init_child_hand_over(c, 0, " in the container's pid namespace", err);
	if (rc < 0)
		return rc;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) /* not inherited */
		return bk_err_set(err, BK_ERR_IO, errno, "set the death signal");
	return 0;
}
