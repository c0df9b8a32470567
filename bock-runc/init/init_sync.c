/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"

int init_sync_pair(int ret_fds[2], struct bk_err **err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket pair");
	return 0;
}

int init_sync_send(int sock, enum init_sync msg, pid_t pid, int fd, struct bk_err **err)
{
	struct init_sync_msg m = { .letter = msg, .pid = pid };
	int rc;

	if (fd >= 0)
		rc = bk_fd_send(sock, &fd, 1, &m, sizeof(m));
	else
		rc = send(sock, &m, sizeof(m), MSG_NOSIGNAL) < 0 ? -errno : 0;
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "send '%c' to the other side", (int)msg);
	return 0;
}

int init_sync_recv(int sock, pid_t *ret_pid, int *ret_fd, struct bk_err **err)
{
	union {
		struct init_sync_msg m;
		char wire[BK_ERR_WIRE_SIZE];
	} u;
	bk_autoclose int fd = -1;
	size_t n_fds = 0;
	ssize_t n;

	n = bk_fd_recv(sock, &fd, 1, &n_fds, &u, sizeof(u));
	/* told once, and before what was sent, when the other side ends with messages of ours that it has not read */
	if (n == -ECONNRESET)
		n = bk_fd_recv(sock, &fd, 1, &n_fds, &u, sizeof(u));
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n == -EAGAIN)
		return SYNC_TIMEOUT;
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-n, "receive from the other side");
	if (n == BK_ERR_WIRE_SIZE)
		return bk_err_decode(u.wire, sizeof(u.wire), err);
	if (n != sizeof(struct init_sync_msg))
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "a message of %zd bytes", n);
	if (ret_pid)
		*ret_pid = u.m.pid;
	if (ret_fd)
		*ret_fd = bk_steal_fd(&fd);
	return u.m.letter > 0 ? u.m.letter : INT32_MAX;
}
