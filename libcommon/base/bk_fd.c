/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bk_clock.h"
#include "base/bk_mem.h"

#define FD_SEND_MAX 8
#define FD_CHUNK    ((size_t)16 << 10)

int bk_fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			return -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static ssize_t read_some(int fd, void *data, size_t len)
{
	ssize_t n;

	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t bk_fd_read_full(int fd, void *data, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read_some(fd, (char *)data + got, len - got);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int bk_fd_read_buf(int fd, struct bk_buf *b, const char *what, struct bk_err **err)
{
	/* straight into the buffer: a chunk on the stack would be as many page faults, at each call */
	for (;;) {
		size_t size;
		char *room = bk_buf_room(b, b->len ? 1 : FD_CHUNK, &size);
		char over;
		ssize_t n = read_some(fd, size ? room : &over, size ? size : sizeof(over));

		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, (int)-n, "read '%s'", what);
		if (n == 0)
			return 0;
		if (size == 0) {
			(void)bk_buf_addc(b, over); /* one byte too many */
			return bk_buf_check(b, what, err);
		}
		bk_buf_extend(b, (size_t)n);
	}
}

int bk_fd_send(int sock, const int *fds, size_t n, const void *data, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FD_SEND_MAX)];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes };
	struct cmsghdr *c;
	ssize_t sent;

	if (n < 1 || n > FD_SEND_MAX || len < 1)
		return -EINVAL;
	msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
	c = CMSG_FIRSTHDR(&msg);
	if (!c)
		return -EINVAL;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);

	/* The descriptors travel with the first byte: what is left of the data goes without them. */
	while (iov.iov_len > 0) {
		do
			sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
		while (sent < 0 && errno == EINTR);
		if (sent < 0)
			return -errno;
		iov.iov_base = (char *)iov.iov_base + sent;
		iov.iov_len -= (size_t)sent;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

/* Takes the descriptors out of msg; more than n cannot be there, the kernel had no room for them. */
static size_t take_fds(struct msghdr *msg, int *ret_fds)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t bytes;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		bytes = c->cmsg_len - CMSG_LEN(0);
		memcpy(ret_fds + n, CMSG_DATA(c), bytes);
		n += bytes / sizeof(int);
	}
	return n;
}

ssize_t bk_fd_recv(int sock, int *ret_fds, size_t n, size_t *ret_n, void *data, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FD_SEND_MAX)];
	} control = { 0 };
	struct iovec iov = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[FD_SEND_MAX];
	size_t n_fds;
	ssize_t got;

	if (n > FD_SEND_MAX || len < 1)
		return -EINVAL;
	if (n > 0) {
		/* CMSG_LEN, not CMSG_SPACE: the padding would have room for one descriptor more. */
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_LEN(sizeof(int) * n);
	}
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	n_fds = n > 0 ? take_fds(&msg, fds) : 0;
	if (msg.msg_flags & MSG_CTRUNC) {
		/* The sender and we do not agree on what is sent: keep nothing of it. */
		for (size_t i = 0; i < n_fds; i++)
			bk_close(&fds[i]);
		return -EMSGSIZE;
	}
	if (n_fds > 0)
		memcpy(ret_fds, fds, sizeof(int) * n_fds);
	*ret_n = n_fds;
	return got;
}

int bk_fd_cloexec_from(unsigned int first)
{
	return close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

int bk_fd_close_from(unsigned int first)
{
	return close_range(first, ~0U, 0) < 0 ? -errno : 0;
}

/*
 * Fills addr with path. A path that does not fit is named through its directory, whose descriptor
 * *dirfd has to stay open until connect(2) has been called. 0 or -errno.
 */
static int unix_address(const char *path, struct sockaddr_un *addr, int *dirfd)
{
	const char *slash;
	bk_autofree char *dir = NULL;
	int n;

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (*path == '\0')
		return -ENOENT;
	if (strlen(path) < sizeof(addr->sun_path)) {
		memcpy(addr->sun_path, path, strlen(path) + 1);
		return 0;
	}
	slash = strrchr(path, '/');
	if (!slash)
		return -ENAMETOOLONG;
	dir = bk_strndup(path, slash == path ? 1 : (size_t)(slash - path));
	*dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd < 0)
		return -errno;
	n = snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", *dirfd,
		     slash + 1);
	return n >= (int)sizeof(addr->sun_path) ? -ENAMETOOLONG : 0;
}

int bk_fd_unix_connect(const char *path, int *ret_fd, struct bk_err **err)
{
	return bk_fd_unix_connect_within(path, 0, ret_fd, err);
}

int bk_fd_unix_connect_within(const char *path, int timeout_ms, int *ret_fd, struct bk_err **err)
{
	const struct timeval limit = { .tv_sec = timeout_ms / 1000,
				       .tv_usec = timeout_ms % 1000 * 1000L };
	bk_autoclose int fd = -1;
	bk_autoclose int dirfd = -1;
	struct sockaddr_un addr;
	int rc;

	rc = unix_address(path, &addr, &dirfd);
	if (rc < 0)
		goto fail;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a unix socket");
	if (timeout_ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set a time-out for a unix socket");
	do
		rc = connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	while (rc == -EINTR);
	if (rc == -EAGAIN)
		rc = -ETIMEDOUT;
	if (rc < 0)
		goto fail;
	*ret_fd = bk_steal_fd(&fd);
	return 0;
fail:
	return bk_err_set(err, rc == -ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, -rc,
			  "connect to socket '%s'", path);
}

int bk_fd_wait(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t deadline = timeout_ms < 0 ? 0 : bk_clock_ms() + timeout_ms;
	int left = timeout_ms;
	int n;

	while ((n = poll(&p, 1, left)) < 0) {
		if (errno != EINTR)
			return -errno;
		if (timeout_ms >= 0) {
			int64_t rest = deadline - bk_clock_ms();

			left = rest > 0 ? (int)rest : 0;
		}
	}
	if (n == 0)
		return 0;
	return p.revents & POLLNVAL ? -EBADF : 1;
}

int bk_fd_fix_stdio(void)
{
	struct pollfd p[3] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	/* One call says of all three whether they are open. */
	if (poll(p, 3, 0) < 0)
		return -errno;
	for (int i = 0; i < 3; i++) {
		int fd;

		if (!(p[i].revents & POLLNVAL))
			continue;
		/* The lowest free number is i; not close-on-exec, because children get it too. */
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
		if (fd != i) {
			bk_close(&fd);
			return -EBADF;
		}
	}
	return 0;
}
