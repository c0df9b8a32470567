/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_clock.h"
#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "base/bk_stuck.h"

#define READY "READY=1"

void container_notify_done(struct container_notify *n)
{
	bk_close(&n->sock);
	bk_close(&n->host);
}

int container_notify_connect(const char *name, struct container_notify *ret, struct bk_err **err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	bk_autoclose int fd = -1;

	if ((name[0] != '/' && name[0] != '@') || len >= sizeof(addr.sun_path))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "NOTIFY_SOCKET: '%s' is neither an absolute path nor an abstract name "
				  "of less than %zu bytes", name, sizeof(addr.sun_path));
	memcpy(addr.sun_path, name, len);
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "NOTIFY_SOCKET: make a socket");
	if (connect(fd, (const struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'))) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "NOTIFY_SOCKET: connect to '%s'", name);
	*ret = (struct container_notify){ .sock = -1, .host = bk_steal_fd(&fd) };
	return 0;
}

int container_notify_folder(int dirfd, struct bk_err **err)
{
	/* whoever the container's user is enters it; the mode of the socket lets all write */
	if (mkdirat(dirfd, CONTAINER_NOTIFY_FOLDER, 0755) < 0 ||
	    fchmodat(dirfd, CONTAINER_NOTIFY_FOLDER, 0755, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s'", CONTAINER_NOTIFY_FOLDER);
	return 0;
}

int container_notify_bind(int dirfd, struct container_notify *n, struct bk_err **err)
{
	bk_autoclose int folder = openat(dirfd, CONTAINER_NOTIFY_FOLDER,
					 O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bk_autoclose int fd = -1;

	if (folder < 0 && errno == ENOENT)
		return 0;
	if (folder < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", CONTAINER_NOTIFY_FOLDER);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" CONTAINER_NOTIFY_SOCKET,
		 folder);
	(void)unlinkat(folder, CONTAINER_NOTIFY_SOCKET, 0); /* of a start that was killed */
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    fchmodat(folder, CONTAINER_NOTIFY_SOCKET, 0777, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "listen on '%s'", CONTAINER_NOTIFY_SOCKET);
	n->sock = bk_steal_fd(&fd);
	return 0;
}

static bool says_ready(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = newline ? (size_t)(newline - text) : (size_t)(end - text);

		if (n == strlen(READY) && memcmp(text, READY, n) == 0)
			return true;
		text += n + 1;
	}
	return false;
}

/* One message: true if it says that. Descriptors that come along are the kernel's to close. */
static bool receive_ready(int sock)
{
	char text[CONTAINER_NOTIFY_MAX];
	ssize_t n = recv(sock, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);

	return n > 0 && (size_t)n <= sizeof(text) && says_ready(text, (size_t)n);
}

static int say(int host, const char *text)
{
	return send(host, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void container_notify_turn(struct container_notify *n)
{
	if (!receive_ready(n->sock) || n->host < 0)
		return;
	/* a manager whose socket is full must not stop the signals and the terminal that we serve */
	(void)send(n->host, READY "\n", strlen(READY "\n"), MSG_NOSIGNAL | MSG_DONTWAIT);
	bk_close(&n->host);
}

enum outcome { SAID_READY, ENDED, GAVE_UP };

static enum outcome wait_for_ready(int sock, int pidfd, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? INT64_MAX : bk_clock_ms() + timeout_ms;

	for (;;) {
		struct pollfd polls[] = { { .fd = pidfd, .events = POLLIN },
					  { .fd = sock, .events = POLLIN } };
		int64_t left = deadline - bk_clock_ms();

		if (left <= 0)
			return GAVE_UP;
		if (poll(polls, BK_ARRAY_SIZE(polls), timeout_ms < 0 ? -1 : (int)left) < 0 && errno != EINTR)
			return GAVE_UP;
		/* what it said last before its end counts */
		if ((polls[1].revents & POLLIN) && receive_ready(sock))
			return SAID_READY;
		if (polls[0].revents && !(polls[1].revents & POLLIN))
			return ENDED;
	}
}

/* sd_notify_barrier(3): the manager closes what we send when it has read all that came before. */
static int barrier(int host, int timeout_ms)
{
	bk_autoclose int ours = -1;
	bk_autoclose int theirs = -1;
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	ours = fds[0];
	theirs = fds[1];
	rc = bk_fd_send(host, &theirs, 1, "BARRIER=1", strlen("BARRIER=1"));
	if (rc < 0)
		return rc;
	bk_close(&theirs);
	rc = bk_fd_wait(ours, POLLIN, timeout_ms);
	return rc == 0 ? -ETIMEDOUT : rc < 0 ? rc : 0;
}

static int announce(int host, pid_t pid, int timeout_ms)
{
	const struct timeval limit = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000L };
	char text[32];
	int rc;

	if (timeout_ms >= 0 && setsockopt(host, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	snprintf(text, sizeof(text), "MAINPID=%d\n", (int)pid);
	rc = say(host, READY "\n");
	if (rc == 0)
		rc = say(host, text);
	return rc < 0 ? rc : barrier(host, timeout_ms);
}

void container_notify_wait(struct container_notify *n, int pidfd, pid_t pid, int timeout_ms, char ***warnings)
{
	const int ready_ms = timeout_ms ? timeout_ms : CONTAINER_NOTIFY_WAIT_MS;
	bk_autofree char *who = NULL;
	int rc;

	if (n->sock < 0 || n->host < 0)
		return;
	switch (wait_for_ready(n->sock, pidfd, ready_ms)) {
	case SAID_READY:
		rc = announce(n->host, pid, timeout_ms ? timeout_ms : CONTAINER_NOTIFY_BARRIER_MS);
		if (rc < 0 && warnings)
			bk_strv_push(warnings, bk_asprintf("NOTIFY_SOCKET: tell that the container is ready: "
							   "%s", bk_errno_text(-rc)));
		break;
	case GAVE_UP:
		who = bk_stuck_describe(pid);
		if (warnings)
			bk_strv_push(warnings, bk_asprintf("NOTIFY_SOCKET: the container has not said that "
							   "it is ready for %d.%03d s: %s; it goes on",
							   ready_ms / 1000, ready_ms % 1000, who));
		break;
	default: /* whoever asks for its state sees that */
		break;
	}
	container_notify_done(n);
}
