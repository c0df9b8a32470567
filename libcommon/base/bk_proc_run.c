/* SPDX-License-Identifier: Apache-2.0 */
/* A child with pipes: feeding it and collecting from it at the same time, so that neither blocks. */
#include "base/bk_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_clock.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_stuck.h"

#define RUN_CHUNK ((size_t)16 << 10)
/* Reads of a pipe after its writer's end: one that somebody else still fills is left then. */
#define RUN_DRAIN_MAX 1024

/* Our ends of the pipes, -1 where there is none (any more). */
struct run {
	int in, out, errfd;
	const char *input;
	size_t input_len;
	struct bk_buf *out_buf, *err_buf;
	const char *name;
	bool keep_latest;
};

static int make_pipe(int *ret_read, int *ret_write, int *ours, struct bk_err **err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	/* O_NONBLOCK belongs to one end's open file: the child's end blocks as it expects. */
	if (fcntl(*ours, F_SETFL, O_NONBLOCK | (ours == ret_write ? O_WRONLY : O_RDONLY)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a pipe");
	return 0;
}

/* Writes what fits; closes our end when all is written or nobody reads. */
static int feed(struct run *r, struct bk_err **err)
{
	ssize_t n;

	while (r->input_len > 0) {
		n = write(r->in, r->input, r->input_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EPIPE)
			break;
		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "write to '%s'", r->name);
		r->input += n;
		r->input_len -= (size_t)n;
	}
	bk_close(&r->in);
	return 0;
}

/* Reads what is there, at most `rounds` times; closes *fd at its end. */
static int collect(const struct run *r, int *fd, struct bk_buf *b, int rounds, struct bk_err **err)
{
	char chunk[RUN_CHUNK];

	while (rounds-- > 0) {
		ssize_t n = read(*fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "read from '%s'", r->name);
		if (n == 0) {
			bk_close(fd);
			return 0;
		}
		if (!bk_buf_add(b, chunk, (size_t)n)) {
			if (r->keep_latest) {
				bk_buf_reset(b);
				(void)bk_buf_add(b, chunk, (size_t)n);
				continue;
			}
			bk_autofree char *what = bk_asprintf("output of '%s'", r->name);

			return bk_buf_check(b, what, err);
		}
	}
	return 0;
}

/* Moves what can be moved now, or all that is left when the process has ended. */
static int move_bytes(struct run *r, const struct pollfd *p, bool ended, struct bk_err **err)
{
	const int rounds = ended ? RUN_DRAIN_MAX : 1;
	int rc = 0;

	if (p[1].revents && !ended)
		rc = feed(r, err);
	if (rc == 0 && r->out >= 0 && (p[2].revents || ended))
		rc = collect(r, &r->out, r->out_buf, rounds, err);
	if (rc == 0 && r->errfd >= 0 && (p[3].revents || ended))
		rc = collect(r, &r->errfd, r->err_buf, rounds, err);
	return rc;
}

/* Moves bytes until the process has ended: 0, or -kind; ETIMEDOUT when time is up. */
static int pump(struct run *r, int pidfd, int timeout_ms, struct bk_err **err)
{
	const int64_t deadline = bk_clock_ms() + timeout_ms;

	for (;;) {
		struct pollfd p[4] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = r->in, .events = POLLOUT },
			{ .fd = r->out, .events = POLLIN },
			{ .fd = r->errfd, .events = POLLIN },
		};
		int64_t left = deadline - bk_clock_ms();
		bool ended;
		int rc;

		if (timeout_ms >= 0 && left <= 0) {
			bk_autofree char *who = bk_stuck_describe_fd(pidfd);

			return bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "wait for '%s' for %d.%03d s: %s", r->name,
					  timeout_ms / 1000, timeout_ms % 1000, who);
		}
		rc = poll(p, 4, timeout_ms < 0 ? -1 : (int)left);
		if (rc < 0 && errno != EINTR)
			return bk_err_set(err, BK_ERR_IO, errno, "wait for '%s'", r->name);
		if (rc <= 0)
			continue;
		ended = p[0].revents != 0;
		rc = move_bytes(r, p, ended, err);
		if (rc < 0 || ended)
			return rc;
	}
}

/* Starts it with our pipes in place of what spec names, pumps, and reaps in any case. */
static int run_child(const struct bk_proc_spec *spec, struct run *r, int timeout_ms,
		     int *ret_status, struct bk_err **err)
{
	bk_autoclose int in = -1;
	bk_autoclose int out = -1;
	bk_autoclose int errfd = -1;
	struct bk_proc_spec s = *spec;
	struct bk_proc p = BK_PROC_INIT;
	int rc;

	if (r->input) {
		rc = make_pipe(&in, &r->in, &r->in, err);
		if (rc < 0)
			return rc;
		s.stdin_fd = in;
	}
	if (r->out_buf) {
		rc = make_pipe(&r->out, &out, &r->out, err);
		if (rc < 0)
			return rc;
		s.stdout_fd = out;
	}
	if (r->err_buf && r->err_buf == r->out_buf) {
		s.stderr_fd = out;
	} else if (r->err_buf) {
		rc = make_pipe(&r->errfd, &errfd, &r->errfd, err);
		if (rc < 0)
			return rc;
		s.stderr_fd = errfd;
	}
	rc = bk_proc_spawn(&s, &p, err);
	if (rc < 0)
		return rc;
	/* The child's ends must not stay open here: the pipes would never end. */
	bk_close(&in);
	bk_close(&out);
	bk_close(&errfd);
	rc = pump(r, p.pidfd, timeout_ms, err);
	if (rc < 0) {
		int status;

		(void)bk_proc_wait(&p, 0, &status, NULL);
		return rc;
	}
	return bk_proc_wait(&p, -1, ret_status, err);
}

int bk_proc_run(const struct bk_proc_spec *spec, const void *input, size_t input_len,
		struct bk_buf *out, struct bk_buf *errout, int timeout_ms, int *ret_status,
		struct bk_err **err)
{
	const struct timespec no_time = { 0 };
	struct run r = {
		.in = -1,
		.out = -1,
		.errfd = -1,
		.input = input,
		.input_len = input_len,
		.out_buf = out,
		.err_buf = errout,
		.name = spec->path,
		.keep_latest = spec->keep_latest,
	};
	sigset_t pipe_set, before, pending;
	int rc;

	/*
	 * A child that does not read its input makes write(2) raise SIGPIPE: hold it back in this
	 * thread, and take it away again if it is not one that was there before.
	 */
	(void)sigemptyset(&pipe_set);
	(void)sigaddset(&pipe_set, SIGPIPE);
	(void)sigpending(&pending);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
	rc = run_child(spec, &r, timeout_ms, ret_status, err);
	if (!sigismember(&pending, SIGPIPE))
		while (sigtimedwait(&pipe_set, NULL, &no_time) < 0 && errno == EINTR)
			;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	bk_close(&r.in);
	bk_close(&r.out);
	bk_close(&r.errfd);
	return rc;
}
