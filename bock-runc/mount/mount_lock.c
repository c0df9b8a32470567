/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "mount/mount_tree.h"
#include "sys/sys_clone.h"

/* In a mount namespace of its own, which is the runtime's user namespace's yet. */
static int copy_locked(int tree, int userns, int *ret_copy, struct bk_err **err)
{
	bk_autoclose int copy = -1;

	/* where it is attached, it must not come out on the host */
	if (mount(NULL, "/", NULL, MS_PRIVATE, NULL) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '/' private");
	if (move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "move_mount");
	if (fchdir(tree) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter it");
	/* whoever is root there must not trace what has the host's memory */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "hide from other processes");
	if (setns(userns, CLONE_NEWUSER) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "setns: enter the user namespace");
	if (unshare(CLONE_NEWNS) < 0) /* here they are locked, and "." is the copy */
		return bk_err_set(err, BK_ERR_IO, errno, "unshare: make a mount namespace");
	copy = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (copy < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open_tree");
	*ret_copy = bk_steal_fd(&copy);
	return 0;
}

static _Noreturn void run_copy(int tree, int userns, int sock)
{
	struct bk_err *err = NULL;
	int copy = -1;

	if (copy_locked(tree, userns, &copy, &err) < 0)
		(void)bk_err_send(err, sock);
	else
		(void)bk_fd_send(sock, &copy, 1, "", 1);
	_exit(0);
}

static int receive(int sock, int *ret_fd, struct bk_err **err)
{
	char wire[BK_ERR_WIRE_SIZE];
	bk_autoclose int fd = -1;
	size_t n_fds = 0;
	ssize_t n = bk_fd_recv(sock, &fd, 1, &n_fds, wire, sizeof(wire));

	if (n == BK_ERR_WIRE_SIZE)
		return bk_err_decode(wire, sizeof(wire), err);
	if (n != 1 || n_fds != 1)
		return bk_err_set(err, BK_ERR_INTERNAL, n < 0 ? (int)-n : 0, "the process that does it ended");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int lock_in_process(int tree, int userns, int *ret_copy, struct bk_err **err)
{
	bk_autoclose int pidfd = -1;
	bk_autoclose int ours = -1;
	siginfo_t info;
	int fds[2], rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket pair");
	ours = fds[0];
	pid = sys_clone3(CLONE_NEWNS, -1, &pidfd);
	if (pid == 0)
		run_copy(tree, userns, fds[1]);
	(void)close(fds[1]);
	if (pid < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-pid, "clone3");
	rc = receive(ours, ret_copy, err);
	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
	return rc;
}

int mount_lock_tree(int *tree, int userns, const struct mount_flags *f, const char *dest, struct bk_err **err)
{
	struct mount_flags propagation = { .n_propagation = f->n_propagation };
	bk_autoclose int copy = -1;
	struct stat st;
	int rc;

	if (fstat(*tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", dest);
	if (!S_ISDIR(st.st_mode)) /* nothing is mounted below a file */
		return 0;
	rc = lock_in_process(*tree, userns, &copy, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "lock the mounts of '%s'", dest);
	for (size_t i = 0; i < f->n_propagation; i++)
		propagation.propagation[i] = f->propagation[i];
	rc = mount_tree_attrs(&propagation, copy, dest, err);
	if (rc < 0)
		return rc;
	bk_close(tree);
	*tree = bk_steal_fd(&copy);
	return 0;
}
