/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_birth.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_devices.h"
#include "cgroup/cgroup_limits.h"
#include "container/container_net.h"
#include "container/container_probe.h"
#include "container/container_rdt.h"
#include "container/container_source.h"
#include "hooks/hooks.h"
#include "init/init_sync.h"
#include "init/init_trace.h"
#include "ns/ns.h"
#include "ns/ns_maps.h"
#include "ns/ns_refusal.h"
#include "spec/spec_annotations.h"
#include "sys/sys_clone.h"
#include "sys/sys_words.h"
#include "tty/tty_proxy.h"

void container_birth_init(struct container_birth *b, struct container_created *r)
{
	*b = (struct container_birth){ .bpf = SEC_BPF_INIT, .cgroup_fd = -1, .sync_child = -1,
					.idmap = CONTAINER_IDMAP_INIT };
	init_child_init(&b->child);
	b->child.plan = &r->plan;
	b->child.ignored_signals = r->ignored_signals;
	b->child.bpf = &b->bpf;
}

void container_birth_done(struct container_birth *b)
{
	sec_bpf_done(&b->bpf);
	container_idmap_done(&b->idmap);
	bk_close(&b->cgroup_fd);
	bk_close(&b->sync_child);
	bk_close(&b->child.listen_fd);
	bk_close(&b->child.console_sock);
	init_hooks_done(&b->child.hooks_output);
}

static const struct oci_linux *linux_of(const struct container_created *r)
{
	return r->spec.config->linux_;
}

int container_birth_seccomp(struct container_created *r, struct container_birth *b,
			    struct bk_err **err)
{
	bk_autoclose int cache = openat(r->c.root->fd, CONTAINER_CACHE,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* without a cache the profile is compiled each time: slower, not wrong */
	if (cache < 0 && errno == ENOENT && mkdirat(r->c.root->fd, CONTAINER_CACHE, 0700) == 0)
		cache = openat(r->c.root->fd, CONTAINER_CACHE,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return init_seccomp_program(&r->plan.seccomp, cache, &b->bpf, err);
}

/* A user who was delegated no cgroup runs without one; limits were refused with the plan then. */
static bool tolerable(const struct container_created *r, struct bk_err *e)
{
	return r->plan.params.cgroup_optional && !linux_of(r)->cgroups_path && !r->place.manager->late &&
	       (bk_err_kind_of(e) == BK_ERR_PERMISSION || bk_err_errno(e) == EROFS);
}

int container_birth_cgroup(struct container_created *r, int *ret_fd, struct bk_err **err)
{
	const struct cgroup_manager *m = r->place.manager;
	struct bk_err *e = NULL;
	int rc;

	r->place.pid = m->late ? r->pid : 0;
	rc = m->make(&r->place, &r->plan.limits, r->spec.arena, ret_fd, &e);
	if (rc == 0) {
		r->c.state.cgroup = (char *)r->place.path;
		r->c.state.cgroup_top = r->place.top_len;
		return m->late ? container_save(&r->c, err) : 0;
	}
	/* what was there before is not ours to remove */
	r->c.state.cgroup = r->c.state.unit = NULL;
	if (tolerable(r, e)) {
		bk_err_clear(&e);
		return 0;
	}
	bk_err_move(err, e);
	return bk_err_wrap(err, rc, "cgroup");
}

int container_birth_limits(struct container_created *r, int cgroup_fd, struct bk_err **err)
{
	if (cgroup_fd < 0) {
		int rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				    "linux.resources: limits are asked for, but this user was not "
				    "delegated a cgroup");

		return bk_err_hint(err, rc,
				   "with systemd: 'systemd-run --user --scope -p Delegate=yes COMMAND', or "
				   "Delegate=yes in a drop-in of user@.service; without: give the user a cgroup, "
				   "its cgroup.procs, cgroup.threads and cgroup.subtree_control, and start "
				   "the command in a cgroup below it");
	}
	return cgroup_limits_apply(&r->host, r->place.path, cgroup_fd, &r->plan.limits, err);
}

int container_birth_devices(struct container_created *r, int cgroup_fd, struct bk_err **err)
{
	const struct oci_resources *res = linux_of(r)->resources;
	bool attached;

	if (cgroup_fd < 0)
		return 0; /* a user without a cgroup: the user's own rights bound the container */
	return cgroup_devices_apply(cgroup_fd, res ? res->devices : NULL, res ? res->n_devices : 0,
				    r->plan.params.rootless, &attached, err);
}

/*
 * A joined pid namespace takes effect for children: we enter it for the clone and come back. (With a
 * user namespace in the game the intermediate process does it.)
 */
static int enter_pid_ns(const struct container_created *r, int *ret_own, struct bk_err **err)
{
	const char *path = r->plan.join[OCI_NS_PID];
	bk_autoclose int fd = -1;
	int rc;

	if (!path || r->plan.joins_user)
		return 0;
	rc = ns_open(path, OCI_NS_PID, &fd, err);
	if (rc == 0)
		rc = ns_open("/proc/self/ns/pid", OCI_NS_PID, ret_own, err);
	if (rc == 0)
		rc = ns_join(fd, OCI_NS_PID, path, err);
	return rc < 0 ? bk_err_wrap(err, rc, "linux.namespaces") : 0;
}

/*
 * The child gives up what is the runtime's: its end of the pair (or it would not see the runtime go), the
 * lock of the container, and every way from a descriptor back to the host.
 */
static void leave_runtime(const struct container_created *r, const struct container_birth *b)
{
	(void)close(r->sync);
	(void)close(r->c.dirfd);
	(void)close(r->c.root->fd);
	if (b->cgroup_fd >= 0)
		(void)close(b->cgroup_fd);
	if (r->sockets.pidfd >= 0)
		(void)close(r->sockets.pidfd);
	if (r->sockets.seccomp >= 0)
		(void)close(r->sockets.seccomp);
	if (r->notify.sock >= 0)
		(void)close(r->notify.sock);
	if (r->notify.host >= 0)
		(void)close(r->notify.host);
	if (b->watch_fd > 0)
		(void)close(b->watch_fd);
}

static int clone_failed(const struct container_created *r, uint64_t flags, struct bk_err **err)
{
	int errnum = (int)-r->pid;
	int rc = bk_err_set(err, errnum == ENOSYS ? BK_ERR_UNSUPPORTED : BK_ERR_IO, errnum, "clone3");
	const char *hint = NULL;

	if (flags & CLONE_NEWUSER)
		hint = ns_refusal_hint("/proc/sys", errnum);
	else if (flags && errnum == EPERM && geteuid() != 0)
		hint = "an ordinary user's container needs a user namespace: see 'bock-runc spec --rootless'";
	return hint ? bk_err_hint(err, rc, "%s", hint) : rc;
}

int container_birth_clone(struct container_created *r, struct container_birth *b, struct bk_err **err)
{
	uint64_t flags = r->plan.joins_user ? 0 : r->plan.clone_flags;
	bk_autoclose int own = -1;
	int fds[2], rc;

	rc = init_sync_pair(fds, err);
	if (rc < 0)
		return rc;
	r->sync = fds[0];
	b->sync_child = b->child.sync = fds[1];
	rc = container_created_listen(r, err);
	if (rc == 0)
		rc = enter_pid_ns(r, &own, err);
	if (rc < 0)
		return rc;
	r->pid = sys_clone3(flags, b->cgroup_fd, &r->pidfd);
	if (r->pid == 0) {
		leave_runtime(r, b);
		init_child_run(&b->child);
	}
	bk_close(&b->sync_child);
	/* even if there is no child: hooks that run now are the host's */
	if (own >= 0)
		rc = ns_join(own, OCI_NS_PID, "/proc/self/ns/pid", r->pid < 0 ? NULL : err);
	return r->pid < 0 ? clone_failed(r, flags, err) : rc;
}

/* The intermediate process hands us the child and ends. */
int container_birth_adopt(struct container_created *r, struct bk_err **err)
{
	siginfo_t info;
	pid_t pid;
	int pidfd = -1;
	int got = container_created_recv(r, &pid, &pidfd, err);

	if (got < 0)
		return got;
	if (got != SYNC_PID)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "the intermediate process ended");
	(void)waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED);
	bk_close(&r->pidfd);
	r->pidfd = pidfd;
	r->pid = pid;
	return 0;
}

static int save_pid(struct container_created *r, struct bk_err **err)
{
	r->c.state.pid = r->pid;
	r->c.state.pid_inode = container_probe_inode(r->pidfd);
	if (!r->c.state.pid_inode)
		r->c.state.pid_start = container_probe_start(r->pid);
	return container_save(&r->c, err);
}

static int run_clone_and_save(struct container_created *r, struct container_birth *b,
			      struct bk_err **err)
{
	int rc = container_birth_clone(r, b, err);

	if (rc == 0 && r->plan.joins_user)
		rc = container_birth_adopt(r, err);
	return rc == 0 ? save_pid(r, err) : rc;
}

static int how_it_died(struct container_created *r, struct bk_err **err)
{
	const char *who = r->plan.params.exec ? "the process" : "the container's first process";
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED | WNOWAIT) < 0)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "%s is gone", who);
	if (info.si_code == CLD_EXITED)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "%s ended with status %d", who, info.si_status);
	return bk_err_set(err, BK_ERR_IO, 0, "%s was killed by signal %d%s", who, info.si_status,
			  info.si_status == SIGSYS ? " (the seccomp profile forbids a system call that "
						     "the runtime needs before execve)" :
						     "");
}

/* A child that has gone has said why, which says more than that nobody listens. */
static int tell(struct container_created *r, enum init_sync letter, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = init_sync_send(r->sync, letter, 0, -1, &e);
	int got = 0;

	if (rc == 0 || bk_err_errno(e) != EPIPE) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	/* the first may only say that it left something unread */
	for (int tries = 0; got == 0 && tries < 2; tries++)
		got = init_sync_recv(r->sync, NULL, NULL, err);
	return got < 0 ? got : how_it_died(r, err);
}

static int run_id_maps(struct container_created *r, struct container_birth *b, struct bk_err **err)
{
	const struct oci_linux *l = linux_of(r);
	int rc;

	(void)b;
	rc = ns_maps_write(r->pid, l->uid_mappings, l->n_uid_mappings, l->gid_mappings,
			   l->n_gid_mappings, geteuid() == 0, err);
	return rc < 0 ? rc : tell(r, SYNC_MAPS, err);
}

static int run_idmap_mount(struct container_created *r, struct container_birth *b,
			   const struct mount_op *m, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	int rc = container_idmap_make(&b->idmap, m, r->pid, &tree, err);

	return rc < 0 ? rc : container_source_push(r->sync, SYNC_TREE, tree, err);
}

static int run_kind(const char *kind, const struct oci_hook *hooks, size_t n, int status,
		    struct container_created *r, const struct init_hooks_output *output, struct bk_err **err)
{
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);
	struct hooks_how how = { .timeout_ms = container_wait_ms(r->c.root, INIT_HOOK_TIMEOUT_MS),
				 .cwd = r->spec.bundle,
				 .out = output->out,
				 .errout = output->errout };
	int rc;

	if (!n)
		return 0;
	rc = init_state_json(&r->plan, status, r->pid, &json, err);
	if (rc < 0)
		return rc;
	how.state = bk_buf_str(&json);
	how.len = json.len;
	return hooks_run(kind, hooks, n, &how, err);
}

/*
 * prestart hooks are older than the status "creating": they are told what the other runtimes of their time and
 * runtime-tools say, that the container is created (the lifecycle's step 3, "created" being "after step 2").
 */
int container_birth_hooks(struct container_created *r, const struct init_hooks_output *output,
			  struct bk_err **err)
{
	const struct oci_hooks *h = r->spec.config->hooks;
	int rc = run_kind("prestart", h->prestart, h->n_prestart, OCI_CREATED, r, output,
			  err);

	if (rc == 0)
		rc = run_kind("createRuntime", h->create_runtime, h->n_create_runtime, OCI_CREATING,
			      r, output, err);
	return rc;
}

/* OP_NET_DEVICES and OP_RUNTIME_HOOKS: the child asks for them when its mounts are there. */
static int serve_hooks(struct container_created *r, const struct container_birth *b, struct bk_err **err)
{
	int rc = 0;

	if (linux_of(r)->n_net_devices)
		rc = init_trace_mark(r->c.trace, "net-devices", container_net_move(r, err));
	if (rc == 0 && r->spec.config->hooks)
		rc = init_trace_mark(r->c.trace, "hooks",
				   container_birth_hooks(r, &b->child.hooks_output, err));
	return rc < 0 ? rc : tell(r, SYNC_HOOKS_DONE, err);
}

static int announce_listener(struct container_created *r, int *fd, struct bk_err **err)
{
	bool exec = r->plan.params.exec;
	struct oci_state s = init_state(&r->plan, exec ? OCI_RUNNING : OCI_CREATING,
					exec ? r->c.state.pid : r->pid);
	const struct oci_seccomp *profile = linux_of(r)->seccomp;

	return container_sockets_seccomp(&r->sockets, &s, profile ? profile->listener_metadata : NULL,
					 r->pid, fd, err);
}

/*
 * exec: the last stage has forked, and its child is ours. As long as we don't reap it its pid is no
 * other process's.
 */
static int adopt_forked(struct container_created *r, pid_t pid, struct bk_err **err)
{
	bk_autoclose int pidfd = pidfd_open(pid, 0);
	siginfo_t info = { 0 };

	if (pidfd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open a pidfd of process %d", (int)pid);
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return bk_err_set(err, BK_ERR_INTERNAL, errno, "process %d is not our child", (int)pid);
	while (waitid(P_PIDFD, (id_t)r->pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
	bk_close(&r->pidfd);
	r->pidfd = bk_steal_fd(&pidfd);
	r->pid = pid;
	return 0;
}

/*
 * Between its fork and its word the last stage can be killed, and its child, which we don't know yet, would
 * wait with the socket open as we would. True: it has ended, and nothing has come. And the container can end
 * while the process is not in its pid namespace yet and does not end with it: in a frozen cgroup it would say
 * nothing for ever.
 */
static int ended_silently(const struct container_created *r, const struct container_birth *b, bool *ret,
			  struct bk_err **err)
{
	struct pollfd fds[] = { { .fd = r->sync, .events = POLLIN },
				{ .fd = r->pidfd, .events = POLLIN },
				{ .fd = b->child.enter_fd, .events = POLLIN } };

	*ret = false;
	if (!r->plan.stage_forks)
		return 0;
	for (;;) {
		int n = poll(fds, BK_ARRAY_SIZE(fds), container_created_patience(r));

		if (n == 0) /* that takes too long: the reader finds out */
			return 0;
		if (n > 0)
			break;
		if (errno != EINTR)
			return bk_err_set(err, BK_ERR_IO, errno, "wait for the process");
	}
	/* what it said before it ended is there by now */
	if (fds[0].revents || poll(fds, 1, 0) != 0)
		return 0;
	*ret = fds[1].revents != 0;
	return *ret ? 0 : bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
}

/* config.md: what can't be granted is no reason to fail, and is to be told. */
static void warn_of_caps(const struct container_created *r)
{
	bk_autobuf struct bk_buf names = BK_BUF_INIT(BK_BUF_SMALL);

	if (!r->warnings)
		return;
	sec_caps_print(sec_caps_missing(&r->plan.caps, r->pid), &names);
	bk_strv_push(r->warnings, bk_asprintf("process.capabilities: %s can't be granted here and is left out",
					      bk_buf_str(&names)));
}

/* Serves the child until it is ready. */
static int converse(struct container_created *r, const struct container_birth *b,
		    struct bk_err **err)
{
	for (;;) {
		bool ended = false;
		int fd = -1, rc;
		pid_t pid = 0;
		int got;

		rc = ended_silently(r, b, &ended, err);
		if (rc < 0 || ended)
			return rc < 0 ? rc : how_it_died(r, err);
		got = container_created_recv(r, &pid, &fd, err);

		init_trace_flush(r->c.trace);
		if (got < 0)
			return got;
		switch (got) {
		case 0:
			return how_it_died(r, err);
		case SYNC_READY:
			return pid > 0 ? adopt_forked(r, pid, err) : 0;
		case SYNC_HOOKS:
			rc = serve_hooks(r, b, err);
			break;
		case SYNC_CAPS:
			warn_of_caps(r);
			break;
		case SYNC_SECCOMP:
			rc = announce_listener(r, &fd, err);
			break;
		case SYNC_CONSOLE:
			r->master = fd;
			if (r->proxy)
				rc = tty_proxy_attach(r->proxy, fd, err);
			break;
		default:
			rc = bk_err_set(err, BK_ERR_INTERNAL, 0, "unexpected message '%c'", got);
			break;
		}
		if (rc < 0)
			return rc;
	}
}

/* OP_CGROUP_DELEGATE: its namespace of cgroups has the container's for its root by now. */
static int delegate_below(const struct container_created *r, const struct container_birth *b,
			  struct bk_err **err)
{
	for (size_t i = 0; i < r->plan.n[INIT_RUNTIME]; i++) {
		const struct init_op *op = &r->plan.ops[INIT_RUNTIME][i];
		int rc;

		if (op->kind != OP_CGROUP_DELEGATE)
			continue;
		if (b->cgroup_fd < 0)
			rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "this user was not delegated a cgroup");
		else
			rc = cgroup_delegate_below(b->cgroup_fd, op->u.below.name, r->pid,
						   op->u.below.owner, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "annotation '%s'",
					 spec_annotations[SPEC_DELEGATE_CGROUP].name);
		return init_trace_op(r->c.trace, &r->plan, INIT_RUNTIME, op, rc);
	}
	return 0;
}

int container_birth_converse(struct container_created *r, const struct container_birth *b,
			     struct bk_err **err)
{
	int rc = init_trace_mark(r->c.trace, "wait for the process", converse(r, b, err));

	return rc == 0 ? delegate_below(r, b, err) : rc;
}

int container_birth_run(struct container_created *r, struct container_birth *b, struct bk_err **err)
{
	for (size_t i = 0; i < r->plan.n[INIT_RUNTIME]; i++) {
		int rc = 0;

		switch (r->plan.ops[INIT_RUNTIME][i].kind) {
		case OP_SECCOMP_COMPILE:
			rc = container_birth_seccomp(r, b, err);
			break;
		case OP_CGROUP:
			rc = container_birth_cgroup(r, &b->cgroup_fd, err);
			break;
		case OP_LIMITS:
			rc = container_birth_limits(r, b->cgroup_fd, err);
			break;
		case OP_DEVICES:
			rc = container_birth_devices(r, b->cgroup_fd, err);
			break;
		case OP_RDT:
			rc = container_rdt_make(r, err);
			break;
		case OP_CLONE:
			rc = run_clone_and_save(r, b, err);
			break;
		case OP_CGROUP_TELL:
			rc = tell(r, SYNC_CGROUP, err);
			break;
		case OP_RDT_JOIN:
			rc = container_rdt_join(&r->c, r->pid, err);
			break;
		case OP_ID_MAPS:
			rc = run_id_maps(r, b, err);
			break;
		case OP_BIND_SOURCE:
			rc = container_source_send(r->plan.ops[INIT_RUNTIME][i].u.bind, r->pid,
						   r->sync, err);
			break;
		case OP_IDMAP_MOUNT:
			rc = run_idmap_mount(r, b, r->plan.ops[INIT_RUNTIME][i].u.idmapped, err);
			break;
		case OP_CGROUP_OWNER:
			if (b->cgroup_fd >= 0)
				rc = cgroup_delegate(b->cgroup_fd, r->plan.ops[INIT_RUNTIME][i].u.owner,
						     (gid_t)-1, err);
			break;
		default: /* OP_SEAL: done; the others are in serve_hooks and delegate_below */
			continue;
		}
		if (init_trace_op(r->c.trace, &r->plan, INIT_RUNTIME, &r->plan.ops[INIT_RUNTIME][i],
				  rc) < 0)
			return rc;
	}
	return container_birth_converse(r, b, err);
}

int container_birth_release(struct container_created *r, bool wait, struct bk_err **err)
{
	int rc = tell(r, SYNC_GO, err);

	if (rc < 0 || !wait)
		return rc;
	rc = container_created_recv(r, NULL, NULL, err);
	return rc > 0 ? bk_err_set(err, BK_ERR_INTERNAL, 0, "unexpected message '%c'", rc) : rc;
}
