/* SPDX-License-Identifier: Apache-2.0 */
#include "ns/ns_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "ns/ns.h"
#include "ns/ns_maps.h"
#include "sys/sys_clone.h"

int ns_holder_open(const struct oci_id_mapping *uids, size_t n_uids,
		   const struct oci_id_mapping *gids, size_t n_gids, int *ret_fd,
		   struct bk_err **err)
{
	bk_autoclose int pidfd = -1;
	char path[64], byte;
	siginfo_t info;
	int fds[2], rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a pipe");
	pid = sys_clone3(CLONE_NEWUSER, -1, &pidfd);
	if (pid == 0) { /* until the other end is closed, by us or by our death */
		(void)close(fds[1]);
		(void)!read(fds[0], &byte, 1);
		_exit(0);
	}
	(void)close(fds[0]);
	if (pid < 0) {
		(void)close(fds[1]);
		return bk_err_set(err, BK_ERR_IO, (int)-pid, "make a user namespace");
	}
	rc = ns_maps_write(pid, uids, n_uids, gids, n_gids, geteuid() == 0, err);
	if (rc == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		rc = ns_open(path, OCI_NS_USER, ret_fd, err);
	}
	(void)close(fds[1]);
	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
	return rc;
}
