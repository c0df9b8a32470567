/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_validate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_devices.h"
#include "cgroup/cgroup_manager.h"
#include "container/container_below.h"
#include "container/container_rdt.h"
#include "hooks/hooks.h"
#include "init/init_check.h"
#include "init/init_plan.h"
#include "init/init_seccomp.h"
#include "ns/ns.h"
#include "proc/proc_affinity.h"
#include "proc/proc_ioprio.h"
#include "proc/proc_personality.h"
#include "proc/proc_rlimit.h"
#include "proc/proc_sysctl.h"
#include "sys/sys_kernel.h"
#include "sys/sys_words.h"

#define TEXT_MAX (4 * BK_ERR_MSG_MAX)

struct validate {
	struct spec spec;
	const struct cgroup_manager *manager;
	struct cgroup_host host;
	container_validate_fn found;
	void *ctx;
	char **seen;	/* strv: the same is told once */
	size_t n;
};

/* Takes e. */
static void problem(struct bk_err *e, void *ctx)
{
	struct validate *v = ctx;
	char text[TEXT_MAX];

	bk_err_print(e, text, sizeof(text));
	bk_err_clear(&e);
	for (char **s = v->seen; s && *s; s++) {
		if (bk_streq(*s, text))
			return;
	}
	bk_strv_add(&v->seen, text);
	v->n++;
	v->found(text, v->ctx);
}

/* True if rc is an error, which is told. */
static bool bad(struct validate *v, int rc, struct bk_err **e)
{
	if (rc < 0)
		problem(bk_steal_ptr(e), v);
	return rc < 0;
}

/* ---- the parts of the document ------------------------------------------------------------------ */

static void check_bind_source(struct validate *v, const struct mount_op *m)
{
	struct bk_err *e = NULL;

	if (m->kind != MOUNT_BIND || access(m->source, F_OK) == 0 || errno == EACCES)
		return;
	(void)bk_err_set(&e, BK_ERR_NOT_FOUND, errno, "%s.source: '%s'", m->where, m->source);
	problem(bk_steal_ptr(&e), v);
}

/* Those that are right are moved to the front, so that all others can be looked at together. */
static void check_mounts(struct validate *v)
{
	struct oci_runtime_config *c = v->spec.config;
	const struct oci_linux *l = c->linux_;
	const struct mount_ctx ctx = {
		.bundle = v->spec.bundle,
		.cgroup_ns = true,
		.roots = mount_plan_roots(c->mounts, c->n_mounts),
		.maps = { .userns = spec_ns(c, OCI_NS_USER) != NULL,
			  .uids = l->uid_mappings, .n_uids = l->n_uid_mappings,
			  .gids = l->gid_mappings, .n_gids = l->n_gid_mappings },
	};
	size_t kept = 0;

	for (size_t i = 0; i < c->n_mounts; i++) {
		struct bk_err *e = NULL;
		struct mount_op op;

		if (bad(v, mount_plan_op(&c->mounts[i], i, &ctx, v->spec.arena, &op, &e), &e))
			continue;
		check_bind_source(v, &op);
		c->mounts[kept++] = c->mounts[i];
	}
	c->n_mounts = kept;
}

static void check_sysctls(struct validate *v)
{
	struct oci_linux *l = v->spec.config->linux_;
	bool has_ns[OCI_NS_MAX_];
	size_t kept = 0;

	for (int t = 0; t < OCI_NS_MAX_; t++)
		has_ns[t] = spec_ns(v->spec.config, t) != NULL;
	for (size_t i = 0; i < l->n_sysctl; i++) {
		char path[INIT_SYSCTL_PATH_MAX];
		struct bk_err *e = NULL;

		if (!bad(v, proc_sysctl_path(l->sysctl[i].key, has_ns, path, sizeof(path), &e), &e))
			l->sysctl[kept++] = l->sysctl[i];
	}
	l->n_sysctl = kept;
}

static void check_limits(struct validate *v)
{
	struct oci_linux *l = v->spec.config->linux_;
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct bk_err *e = NULL;

	if (!l->resources)
		return;
	if (bad(v, cgroup_limits_compile(l->resources, &limits, &e), &e)) {
		l->resources = NULL;
		return;
	}
	for (size_t i = 0; i < limits.n && v->host.kind != CGROUP_NONE; i++) {
		const struct cgroup_limits one = { .list = &limits.list[i], .n = 1 };

		(void)bad(v, cgroup_limits_check(&v->host, &one, &e), &e);
	}
	cgroup_limits_done(&limits);
}

static void check_devices(struct validate *v)
{
	struct oci_linux *l = v->spec.config->linux_;
	bk_autofree struct cgroup_device_rule *rules = NULL;
	struct dev_node *nodes;
	struct bk_err *e = NULL;
	size_t n;

	if (bad(v, dev_nodes_compile(l->devices, l->n_devices, v->spec.arena, &nodes, &n, &e), &e))
		l->n_devices = 0;
	if (l->resources && bad(v, cgroup_devices_rules(l->resources->devices,
							l->resources->n_devices, &rules, &n, &e), &e))
		l->resources->n_devices = 0;
}

static void check_seccomp(struct validate *v)
{
	struct oci_linux *l = v->spec.config->linux_;
	bk_auto(sec_bpf_done) struct sec_bpf bpf = SEC_BPF_INIT;
	struct init_seccomp s = { 0 };
	struct bk_err *e = NULL;
	int rc = init_seccomp_compile(v->spec.config, &s, &e);

	if (rc == 0 && s.has)
		rc = init_seccomp_program(&s, -1, &bpf, &e);
	if (bad(v, rc, &e))
		l->seccomp = NULL;
}

/* One kind of hooks; those of the container's own files can't be looked for. */
static void check_hooks_of(struct validate *v, const char *kind, const struct oci_hook *hooks,
			   size_t *n, bool in_container)
{
	struct bk_err *e = NULL;

	if (bad(v, hooks_check(kind, hooks, *n, &e), &e)) {
		*n = 0;
		return;
	}
	for (size_t i = 0; i < *n && !in_container; i++) {
		if (access(hooks[i].path, X_OK) == 0)
			continue;
		(void)bk_err_set(&e, BK_ERR_IO, errno, "hooks.%s[%zu].path: '%s'", kind, i, hooks[i].path);
		problem(bk_steal_ptr(&e), v);
	}
}

static void check_hooks(struct validate *v)
{
	struct oci_hooks *h = v->spec.config->hooks;

	if (!h)
		return;
	check_hooks_of(v, "prestart", h->prestart, &h->n_prestart, false);
	check_hooks_of(v, "createRuntime", h->create_runtime, &h->n_create_runtime, false);
	check_hooks_of(v, "createContainer", h->create_container, &h->n_create_container, false);
	check_hooks_of(v, "startContainer", h->start_container, &h->n_start_container, true);
	check_hooks_of(v, "poststart", h->poststart, &h->n_poststart, false);
	check_hooks_of(v, "poststop", h->poststop, &h->n_poststop, false);
}

static void check_process(struct validate *v, char ***warnings)
{
	static char *some_args[] = { (char *)"sh", NULL };
	struct oci_process *p = v->spec.config->process;
	bk_autostrv char **unknown = NULL;
	struct sec_caps caps;
	struct bk_err *e = NULL;

	if (!p->args || !p->args[0]) /* spec_check has said so */
		p->args = some_args;
	if (bad(v, sec_caps_compile(p->capabilities, &caps, &unknown, &e), &e))
		p->capabilities = NULL;
	for (char **cap = unknown; cap && *cap; cap++)
		bk_strv_push(warnings, bk_asprintf("process.capabilities: '%s' is unknown and ignored",
						   *cap));
	if (bad(v, proc_rlimit_check(p->rlimits, p->n_rlimits, &e), &e))
		p->n_rlimits = 0;
}

static void check_attrs(struct validate *v)
{
	struct oci_process *p = v->spec.config->process;
	struct oci_linux *l = v->spec.config->linux_;
	struct bk_arena *arena = v->spec.arena;
	struct proc_affinity affinity;
	struct proc_mempolicy mempolicy;
	struct proc_sched sched;
	struct bk_err *e = NULL;
	int number;

	if (bad(v, proc_affinity_compile(p->exec_cpu_affinity, arena, &affinity, &e), &e))
		p->exec_cpu_affinity = NULL;
	if (p->scheduler && bad(v, proc_sched_compile(p->scheduler, &sched, &e), &e))
		p->scheduler = NULL;
	if (p->io_priority && bad(v, proc_ioprio_compile(p->io_priority, &number, &e), &e))
		p->io_priority = NULL;
	if (l->personality && bad(v, proc_personality_compile(l->personality, &number, &e), &e))
		l->personality = NULL;
	if (l->memory_policy &&
	    bad(v, proc_mempolicy_compile(l->memory_policy, arena, &mempolicy, &e), &e))
		l->memory_policy = NULL;
	if (l->intel_rdt && bad(v, rdt_check(l->intel_rdt, "validate", &e), &e))
		l->intel_rdt = NULL;
}

/* ---- what is outside of the document ------------------------------------------------------------ */

static void check_rootfs(struct validate *v)
{
	bk_autoclose int fd = open(v->spec.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct bk_err *e = NULL;

	if (fd >= 0 && !spec_ns(v->spec.config, OCI_NS_MOUNT))
		(void)bad(v, container_below_check(&v->spec, &e), &e);
	if (fd >= 0 || errno == EACCES)
		return;
	(void)bk_err_set(&e, BK_ERR_IO, errno, "root.path: '%s'", v->spec.rootfs);
	problem(bk_steal_ptr(&e), v);
}

static void check_namespace(struct validate *v, size_t i)
{
	const struct oci_namespace *ns = &v->spec.config->linux_->namespaces[i];
	const struct ns_info *info = ns_info_of(ns->type);
	bk_autoclose int fd = -1;
	struct bk_err *e = NULL;
	char path[64];
	int rc = 0;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", info->proc_name);
	if (access(path, F_OK) < 0)
		rc = bk_err_set(&e, BK_ERR_UNSUPPORTED, 0,
				"linux.namespaces[%zu].type: this kernel has no namespaces of type '%s'", i,
				info->name);
	else if (ns->path && *ns->path) {
		rc = ns_open(ns->path, ns->type, &fd, &e);
		if (rc == -BK_ERR_PERMISSION) { /* not ours to look at; it may be right */
			bk_err_clear(&e);
			return;
		}
		(void)bk_err_wrap(&e, rc, "linux.namespaces[%zu].path", i);
	}
	(void)bad(v, rc, &e);
}

/* Only a cgroup below the root has the file; without one nobody can tell. */
static bool has_cgroup_kill(const struct cgroup_host *host)
{
	bk_autoclosedir DIR *d = host->mount ? opendir(host->mount) : NULL;
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		bk_autofree char *file = NULL;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		file = bk_asprintf("%s/cgroup.kill", e->d_name);
		return faccessat(dirfd(d), file, F_OK, 0) == 0 || errno != ENOENT;
	}
	return true;
}

static void check_kernel(struct validate *v)
{
	const struct sys_kernel_call *call;
	struct bk_err *e = NULL;

	for (size_t i = 0; (call = sys_kernel_call(i)); i++) {
		int errnum = sys_kernel_refused(i);

		if (!errnum)
			continue;
		(void)bk_err_set(&e, BK_ERR_UNSUPPORTED, 0, "kernel: the system call %s (Linux %s) is %s",
				 call->name, call->since,
				 errnum == ENOSYS ? "not there" : "refused by a sandbox");
		problem(bk_steal_ptr(&e), v);
	}
	if (has_cgroup_kill(&v->host))
		return;
	(void)bk_err_set(&e, BK_ERR_UNSUPPORTED, 0, "kernel: cgroup.kill (Linux 5.14) is not there");
	problem(bk_steal_ptr(&e), v);
}

/* ---- all of it ----------------------------------------------------------------------------------- */

static int find_place(struct validate *v, struct init_params *params, struct bk_err **err)
{
	const struct oci_runtime_config *c = v->spec.config;
	const struct cgroup_want want = { .cgroups_path = c->linux_->cgroups_path,
					  .id = params->id,
					  .annotations = c->annotations,
					  .n_annotations = c->n_annotations };
	struct cgroup_place place = { .manager = v->manager, .host = v->host, .id = params->id };
	int rc;

	if (!v->manager || v->host.kind == CGROUP_NONE)
		return 0;
	rc = v->manager->find(&want, v->spec.arena, &place, err);
	if (rc == 0)
		rc = v->manager->check(&place, err);
	params->cgroup = place.path;
	params->cgroup_mount = v->host.mount;
	params->scope = place.unit;
	params->slice = place.slice;
	return rc;
}

/* What is left of the document, as a whole, and what of the kernel the plan asks for. */
static void check_plan(struct validate *v)
{
	const struct oci_linux *l = v->spec.config->linux_;
	struct init_params params = { .id = "validate", .no_cgroup = !v->manager };
	struct init_plan plan = { 0 };
	struct bk_err *e = NULL;
	int rc = find_place(v, &params, &e);

	if (rc == 0)
		rc = init_plan_compile(&v->spec, &params, &plan, &e);
	if (bad(v, rc, &e))
		return;
	(void)init_check_each(&plan, problem, v);
	init_plan_done(&plan);
	if (l->intel_rdt) {
		bk_autofree char *mount = NULL;

		(void)bad(v, container_rdt_find(&mount, &e), &e);
	}
}

static void check_all(struct validate *v, char ***warnings)
{
	const struct oci_runtime_config *c = v->spec.config;

	(void)spec_check_each(c, problem, v);
	check_kernel(v);
	if (!c->root || !c->root->path || !*c->root->path || !c->linux_)
		return;
	if (!c->process) {
		struct bk_err *e = NULL;

		(void)bad(v, bk_err_set(&e, BK_ERR_CONFIG, 0, SYS_WORD_NO_PROCESS), &e);
		return;
	}
	check_rootfs(v);
	for (size_t i = 0; i < c->linux_->n_namespaces; i++)
		check_namespace(v, i);
	check_process(v, warnings);
	check_attrs(v);
	check_mounts(v);
	check_hooks(v);
	check_sysctls(v);
	check_limits(v);
	check_devices(v);
	check_seccomp(v);
	check_plan(v);
}

size_t container_validate(const struct cgroup_manager *manager, const char *bundle,
			  const char *config_path, container_validate_fn found, void *ctx, char ***warnings)
{
	struct validate v = { .manager = manager, .found = found, .ctx = ctx };
	struct bk_err *e = NULL;

	cgroup_find(&v.host);
	if (!bad(&v, spec_read(bundle, config_path, &v.spec, &e), &e))
		check_all(&v, warnings);
	spec_done(&v.spec);
	bk_strv_free(v.seen);
	return v.n;
}
