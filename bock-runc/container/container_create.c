/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_create.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "cgroup/cgroup.h"
#include "container/container_begin.h"
#include "container/container_below.h"
#include "container/container_birth.h"
#include "container/container_net.h"
#include "container/container_probe.h"
#include "container/container_rdt.h"
#include "hooks/hooks.h"
#include "init/init_check.h"
#include "init/init_stage.h"
#include "init/init_trace.h"
#include "ns/ns.h"
#include "proc/proc_sysctl.h"
#include "spec/spec_annotations.h"
#include "sys/sys_words.h"

/* A terminal needs somebody who takes its master, and a taker needs a terminal. */
static int check_terminal(const struct container_create *p, const struct spec *spec,
			  struct bk_err **err)
{
	bool terminal = spec->config->process->terminal;

	if (terminal && !p->console_socket && !p->own_terminal)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  SYS_WORD_TTY_NO_SOCKET " (process.terminal is true: see --console-socket)");
	if (!terminal && p->console_socket)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  SYS_WORD_SOCKET_NO_TTY " (process.terminal is false)");
	return 0;
}

/* The path of a joined namespace may lead to the host's own, whose settings are not the container's. */
static int check_sysctls(const struct oci_runtime_config *config, struct bk_err **err)
{
	const struct oci_linux *l = config->linux_;
	bool has_ns[OCI_NS_MAX_];
	char path[INIT_SYSCTL_PATH_MAX];
	int rc = 0;

	if (!l->n_sysctl)
		return 0;
	for (int t = 0; t < OCI_NS_MAX_; t++) {
		const struct oci_namespace *ns = spec_ns(config, t);

		has_ns[t] = ns && (!ns->path || !*ns->path || !ns_is_own(ns->path, t));
	}
	for (size_t i = 0; i < l->n_sysctl && rc == 0; i++)
		rc = proc_sysctl_path(l->sysctl[i].key, has_ns, path, sizeof(path), err);
	return rc;
}

/* What came through our execve can't be close-on-exec; what is, is our own (the log, the state folder). */
int container_check_preserved(uint32_t n, struct bk_err **err)
{
	for (uint32_t i = 0; i < n; i++) {
		int flags = fcntl((int)(3 + i), F_GETFD);

		if (flags < 0 || flags & FD_CLOEXEC)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  SYS_WORD_PRESERVED_FD " %u (of %u) is present", i, n);
	}
	return 0;
}

/* An unprivileged user whose only mapping is itself gets setgroups denied by the kernel. */
static bool denies_setgroups(const struct oci_runtime_config *config, bool rootless)
{
	const struct oci_linux *l = config->linux_;

	if (!spec_ns(config, OCI_NS_USER))
		return rootless && ns_denies_setgroups();
	return geteuid() != 0 && l->n_gid_mappings == 1 && l->gid_mappings[0].size == 1 &&
	       l->gid_mappings[0].host_id == getegid();
}

/* Absolute: the child has another working directory by then. */
static const char *notify_dir(const struct container_create *p, struct bk_arena *arena)
{
	bk_autofree char *root = NULL;
	bk_autofree char *path = NULL;

	if (bk_path_absolute(p->root->path, &root, NULL) < 0)
		root = bk_strdup(p->root->path);
	path = bk_asprintf("%s/%s/" CONTAINER_NOTIFY_FOLDER, root, p->id);
	return bk_arena_strdup(arena, path);
}

static int find_place(const struct container_create *p, struct container_created *r,
		      struct init_params *params, struct bk_err **err)
{
	const struct oci_runtime_config *c = r->spec.config;
	const struct cgroup_want want = { .cgroups_path = c->linux_->cgroups_path,
					  .id = p->id,
					  .rootless = params->rootless,
					  .subgroup = spec_annotation(c, SPEC_SYSTEMD_SUBGROUP),
					  .annotations = c->annotations,
					  .n_annotations = c->n_annotations };
	int rc;

	if (!p->manager)
		return 0;
	rc = cgroup_check_host(&r->host, err);
	if (rc < 0 || (r->host.kind == CGROUP_NONE && !p->manager->late))
		return rc;
	r->place = (struct cgroup_place){ .manager = p->manager, .host = r->host, .id = p->id,
					   .timeout_ms = p->root->timeout_ms };
	rc = p->manager->find(&want, r->spec.arena, &r->place, err);
	if (rc < 0)
		return p->manager->late ? bk_err_wrap(err, rc, "cgroup manager '%s'", p->manager->name) : rc;
	params->cgroup = r->place.path;
	params->cgroup_mount = r->host.mount;
	params->scope = r->place.unit;
	params->slice = r->place.slice;
	return 0;
}

int container_plan(const struct container_create *p, struct container_created *r,
		   struct bk_err **err)
{
	struct init_params params = {
		.id = p->id,
		.listen_fds = p->service.listen_fds,
		.listen_names = p->service.listen_names,
		.no_pivot = p->no_pivot,
	};
	int rc;

	/* too many are none that the caller could have */
	if (__builtin_add_overflow(p->preserve_fds, p->service.listen_fds, &params.preserve_fds))
		params.preserve_fds = UINT32_MAX;
	rc = container_check_id(p->id, err);
	if (rc == 0)
		rc = spec_load(p->bundle, p->config_path, &r->spec, err);
	if (rc == 0 && r->spec.no_process && !p->wait_start)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_NO_PROCESS);
	if (init_trace_mark(p->trace, "read the configuration", rc) < 0)
		return rc;
	params.rootless = geteuid() != 0 || ns_in_userns();
	params.userns_root = params.rootless && geteuid() == 0;
	params.cgroup_optional = !p->cgroup_needed && (params.rootless || p->cgroup_optional);
	params.no_cgroup = !p->manager;
	params.hook_timeout_ms = container_wait_ms(p->root, INIT_HOOK_TIMEOUT_MS);
	params.setgroups_denied = denies_setgroups(r->spec.config, params.rootless);
	cgroup_find(&r->host);
	rc = find_place(p, r, &params, err);
	if (rc < 0)
		return rc;
	if (p->service.notify)
		params.notify_dir = notify_dir(p, r->spec.arena);
	rc = init_plan_compile(&r->spec, &params, &r->plan, err);
	if (rc == 0 && r->plan.limits.n)
		rc = cgroup_limits_check(&r->host, &r->plan.limits, err);
	if (rc == 0)
		rc = init_check(&r->plan, err);
	if (rc == 0)
		rc = container_rdt_plan(r, err);
	return init_trace_mark(p->trace, "make the plan", rc);
}

static int connect_sockets(const struct container_create *p, struct container_created *r,
			   struct bk_err **err)
{
	const char *pidfd = p->pidfd_socket;

	if (!pidfd)
		pidfd = spec_annotation(r->spec.config, SPEC_PIDFD_RECEIVER);
	if (!pidfd && !r->plan.seccomp.listener)
		return 0;
	return container_sockets_connect(p->root, pidfd, r->plan.seccomp.listener, &r->sockets, err);
}

static int prepare_child(const struct container_create *p, struct container_created *r, struct bk_err **err)
{
	int rc = 0;

	if (r->plan.ops[INIT_RUNTIME][0].kind == OP_SEAL)
		rc = init_stage_seal_self(err);
	if (rc == 0 && r->spec.config->linux_->seccomp)
		rc = sec_seccomp_check_kernel(r->spec.config->linux_->seccomp, err);
	return rc == 0 ? connect_sockets(p, r, err) : rc;
}

int container_prepare(const struct container_create *p, struct container_created *r,
		      struct bk_err **err)
{
	int rc = container_plan(p, r, err);

	if (rc == 0)
		rc = check_terminal(p, &r->spec, err);
	if (rc == 0)
		rc = container_check_preserved(r->plan.params.preserve_fds, err);
	if (rc == 0)
		rc = check_sysctls(r->spec.config, err);
	if (rc == 0 && r->plan.host_mounts)
		rc = container_below_check(&r->spec, err);
	if (rc == 0 && r->place.manager)
		rc = r->place.manager->check(&r->place, err);
	if (rc == 0)
		rc = container_net_check(r, err);
	/* in a restored container no code of ours runs, and criu loads the filter that it saw */
	if (rc == 0 && !p->restore)
		rc = prepare_child(p, r, err);
	if (rc == 0 && p->service.notify)
		rc = container_notify_connect(p->service.notify, &r->notify, err);
	if (rc == 0)
		rc = container_created_owner(r, err);
	if (rc < 0) {
		container_created_done(r);
		return rc;
	}
	r->warnings = p->warnings;
	container_created_warn_caps(r);
	return 0;
}

/* Through /proc/self/fd the name is short enough for sun_path, however deep the state folder lies. */
static int listen_start(int dirfd, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket");
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" CONTAINER_SOCKET, dirfd);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "listen on '%s'", CONTAINER_SOCKET);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int open_ends(const struct container_create *p, struct container_created *r,
		     struct container_birth *b, struct bk_err **err)
{
	int rc = 0;

	if (p->wait_start)
		rc = listen_start(r->c.dirfd, &b->child.listen_fd, err);
	if (rc == 0 && p->console_socket)
		rc = container_sockets_open(p->root, p->console_socket, "console socket",
					    &b->child.console_sock, err);
	return rc;
}

static int make(const struct container_create *p, struct container_created *r, int *config,
		struct container_birth *b, struct bk_err **err)
{
	int rc = container_begin(r, p->id, p->no_new_keyring, config, err);

	if (rc == 0)
		rc = open_ends(p, r, b, err);
	if (rc == 0 && p->service.notify)
		rc = container_notify_folder(r->c.dirfd, err);
	if (rc == 0 && p->service.notify && !p->wait_start)
		rc = container_notify_bind(r->c.dirfd, &r->notify, err);
	if (rc == 0 && r->spec.config->hooks)
		rc = init_hooks_open(r->spec.config, r->spec.bundle, &b->child.hooks_output, err);
	(void)init_trace_mark(p->trace, "reserve the id", rc);
	if (rc == 0)
		rc = container_birth_run(r, b, err);
	if (rc == 0)
		rc = container_sockets_pidfd(&r->sockets, r->pidfd, CONTAINER_PIDFD_INIT, err);
	if (rc == 0)
		rc = container_rdt_keep(r, err);
	if (rc == 0)
		rc = container_created_pid_file(r, p->pid_file, err);
	if (rc == 0)
		rc = container_birth_release(r, p->wait_start, err);
	return init_trace_mark(p->trace, p->wait_start ? "created" : "released", rc);
}

int container_create(const struct container_create *p, struct container_created *r,
		     struct bk_err **err)
{
	bk_autoclose int config = -1;
	struct container_birth b;
	int rc;

	container_birth_init(&b, r);
	b.child.die_with_parent = p->die_with_runtime;
	b.child.new_keyring = !p->no_new_keyring;
	b.watch_fd = p->watch_fd;
	if (p->signal_mask) {
		b.child.restore_mask = true;
		b.child.signal_mask = *p->signal_mask;
	}
	b.child.trace = p->trace;
	rc = container_reserve(p->root, p->id, &r->c, &config, err);
	r->c.trace = p->trace;
	if (rc == 0) {
		rc = make(p, r, &config, &b, err);
		if (rc < 0)
			container_created_undo(r);
	}
	container_birth_done(&b);
	if (rc < 0)
		container_created_done(r);
	return rc;
}
