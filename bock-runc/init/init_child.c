/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_proc.h"
#include "codec/bk_json.h"
#include "init/init_sync.h"
#include "init/init_trace.h"
#include "ns/ns.h"
#include "sys/sys_clone.h"

void init_child_init(struct init_child *c)
{
	*c = (struct init_child){ .sync = -1, .listen_fd = -1, .enter_fd = -1, .console_sock = -1,
				  .hooks_output = INIT_HOOKS_OUTPUT_INIT,
				  .root = BK_ROOT_INIT, .proc_fd = -1, .host_proc = -1, .notify_fd = -1,
				  .conn = -1 };
	for (int t = 0; t < OCI_NS_MAX_; t++)
		c->join_fds[t] = -1;
}

struct oci_state init_state(const struct init_plan *p, int status, pid_t pid)
{
	const struct oci_runtime_config *c = p->spec->config;

	return (struct oci_state){
		.oci_version = c->oci_version,
		.id = (char *)p->params.id,
		.status = status,
		.pid = pid,
		.bundle = (char *)p->spec->bundle,
		.annotations = c->annotations,
		.n_annotations = c->n_annotations,
	};
}

int init_state_json(const struct init_plan *p, int status, pid_t pid, struct bk_buf *out,
		    struct bk_err **err)
{
	struct oci_state s = init_state(p, status, pid);

	return bk_json_encode(&oci_state_type, &s, 0, out, err);
}

int init_child_wait(struct init_child *c, int want, struct bk_err **err)
{
	return init_child_receive(c, want, NULL, err);
}

int init_child_receive(struct init_child *c, int want, int *ret_fd, struct bk_err **err)
{
	int got = init_sync_recv(c->sync, NULL, ret_fd, err);

	if (got < 0)
		return got;
	if (got == 0)
		_exit(1); /* the runtime is gone, and with it whoever would read an error */
	if (got != want)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "expected '%c', received '%c'", want, got);
	return 0;
}

static _Noreturn void fail(const struct init_child *c, struct bk_err *err)
{
	(void)bk_err_send(err, c->conn >= 0 ? c->conn : c->sync);
	_exit(1);
}

/* All are opened before the first is joined: joining changes what the paths mean. */
static int open_joins(struct init_child *c, struct bk_err **err)
{
	for (int t = 0; t < OCI_NS_MAX_; t++) {
		int rc;

		if (!c->plan->join[t] || (t == OCI_NS_PID && !c->plan->joins_user))
			continue;
		rc = ns_open(c->plan->join[t], t, &c->join_fds[t], err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "linux.namespaces");
	}
	return 0;
}

static int join_rest(struct init_child *c, bool later, struct bk_err **err)
{
	for (int t = 0; t < OCI_NS_MAX_; t++) {
		struct bk_err *e = NULL;
		int rc;

		if (t == OCI_NS_USER || c->join_fds[t] < 0)
			continue;
		rc = ns_join(c->join_fds[t], t, c->plan->join[t], &e);
		if (rc == -BK_ERR_PERMISSION && later) {
			bk_err_clear(&e); /* it may belong to the user namespace that comes next */
			continue;
		}
		if (rc < 0) {
			bk_err_move(err, e);
			return bk_err_wrap(err, rc, "linux.namespaces");
		}
		bk_close(&c->join_fds[t]);
	}
	return 0;
}

int init_child_hand_over(const struct init_child *c, uint64_t flags, const char *where, struct bk_err **err)
{
	bk_autoclose int pidfd = -1, told = -1;
	int fds[2], rc;
	char byte;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "pipe");
	told = fds[0];
	pid = sys_clone3(flags | CLONE_PARENT, -1, &pidfd);
	if (pid < 0) {
		(void)close(fds[1]);
		return bk_err_set(err, BK_ERR_IO, -pid, "clone3%s", where);
	}
	if (pid > 0) {
		rc = init_sync_send(c->sync, SYNC_PID, pid, pidfd, err);
		if (rc < 0)
			return rc;
		_exit(0);
	}
	/* our first word must not come before that: its end is the end of the pipe */
	(void)close(fds[1]);
	if (read(told, &byte, sizeof(byte)) != 0)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "the intermediate process does not end");
	return 0;
}

/*
 * The intermediate process: joins what is joined, so that the child's new namespaces belong to the
 * right user namespace, and clones the child as the runtime's own child.
 */
static int clone_after_joins(struct init_child *c, struct bk_err **err)
{
	bool user = c->join_fds[OCI_NS_USER] >= 0;
	int rc;

	/* whoever is root of that user namespace must not trace us while we still see the host */
	if (user && geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "hide from other processes");
	rc = join_rest(c, user, err);
	if (rc == 0 && user) {
		rc = ns_join(c->join_fds[OCI_NS_USER], OCI_NS_USER, c->plan->join[OCI_NS_USER], err);
		if (rc == 0)
			rc = join_rest(c, false, err);
	}
	if (rc < 0)
		return rc;
	return init_child_hand_over(c, c->plan->clone_flags, "", err);
}

static int run_stage(struct init_child *c, enum init_stage stage, size_t first, struct bk_err **err)
{
	for (size_t i = first; i < c->plan->n[stage]; i++) {
		const struct init_op *op = &c->plan->ops[stage][i];
		int rc = init_op_run(c, op, err);

		if (init_trace_op(c->trace, c->plan, stage, op, rc) < 0)
			return rc;
	}
	return 0;
}

/*
 * What children inherit, and what needs the host's /proc: behind a joined mount namespace that is somebody
 * else's.
 */
static int run_first(struct init_child *c, size_t *ret_done, struct bk_err **err)
{
	size_t i;

	for (i = 0; i < c->plan->n[INIT_CONTAINER]; i++) {
		const struct init_op *op = &c->plan->ops[INIT_CONTAINER][i];
		int rc;

		if (op->kind != OP_OOM_SCORE && op->kind != OP_HOST_PROC && op->kind != OP_AFFINITY)
			break;
		rc = init_op_run(c, op, err);
		if (rc < 0)
			return rc;
	}
	*ret_done = i;
	return 0;
}

/*
 * What is ignored stays so over execve, and a program that is not killed by SIGPIPE goes on for ever in
 * `yes | head`. Engines that ignore it for themselves don't mean the container.
 */
static void default_signals(uint64_t ignored)
{
	for (int sig = 1; ignored; sig++, ignored >>= 1) {
		if (ignored & 1)
			bk_proc_default_signal(sig);
	}
}

void init_child_run(struct init_child *c)
{
	struct bk_err *err = NULL;
	size_t done = 0;
	int rc;

	init_trace_child(c->trace);
	default_signals(c->ignored_signals);
	c->setgroups_denied = c->plan->params.setgroups_denied;
	rc = open_joins(c, &err);
	if (rc == 0 && c->plan->joins_user) {
		rc = run_first(c, &done, &err);
		if (rc == 0)
			rc = clone_after_joins(c, &err);
	}
	/*
	 * Until the state is saved the container must not outlive the runtime; should the runtime be gone
	 * before this call, the wait for its next message finds out.
	 */
	if (rc == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		rc = bk_err_set(&err, BK_ERR_IO, errno, "set the death signal");
	(void)init_trace_mark(c->trace, "begin", rc);
	c->umask = umask(0); /* modes of nodes and directories are meant as they are given */
	if (rc == 0)
		rc = run_stage(c, INIT_CONTAINER, done, &err);
	if (rc == 0)
		(void)run_stage(c, INIT_PROCESS, 0, &err); /* returns with an error only */
	fail(c, err);
}
