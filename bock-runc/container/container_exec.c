/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "container/container_below.h"
#include "container/container_birth.h"
#include "container/container_create.h"
#include "container/container_probe.h"
#include "container/container_rdt.h"
#include "init/init_check.h"
#include "init/init_stage.h"
#include "init/init_sync.h"
#include "init/init_trace.h"
#include "ns/ns.h"
#include "sys/sys_words.h"
#include "tty/tty_proxy.h"

#define WORD_CREATING "cannot exec in a container that is being created"

static int check_status(const struct container *c, bool ignore_paused, struct bk_err **err)
{
	enum oci_status status;
	int rc = container_status(c, &status, NULL, err);

	if (rc < 0)
		return rc;
	switch (status) {
	case OCI_STOPPED:
		return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_EXEC_STOPPED);
	case OCI_CREATING:
		return bk_err_set(err, BK_ERR_CONFIG, 0, WORD_CREATING);
	case OCI_PAUSED:
		if (ignore_paused)
			return 0;
		return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_EXEC_PAUSED
				  " (use --ignore-paused to override)");
	default:
		return 0;
	}
}

static int check_terminal(const struct container_exec *p, const struct oci_process *process,
			  struct bk_err **err)
{
	if (process->terminal && p->detach && !p->console_socket)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  SYS_WORD_TTY_NO_SOCKET " (a terminal is asked for: see --console-socket)");
	if (p->console_socket && !(process->terminal && p->detach))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  SYS_WORD_SOCKET_NO_TTY);
	return 0;
}

static bool is_own_user_ns(const struct container *c)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)c->state.pid);
	return ns_is_own(path, OCI_NS_USER);
}

/* Everything that can be found out before anything is done. */
static int prepare(const struct container_exec *p, struct container_created *r, int *ret_pidfd,
		   struct bk_err **err)
{
	struct init_params params = { .id = p->id, .preserve_fds = p->preserve_fds, .exec = true };
	int rc = container_open(p->root, p->id, false, &r->c, err);

	r->c.trace = p->trace;
	if (rc == 0)
		rc = check_status(&r->c, p->ignore_paused, err);
	/* it was when we read its state */
	if (rc == 0 && r->c.state.pid == 0)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, WORD_CREATING);
	if (rc == 0)
		rc = container_pidfd(&r->c, ret_pidfd, err);
	if (rc == 0)
		rc = spec_load_kept(r->c.dirfd, CONTAINER_CONFIG_FILE, r->c.state.bundle, &r->spec, err);
	if (rc == 0)
		rc = container_exec_process(p, &r->spec, &r->spec.config->process, err);
	if (rc == 0)
		rc = check_terminal(p, r->spec.config->process, err);
	if (rc == 0)
		rc = container_check_preserved(p->preserve_fds, err);
	if (rc < 0)
		return rc;
	params.rootless = geteuid() != 0 || ns_in_userns();
	params.cgroup = r->c.state.cgroup;
	params.own_user_ns = spec_ns(r->spec.config, OCI_NS_USER) && is_own_user_ns(&r->c);
	params.other_mount_ns = r->c.state.mount_ns && !container_below_is_ours(&r->c);
	params.root_dev = r->c.state.root_dev;
	params.root_inode = r->c.state.root_inode;
	rc = init_plan_compile_exec(&r->spec, &params, &r->plan, err);
	if (rc == 0)
		rc = init_check(&r->plan, err);
	if (init_trace_mark(p->trace, "make the plan", rc) == 0 && r->plan.seal)
		rc = init_stage_seal_self(err);
	if (rc == 0)
		rc = container_sockets_connect(p->root, p->pidfd_socket, r->plan.seccomp.listener, &r->sockets,
					       err);
	return rc;
}

/*
 * --cgroup: a path below the container's cgroup, with controllers and a colon before it where cgroup v1 is
 * meant (runc), which has no meaning here but "".
 */
static int sub_cgroup(const char *own, const char *sub, char **ret, struct bk_err **err)
{
	bk_autofree char *rooted = NULL;
	bk_autofree char *clean = NULL;
	const char *colon = strchr(sub, ':');

	if (colon && colon != sub)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "--cgroup '%s': controllers have cgroups of their own in version 1 only",
				  sub);
	if (colon)
		sub = colon + 1;
	for (const char *part = sub; part; part = strchr(part, '/'), part += part != NULL) {
		if (strcspn(part, "/") == 2 && strncmp(part, "..", 2) == 0)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "--cgroup: bad sub cgroup path: %s", sub);
	}
	rooted = bk_path_join("/", sub);
	clean = bk_path_clean(rooted);
	*ret = bk_streq(clean, "/") ? bk_strdup(own) : bk_asprintf("%s%s", own, clean);
	return 0;
}

static int open_cgroup(const struct container_exec *p, struct container_created *r, int *ret_fd,
		       struct bk_err **err)
{
	bk_autofree char *path = NULL;
	int rc;

	cgroup_find(&r->host);
	if (!r->c.state.cgroup) {
		if (!p->cgroup)
			return 0;
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "--cgroup: the container has no cgroup");
	}
	if (!p->cgroup)
		return cgroup_open(&r->host, r->c.state.cgroup, ret_fd, err);
	rc = sub_cgroup(r->c.state.cgroup, p->cgroup, &path, err);
	if (rc == 0)
		rc = cgroup_open(&r->host, path, ret_fd, err);
	return rc < 0 ? bk_err_wrap(err, rc, "--cgroup") : 0;
}

/*
 * A container may have moved its processes to cgroups below its own and enabled controllers for them, or have
 * made it threaded: then nobody can join that any more, and the cgroup of its first process is the place.
 *
 * A user whose session is in another part of the tree may not move processes to the user's own scopes, but
 * systemd does it: *ret_joins.
 */
static int clone_into(const struct container_exec *p, struct container_created *r,
		      struct container_birth *b, bool *ret_joins, struct bk_err **err)
{
	bk_autofree char *path = NULL;
	struct bk_err *e = NULL;
	int errnum, rc = container_birth_clone(r, b, &e);

	errnum = rc < 0 ? bk_err_errno(e) : 0;
	*ret_joins = errnum == EACCES && b->cgroup_fd >= 0 && !p->cgroup && r->c.state.unit;
	if (b->cgroup_fd < 0 || p->cgroup || (errnum != EBUSY && errnum != EOPNOTSUPP && !*ret_joins)) {
		if (rc < 0)
			bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	bk_close(&b->cgroup_fd);
	bk_close(&r->sync);
	if (*ret_joins)
		return container_birth_clone(r, b, err);
	rc = cgroup_of(r->c.state.pid, &path, err);
	if (rc == 0)
		rc = cgroup_open(&r->host, path, &b->cgroup_fd, err);
	return rc < 0 ? rc : container_birth_clone(r, b, err);
}

/* The child waits to be released. */
static int join_scope(const struct container_created *r, struct bk_err **err)
{
	struct cgroup_place place;

	container_place(&r->c, &place);
	return place.manager->join(&place, r->pid, err);
}

static int give_birth(const struct container_exec *p, struct container_created *r,
		      struct container_birth *b, struct bk_err **err)
{
	bool joins = false;
	int rc = 0;

	if (r->plan.seccomp.has)
		rc = init_trace_mark(p->trace, "seccomp-compile",
				     container_birth_seccomp(r, b, err));
	if (rc == 0)
		rc = open_cgroup(p, r, &b->cgroup_fd, err);
	if (rc == 0 && p->console_socket)
		rc = container_sockets_open(p->root, p->console_socket, "console socket",
					    &b->child.console_sock, err);
	/* ours too from now on: the child is born in the container's cgroup, and must begin with these */
	if (rc == 0)
		rc = proc_affinity_set(&r->plan.affinity.initial, err);
	if (rc == 0)
		rc = init_trace_mark(p->trace, "clone", clone_into(p, r, b, &joins, err));
	if (rc == 0 && r->plan.seal && spec_ns(r->spec.config, OCI_NS_PID))
		rc = container_birth_adopt(r, err);
	if (rc == 0)
		rc = container_birth_converse(r, b, err);
	if (rc == 0 && joins)
		rc = join_scope(r, err);
	if (rc == 0)
		rc = container_rdt_join(&r->c, r->pid, err);
	if (rc == 0)
		rc = container_sockets_pidfd(&r->sockets, r->pidfd, CONTAINER_PIDFD_EXEC, err);
	if (rc == 0)
		rc = container_created_pid_file(r, p->pid_file, err);
	if (rc == 0)
		rc = container_birth_release(r, false, err);
	if (rc == 0) /* until execve closes it */
		rc = init_trace_mark(p->trace, "execute the program",
				     container_created_recv(r, NULL, NULL, err));
	return rc;
}

static int run(const struct container_exec *p, struct container_created *r, int pidfd,
	       struct tty_proxy *proxy, int *ret_status, struct bk_err **err)
{
	struct container_birth b;
	int rc;

	container_birth_init(&b, r);
	b.child.enter_fd = pidfd;
	b.child.trace = p->trace;
	b.child.new_keyring = !r->c.state.no_new_keyring;
	if (proxy) {
		r->proxy = proxy;
		b.child.die_with_parent = true;
		b.child.restore_mask = true;
		b.child.signal_mask = proxy->saved_mask;
	}
	rc = give_birth(p, r, &b, err);
	container_birth_done(&b);
	if (rc == 0 && proxy)
		rc = tty_proxy_run(proxy, r->master, r->pidfd, err);
	if (rc == 0 && proxy)
		rc = init_trace_mark(p->trace, "run", container_created_reap(r, ret_status, err));
	if (rc < 0 && r->pidfd >= 0)
		container_created_kill(r);
	return rc;
}

int container_exec(const struct container_exec *p, int *ret_status, struct bk_err **err)
{
	struct container_created r = CONTAINER_CREATED_INIT;
	struct tty_proxy proxy = TTY_PROXY_INIT;
	bk_autoclose int pidfd = -1;
	int rc = prepare(p, &r, &pidfd, err);

	if (rc == 0)
		rc = container_created_owner(&r, err);
	r.warnings = p->warnings;
	r.endless = p->ignore_paused;
	container_created_warn_caps(&r);
	if (rc == 0 && !p->detach)
		rc = tty_proxy_begin(&proxy, err);
	if (rc == 0)
		rc = run(p, &r, pidfd, p->detach ? NULL : &proxy, ret_status, err);
	tty_proxy_end(&proxy);
	container_created_done(&r);
	return rc;
}
