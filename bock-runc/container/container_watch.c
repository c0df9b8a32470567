/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"

/* Deletes the container if it is the one that `owner` made: the id may be another's by now. */
static void clean_up(const struct container_root *root, const char *id, pid_t owner, uint64_t start)
{
	bk_autocontainer struct container c = CONTAINER_INIT;
	char **ignored = NULL;

	if (container_open(root, id, true, &c, NULL) < 0)
		return;
	if (c.has_state && (c.state.owner_pid != owner || c.state.owner_start != start))
		return;
	(void)container_delete(&c, true, &ignored, NULL);
}

static _Noreturn void watch(const struct container_root *root, const char *id, int pipe_fd,
			    pid_t owner, uint64_t start)
{
	struct container_root kept = { .path = root->path, .fd = 0, .timeout_ms = root->timeout_ms };
	char word;

	/* only the state folder and the pipe stay, as 0 and 1: a reader of our stdout must see its end */
	(void)setsid();
	if (dup2(root->fd, 0) < 0 || dup2(pipe_fd, 1) < 0 || bk_fd_close_from(2) < 0)
		_exit(1);
	if (bk_fd_read_full(1, &word, 1) == 0)
		clean_up(&kept, id, owner, start);
	_exit(0);
}

int container_watch_begin(const struct container_root *root, const char *id, pid_t owner,
			  uint64_t start, struct container_watch *ret, struct bk_err **err)
{
	int fds[2];
	pid_t pid;

	/* a socket: a pipe whose reader was killed would kill us too */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket pair");
	pid = fork();
	if (pid == 0)
		watch(root, id, fds[0], owner, start);
	(void)close(fds[0]);
	if (pid < 0) {
		int saved = errno;

		(void)close(fds[1]);
		return bk_err_set(err, BK_ERR_IO, saved, "start the watcher");
	}
	ret->pipe = fds[1];
	return 0;
}

void container_watch_end(struct container_watch *w)
{
	if (w->pipe >= 0)
		(void)send(w->pipe, "d", 1, MSG_NOSIGNAL);
	bk_close(&w->pipe);
}

void container_watch_abandon(struct container_watch *w)
{
	bk_close(&w->pipe);
}
