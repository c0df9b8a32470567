/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/criu_rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "criu/criu_log.h"

#define LOOK_MS	      1000	/* between looks at whether it uses a processor */
#define SUBLEVEL_MAX  99
#define VERSION_PARTS 100
#define DEFAULT_PATH  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SEND_OVERHEAD ((size_t)4096) /* of the kernel's, for one message in a socket */

/* --- the process --- */

/* It finds its own helpers (iptables, ip, tar) by PATH, and needs nothing else of ours. */
static int spawn(const struct criu_how *how, int sock, struct bk_proc *ret, struct bk_err **err)
{
	const char *program = how->program ? how->program : CRIU_PROGRAM;
	const char *dirs = getenv("PATH");
	bk_autofree char *path = bk_asprintf("PATH=%s", dirs && *dirs ? dirs : DEFAULT_PATH);
	bk_autofree char *fd = bk_asprintf("%d", sock);
	bk_autofree int *keep = bk_calloc(how->n_fds + 1, sizeof(*keep));
	char *const argv[] = { (char *)CRIU_PROGRAM, (char *)"swrk", fd, NULL };
	char *const env[] = { path, NULL };
	struct bk_proc_spec spec = {
		.path = program,
		.argv = argv,
		.env = env,
		.stdin_fd = 0,
		.stdout_fd = 1,
		.stderr_fd = 2,
		.keep_fds = keep,
		.n_keep_fds = how->n_fds + 1,
	};
	int rc;

	keep[0] = sock;
	for (size_t i = 0; i < how->n_fds; i++)
		keep[i + 1] = how->fds[i];
	rc = bk_proc_spawn(&spec, ret, err);
	if (rc == -BK_ERR_NOT_FOUND)
		return bk_err_hint(err, rc, "checkpoints are made by criu, which Debian has as the package criu; "
				   "--criu names another place");
	return rc;
}

/* Its processor time so far, in ticks; 0 where it can't be read. */
static uint64_t cpu_ticks(pid_t pid)
{
	bk_autoclose int fd = -1;
	char path[40], text[1024], *p, *save = NULL;
	uint64_t sum = 0, v;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	p = strrchr(text, ')');
	p = p ? strtok_r(p + 1, " ", &save) : NULL;
	/* fields 14 to 17: its own, and those of the children that it has waited for */
	for (int field = 3; p && field <= 17; field++, p = strtok_r(NULL, " ", &save)) {
		if (field >= 14 && bk_num_u64(p, UINT64_MAX / 8, &v, NULL) == 0)
			sum += v;
	}
	return sum;
}

static int how_it_ended(struct criu *c, struct bk_err **err)
{
	int status, rc = bk_proc_wait(&c->proc, CRIU_START_TIMEOUT_MS, &status, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "criu closed its socket and does not end");
	if (WIFSIGNALED(status))
		return bk_err_set(err, BK_ERR_IO, 0, "criu was killed by signal %d before it answered",
				  WTERMSIG(status));
	return bk_err_set(err, BK_ERR_IO, 0, "criu ended with status %d before it answered",
			  WEXITSTATUS(status));
}

static int too_long(struct criu *c, int ms, struct bk_err **err)
{
	int status, rc;

	(void)pidfd_send_signal(c->proc.pidfd, SIGKILL, NULL, 0);
	(void)bk_proc_wait(&c->proc, CRIU_START_TIMEOUT_MS, &status, NULL);
	rc = bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "criu has neither answered nor worked for %d s and was killed",
			ms / 1000);
	return bk_err_hint(err, rc, "--timeout says how long it may");
}

/* Waits until there is something to read. working: using a processor is a sign of life. */
static int wait_for_word(struct criu *c, int ms, bool working, struct bk_err **err)
{
	uint64_t ticks = working ? cpu_ticks(c->proc.pid) : 0;

	for (int silent = 0;;) {
		int step = ms < 0 ? -1 : ms - silent < LOOK_MS ? ms - silent : LOOK_MS;
		uint64_t now;
		int rc = bk_fd_wait(c->sock, POLLIN, step);

		if (rc > 0)
			return 0;
		if (rc < 0)
			return bk_err_set(err, BK_ERR_IO, -rc, "wait for criu");
		silent += step;
		now = working ? cpu_ticks(c->proc.pid) : 0;
		if (now != ticks)
			silent = 0;
		ticks = now;
		if (silent >= ms)
			return too_long(c, ms, err);
	}
}

/* --- messages --- */

static int send_req(struct criu *c, const struct criu_req *req, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CRIU_MSG_MAX);
	int size, rc;

	criu_pb_encode(&criu_req_type, req, &b);
	rc = bk_buf_check(&b, "the request to criu", err);
	if (rc < 0)
		return rc;
	/* it is one packet, which must fit into the socket as a whole; it is freed when criu has read it */
	size = (int)(2 * (b.len + SEND_OVERHEAD));
	if (b.len > SEND_OVERHEAD)
		(void)setsockopt(c->sock, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (send(c->sock, b.data, b.len, MSG_NOSIGNAL) == (ssize_t)b.len)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET)
		return how_it_ended(c, err);
	return bk_err_set(err, BK_ERR_IO, errno, "send a request to criu");
}

static int recv_resp(struct criu *c, struct bk_arena *arena, struct criu_resp *ret, int *ret_fd,
		     struct bk_err **err)
{
	bk_autofree char *data = bk_malloc(CRIU_ANSWER_MAX);
	bk_autoclose int fd = -1;
	size_t n_fds = 0;
	ssize_t n = bk_fd_recv(c->sock, &fd, 1, &n_fds, data, CRIU_ANSWER_MAX);
	int rc;

	if (n == 0 || n == -ECONNRESET)
		return how_it_ended(c, err);
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-n, "read criu's answer");
	if (n == (ssize_t)CRIU_ANSWER_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "criu's answer is larger than %zu bytes",
				  CRIU_ANSWER_MAX - 1);
	*ret = (struct criu_resp){ 0 };
	rc = criu_pb_decode(&criu_resp_type, data, (size_t)n, arena, ret, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "criu's answer");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

/* The answer to a question that has no side effect. */
static int ask(struct criu *c, const struct criu_req *req, struct bk_arena *arena,
	       struct criu_resp *ret, struct bk_err **err)
{
	int ms = CRIU_START_TIMEOUT_MS;
	bk_autoclose int fd = -1;
	int rc;

	if (c->silence_ms > 0 && c->silence_ms < ms)
		ms = c->silence_ms;
	rc = send_req(c, req, err);
	if (rc == 0)
		rc = wait_for_word(c, ms, false, err);
	if (rc == 0)
		rc = recv_resp(c, arena, ret, &fd, err);
	if (rc == 0 && !ret->success.v)
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, (int)ret->cr_errno.v, "criu refuses the question%s%s",
				ret->cr_errmsg ? ": " : "", ret->cr_errmsg ? ret->cr_errmsg : "");
	return rc;
}

static int ask_version(struct criu *c, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct criu_req req = { .type = CRIU_NUM(CRIU_VERSION), .keep_open = CRIU_NUM(1) };
	struct criu_resp resp;
	const struct criu_version *v;
	int64_t sub;
	int rc = ask(c, &req, arena, &resp, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "ask criu for its version");
	v = resp.version;
	if (!v || v->major.v < 0 || v->minor.v < 0 || v->major.v >= INT32_MAX / 10000 - 1 ||
	    v->minor.v >= VERSION_PARTS)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "criu's answer has no version");
	sub = v->sublevel.v;
	c->version = (int)(v->major.v * 10000 + v->minor.v * VERSION_PARTS +
			   (sub < 0 || sub > SUBLEVEL_MAX ? 0 : sub));
	if (c->version >= CRIU_VERSION_MIN)
		return 0;
	rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "criu is version %d.%d, and it must be %d.%d or later",
			(int)v->major.v, (int)v->minor.v, CRIU_VERSION_MIN / 10000,
			CRIU_VERSION_MIN / 100 % 100);
	return bk_err_hint(err, rc, "Debian 12's package criu is new enough; --criu names another program");
}

int criu_start(const struct criu_how *how, struct criu *ret, struct bk_err **err)
{
	struct criu c = CRIU_INIT;
	int fds[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket pair");
	c.sock = fds[0];
	c.silence_ms = how->silence_ms ? how->silence_ms : CRIU_SILENCE_MS;
	rc = spawn(how, fds[1], &c.proc, err);
	/* so that its end is the end of the conversation */
	(void)close(fds[1]);
	if (rc == 0)
		rc = ask_version(&c, err);
	if (rc < 0) {
		criu_end(&c);
		return rc;
	}
	*ret = c;
	return 0;
}

int criu_check_features(struct criu *c, const struct criu_features *want, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct criu_req req = { .type = CRIU_NUM(CRIU_FEATURE_CHECK), .keep_open = CRIU_NUM(1),
				      .features = (struct criu_features *)want };
	struct criu_resp resp;
	bool track, lazy;
	int rc = ask(c, &req, arena, &resp, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "ask criu for its features");
	track = !want->mem_track.v || (resp.features && resp.features->mem_track.v);
	lazy = !want->lazy_pages.v || (resp.features && resp.features->lazy_pages.v);
	if (track && lazy)
		return 0;
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "this criu or this kernel can't %s%s%s",
			  track ? "" : "track changes of memory", !track && !lazy ? " and can't " : "",
			  lazy ? "" : "restore pages lazily");
}

/* --- the act --- */

struct act {
	struct criu *c;
	criu_notify_fn *notify;
	void *arg;
	struct bk_err *failed;	/* the first that notify returned */
	int rc;
};

static int serve(struct act *a, const struct criu_resp *resp, int *fd, struct bk_err **err)
{
	const struct criu_notify *n = resp->notify;
	const struct criu_event e = { .script = n && n->script ? n->script : "",
				      .pid = n && n->pid.v > 0 ? (pid_t)n->pid.v : 0,
				      .fd = fd };
	struct criu_req answer = { .type = CRIU_NUM(CRIU_NOTIFY), .notify_success = CRIU_NUM(1) };

	if (a->rc == 0 && a->notify)
		a->rc = a->notify(a->arg, &e, &a->failed);
	/* it takes back what it did, and says so in its answer */
	answer.notify_success.v = a->rc == 0;
	return send_req(a->c, &answer, err);
}

static const char *act_name(int64_t type)
{
	return type == CRIU_DUMP ? "dump" : type == CRIU_PRE_DUMP ? "pre-dump" : "restore";
}

/* Its first error, as its log has it: without where in criu that is. */
static int refused(const struct criu_req *req, const struct criu_resp *resp, struct bk_err **err)
{
	bk_autofree char *text = bk_strdup(resp->cr_errmsg ? resp->cr_errmsg : "");
	bk_autofree char *said = criu_log_find(text);

	return bk_err_set(err, BK_ERR_IO, (int)resp->cr_errno.v, "criu could not %s%s%s",
			  act_name(req->type.v), said ? ": " : "", said ? said : "");
}

static int converse(struct act *a, const struct criu_req *req, pid_t *ret_pid, struct bk_err **err)
{
	for (;;) {
		bk_autoarena struct bk_arena *arena = bk_arena_new();
		bk_autoclose int fd = -1;
		struct criu_resp resp;
		int rc = wait_for_word(a->c, a->c->silence_ms, true, err);

		if (rc == 0)
			rc = recv_resp(a->c, arena, &resp, &fd, err);
		if (rc < 0)
			return rc;
		if (resp.type.v == CRIU_NOTIFY && resp.success.v) {
			rc = serve(a, &resp, &fd, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (!resp.success.v)
			return refused(req, &resp, err);
		if (resp.type.v != req->type.v)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "criu's answer is to another request (%d)",
					  (int)resp.type.v);
		if (ret_pid)
			*ret_pid = resp.restore ? (pid_t)resp.restore->pid.v : 0;
		return 0;
	}
}

/* After a pre-dump it waits for more, and calls the end of its socket a failure. */
static int finish(struct criu *c, const struct criu_req *req, struct bk_err **err)
{
	int status, rc;

	(void)shutdown(c->sock, SHUT_WR);
	rc = bk_proc_wait(&c->proc, CRIU_START_TIMEOUT_MS, &status, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "criu has answered and does not end");
	if (status == 0 || req->type.v == CRIU_PRE_DUMP)
		return 0;
	return bk_err_set(err, BK_ERR_IO, 0, "criu ended with status %d after its answer",
			  bk_proc_exit_code(status));
}

int criu_call(struct criu *c, struct criu_req *req, criu_notify_fn *notify, void *arg, pid_t *ret_pid,
	      struct bk_err **err)
{
	struct act a = { .c = c, .notify = notify, .arg = arg };
	struct bk_err *e = NULL;
	int rc = send_req(c, req, &e);

	if (rc == 0)
		rc = converse(&a, req, ret_pid, &e);
	if (rc == 0)
		rc = finish(c, req, &e);
	if (a.rc < 0) {
		bk_err_clear(&e);
		bk_err_move(err, a.failed);
		return a.rc;
	}
	bk_err_clear(&a.failed);
	if (rc < 0)
		bk_err_move(err, e);
	return rc;
}

void criu_end(struct criu *c)
{
	int status;

	bk_close(&c->sock);
	if (c->proc.pidfd >= 0)
		(void)bk_proc_wait(&c->proc, CRIU_START_TIMEOUT_MS, &status, NULL);
}
