/* SPDX-License-Identifier: Apache-2.0 */
/* The confined process, and what it tells its parent through a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "layer/layer_confine.h"

/* One message: its kind, its length, its bytes. */
struct message {
	unsigned char kind;
	uint32_t len;
};

enum { SAYS_WARNING = 'w', SAYS_STATS = 's', SAYS_ERROR = 'e' };

static void say(int fd, unsigned char kind, const void *data, size_t len)
{
	struct message m = { 0 };

	m.kind = kind;
	m.len = (uint32_t)len;
	/* Without a parent that listens there is nobody to tell. */
	if (bk_fd_write_all(fd, &m, sizeof(m)) == 0)
		(void)bk_fd_write_all(fd, data, len);
}

static void say_warning(void *ctx, const char *text)
{
	const int *fd = ctx;
	size_t len = strlen(text);

	say(*fd, SAYS_WARNING, text, len < BK_ERR_MSG_MAX ? len : BK_ERR_MSG_MAX - 1);
}

/* Closes all descriptors but these, 0, 1 and 2. */
static void close_others(int a, int b, int c)
{
	int kept[3] = { a, b, c };
	unsigned int from = 3;

	for (int i = 0; i < 3; i++)
		for (int k = i + 1; k < 3; k++)
			if (kept[k] < kept[i]) {
				int swap = kept[i];

				kept[i] = kept[k];
				kept[k] = swap;
			}
	for (int i = 0; i < 3; i++) {
		if (kept[i] < (int)from)
			continue;
		if (kept[i] > (int)from)
			(void)syscall(SYS_close_range, from, (unsigned int)kept[i] - 1, 0);
		from = (unsigned int)kept[i] + 1;
	}
	(void)bk_fd_close_from(from);
}

struct child {
	int root_fd, store_fd, out;
	pid_t parent;
	const struct layer_opts *opts;
	int (*work)(void *ctx, const struct layer_opts *opts, struct layer_stats *stats,
		    struct bk_err **err);
	void *ctx;
};

static void run_child(struct child *c)
{
	struct layer_opts opts = *c->opts;
	struct layer_stats stats = { 0 };
	struct bk_err *err = NULL;
	int rc = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != c->parent)
		_exit(1);
	close_others(c->root_fd, c->store_fd, c->out);
	opts.warn = say_warning;
	opts.ctx = &c->out;
	rc = layer_confine(c->root_fd, c->store_fd, opts.confine == LAYER_CONFINE_REQUIRED, &err);
	if (rc == 0)
		rc = c->work(c->ctx, &opts, &stats, &err);
	if (rc < 0) {
		unsigned char wire[BK_ERR_WIRE_SIZE];

		(void)bk_err_encode(err, wire);
		say(c->out, SAYS_ERROR, wire, sizeof(wire));
	} else {
		say(c->out, SAYS_STATS, &stats, sizeof(stats));
	}
	_exit(0);
}

struct result {
	bool any;
	int rc;
	struct layer_stats stats;
};

/* One message that was read whole; what is no message is an error. */
static int hear(const struct message *m, char *data, const struct layer_opts *opts,
		struct result *r, struct bk_err **err)
{
	switch (m->kind) {
	case SAYS_WARNING:
		data[m->len] = '\0';
		if (opts->warn)
			opts->warn(opts->ctx, data);
		return 0;
	case SAYS_STATS:
		if (m->len != sizeof(r->stats))
			break;
		memcpy(&r->stats, data, sizeof(r->stats));
		r->stats.diff_id[sizeof(r->stats.diff_id) - 1] = '\0';
		r->any = true;
		return 0;
	case SAYS_ERROR:
		r->any = true;
		r->rc = bk_err_decode(data, m->len, err);
		return r->rc;
	default:
		break;
	}
	return bk_err_set(err, BK_ERR_INTERNAL, 0, "the process that reads layers says nonsense");
}

static int listen_to(int fd, const struct layer_opts *opts, struct result *r, struct bk_err **err)
{
	char data[BK_ERR_WIRE_SIZE + 1];
	struct message m;

	for (;;) {
		ssize_t n = bk_fd_read_full(fd, &m, sizeof(m));
		int rc;

		if (n == 0)
			return 0;
		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, (int)-n, "read what the process that reads layers says");
		if (n == sizeof(m) && m.len < sizeof(data))
			n = bk_fd_read_full(fd, data, m.len) == (ssize_t)m.len ? 1 : 0;
		else
			n = 0;
		if (n != 1)
			return bk_err_set(err, BK_ERR_INTERNAL, 0,
					  "the process that reads layers says nonsense");
		rc = hear(&m, data, opts, r, err);
		if (rc < 0)
			return rc;
	}
}

static int wait_for(pid_t pid, int *ret_status, struct bk_err **err)
{
	pid_t got;

	do
		got = waitpid(pid, ret_status, 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? bk_err_set(err, BK_ERR_IO, errno, "wait for the process that reads layers") : 0;
}

int layer_confined_run(int root_fd, int store_fd, const struct layer_opts *opts,
		       int (*work)(void *ctx, const struct layer_opts *opts,
				   struct layer_stats *stats, struct bk_err **err),
		       void *ctx, struct layer_stats *stats, struct bk_err **err)
{
	struct child c = { root_fd, store_fd, -1, getpid(), opts, work, ctx };
	struct result r = { 0 };
	bk_autoclose int in = -1, out = -1;
	int fds[2], status, rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a pipe");
	in = fds[0];
	c.out = out = fds[1];
	pid = fork();
	if (pid < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "fork");
	if (pid == 0)
		run_child(&c);
	bk_close(&out);
	rc = listen_to(in, opts, &r, err);
	/* Who says nonsense is not waited for. */
	if (rc < 0 && !r.any)
		(void)kill(pid, SIGKILL);
	if (wait_for(pid, &status, rc < 0 ? NULL : err) < 0 && rc == 0)
		return -BK_ERR_IO;
	if (rc == 0 && !r.any)
		return bk_err_set(err, BK_ERR_INTERNAL, 0,
				  "the process that reads layers ended early (%s %d)",
				  WIFSIGNALED(status) ? "signal" : "status",
				  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (rc == 0)
		*stats = r.stats;
	return rc;
}
