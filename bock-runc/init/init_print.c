/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "init/init_plan.h"
#include "ns/ns.h"
#include "proc/proc_ioprio.h"
#include "proc/proc_personality.h"

static void print_words(struct bk_buf *out, char *const *v)
{
	for (; v && *v; v++)
		bk_buf_printf(out, " %s", *v);
}

static void print_hooks(struct bk_buf *out, const struct oci_hook *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bk_buf_printf(out, " %s", h[i].path);
}

static void print_maps(struct bk_buf *out, const char *what, const struct oci_id_mapping *m, size_t n)
{
	bk_buf_printf(out, " %s", what);
	for (size_t i = 0; i < n; i++)
		bk_buf_printf(out, " %u:%u:%u", m[i].container_id, m[i].host_id, m[i].size);
}

static void print_namespaces(uint64_t flags, struct bk_buf *out)
{
	for (int t = 0; t < OCI_NS_MAX_; t++) {
		const struct ns_info *ns = ns_info_of(t);

		if (flags & (uint64_t)ns->clone_flag)
			bk_buf_printf(out, " %s", ns->name);
	}
}

static void print_clone(const struct init_plan *p, struct bk_buf *out)
{
	bk_buf_adds(out, "clone");
	print_namespaces(p->clone_flags, out);
	if (p->params.cgroup && !p->params.scope)
		bk_buf_adds(out, " into-cgroup");
	if (p->joins_user)
		bk_buf_adds(out, " after-joins");
}

static void print_cpus(const struct proc_mask *cpus, const char *none, struct bk_buf *out)
{
	bk_buf_printf(out, "affinity %s", cpus->n_words ? "" : none);
	proc_mask_print(cpus, out);
}

static void print_devices(const struct init_plan *p, struct bk_buf *out)
{
	const struct oci_resources *r = p->spec->config->linux_->resources;
	struct cgroup_device_rule *rules = NULL;
	size_t n = 0;

	bk_buf_adds(out, "devices");
	if (cgroup_devices_rules(r ? r->devices : NULL, r ? r->n_devices : 0, &rules, &n, NULL) == 0) {
		for (size_t i = 0; i < n; i++) {
			bk_buf_adds(out, i ? ", " : " ");
			cgroup_devices_print(&rules[i], out);
		}
	}
	free(rules);
}

static void print_net_devices(const struct oci_linux *l, struct bk_buf *out)
{
	bk_buf_adds(out, "net-devices");
	for (size_t i = 0; i < l->n_net_devices; i++) {
		const struct oci_net_device *d = &l->net_devices[i];

		bk_buf_printf(out, " %s", d->key);
		if (d->name && *d->name)
			bk_buf_printf(out, ":%s", d->name);
	}
}

static void print_rdt(const struct oci_intel_rdt *r, struct bk_buf *out)
{
	bk_buf_printf(out, "resctrl group '%s'", r->clos_id && *r->clos_id ? r->clos_id : "of the id");
	if (r->l3_cache_schema && *r->l3_cache_schema)
		bk_buf_printf(out, " %s", r->l3_cache_schema);
	if (r->mem_bw_schema && *r->mem_bw_schema)
		bk_buf_printf(out, " %s", r->mem_bw_schema);
	print_words(out, r->schemata);
	if (r->enable_monitoring)
		bk_buf_adds(out, " monitoring");
}

static void print_runtime(const struct init_plan *p, const struct init_op *op, struct bk_buf *out)
{
	const struct oci_runtime_config *c = p->spec->config;

	switch (op->kind) {
	case OP_SEAL:
		bk_buf_adds(out, "seal the whole runtime");
		break;
	case OP_SECCOMP_COMPILE:
		if (p->seccomp.raw)
			bk_buf_adds(out, "seccomp-compile nothing: a ready-made program");
		else
			bk_buf_printf(out, "seccomp-compile default %s, %zu rules",
				      p->seccomp.profile->default_action,
				      p->seccomp.profile->n_syscalls);
		if (p->seccomp.listener)
			bk_buf_printf(out, ", notifies '%s'", p->seccomp.listener);
		break;
	case OP_CGROUP:
		bk_buf_printf(out, "cgroup '%s'", p->params.cgroup);
		if (p->params.scope)
			bk_buf_printf(out, " of unit '%s' in '%s'", p->params.scope, p->params.slice);
		break;
	case OP_CGROUP_TELL:
		bk_buf_adds(out, "cgroup-tell");
		break;
	case OP_DEVICES:
		print_devices(p, out);
		break;
	case OP_AFFINITY_INITIAL:
		print_cpus(&p->affinity.initial, "", out);
		break;
	case OP_CLONE:
		print_clone(p, out);
		break;
	case OP_ID_MAPS:
		bk_buf_adds(out, "id-maps");
		print_maps(out, "uid", c->linux_->uid_mappings, c->linux_->n_uid_mappings);
		print_maps(out, "gid", c->linux_->gid_mappings, c->linux_->n_gid_mappings);
		break;
	case OP_NET_DEVICES:
		print_net_devices(c->linux_, out);
		break;
	case OP_RDT:
		print_rdt(c->linux_->intel_rdt, out);
		break;
	case OP_RDT_JOIN:
		bk_buf_adds(out, "resctrl-join");
		break;
	case OP_RUNTIME_HOOKS:
		bk_buf_adds(out, "hooks");
		print_hooks(out, c->hooks->prestart, c->hooks->n_prestart);
		print_hooks(out, c->hooks->create_runtime, c->hooks->n_create_runtime);
		break;
	case OP_BIND_SOURCE:
		bk_buf_printf(out, "open source of %s '%s'", op->u.bind->where, op->u.bind->source);
		break;
	case OP_IDMAP_MOUNT:
		bk_buf_printf(out, "map ids of %s '%s' ", op->u.idmapped->where, op->u.idmapped->dest);
		mount_idmap_print(op->u.idmapped->idmap, out);
		break;
	case OP_CGROUP_OWNER:
		bk_buf_printf(out, "cgroup-owner %u", op->u.owner);
		break;
	case OP_CGROUP_DELEGATE:
		bk_buf_printf(out, "cgroup-delegate '%s'", op->u.below.name);
		if (op->u.below.owner)
			bk_buf_printf(out, " %u", op->u.below.owner);
		break;
	case OP_LIMITS:
		bk_buf_adds(out, "limits ");
		cgroup_limits_print(&p->limits, out);
		break;
	default:
		break;
	}
}

static void print_container(const struct init_plan *p, const struct init_op *op, struct bk_buf *out)
{
	const struct oci_hooks *h = p->spec->config->hooks;
	const struct oci_linux *l = p->spec->config->linux_;

	switch (op->kind) {
	case OP_JOIN:
		bk_buf_printf(out, "join %s '%s'", ns_info_of(op->u.ns.type)->name, op->u.ns.path);
		break;
	case OP_AFFINITY:
		print_cpus(&p->affinity.final, "all", out);
		break;
	case OP_ENTER:
		bk_buf_adds(out, "enter");
		print_namespaces(op->u.flags, out);
		break;
	case OP_KEY_LABEL:
		bk_buf_printf(out, "keyring-label '%s'", op->u.text);
		break;
	case OP_OOM_SCORE:
		bk_buf_printf(out, "oom-score-adj %d", p->spec->config->process->oom_score_adj);
		break;
	case OP_ISOLATE:
		bk_buf_printf(out, "isolate %s", op->u.propagation ?
			      mount_opts_propagation_name(op->u.propagation) : "rslave");
		break;
	case OP_ROOT_OPEN:
		bk_buf_printf(out, "root '%s' as it is", op->u.text);
		break;
	case OP_ROOT_BIND:
		bk_buf_printf(out, "root '%s'", op->u.text);
		break;
	case OP_MOUNT:
		mount_plan_print(&op->u.mount, out);
		break;
	case OP_DEV_NODES:
		for (size_t i = 0; i < op->u.nodes.n; i++) {
			if (i)
				bk_buf_adds(out, "\n  ");
			dev_nodes_print(&op->u.nodes.v[i], out);
			if (op->u.nodes.bind)
				bk_buf_adds(out, " bind");
		}
		break;
	case OP_READONLY_PATHS:
		bk_buf_adds(out, "read-only");
		print_words(out, l->readonly_paths);
		break;
	case OP_NOTIFY_OPEN:
		bk_buf_printf(out, "notify-open '%s'", op->u.text);
		break;
	case OP_NOTIFY_MOUNT:
		bk_buf_printf(out, "notify-mount '%s'", op->u.text);
		break;
	case OP_MASKED_PATHS:
		bk_buf_adds(out, "mask");
		print_words(out, l->masked_paths);
		break;
	case OP_CREATE_HOOKS:
		bk_buf_adds(out, "hooks");
		print_hooks(out, h->create_container, h->n_create_container);
		break;
	default: {
		static const char *const names[] = {
			[OP_HOST_PROC] = "host-procfs", [OP_BECOME_ROOT] = "become-root", [OP_TIME_NS] = "unshare time",
			[OP_CGROUP_NS] = "unshare cgroup", [OP_CGROUP_WAIT] = "cgroup-wait", [OP_IPC_NS] = "unshare ipc", [OP_SESSION] = "session",
			[OP_LOOPBACK] = "loopback", [OP_PRIVATE_PROC] = "private-procfs",
			[OP_DEV_LINKS] = "device-links", [OP_CONSOLE] = "console",
			[OP_FORK] = "fork", [OP_WAIT_HOOKS] = "wait-hooks", [OP_PIVOT] = "pivot", [OP_CHROOT] = "chroot",
			[OP_MOVE_ROOT] = "move root (no pivot)",
		};

		bk_buf_adds(out, names[op->kind]);
		break;
	}
	}
}

static void print_caps(const struct init_plan *p, struct bk_buf *out)
{
	bk_buf_adds(out, "capabilities effective ");
	sec_caps_print(p->caps.effective, out);
	bk_buf_adds(out, "; permitted ");
	sec_caps_print(p->caps.permitted, out);
	bk_buf_adds(out, "; inheritable ");
	sec_caps_print(p->caps.inheritable, out);
	bk_buf_adds(out, "; ambient ");
	sec_caps_print(p->caps.ambient, out);
}

static void print_attr(const struct init_op *op, struct bk_buf *out)
{
	switch (op->kind) {
	case OP_SCHEDULER:
		bk_buf_adds(out, "scheduler ");
		proc_sched_print(&op->u.sched, out);
		break;
	case OP_IO_PRIORITY:
		bk_buf_adds(out, "io-priority ");
		proc_ioprio_print(op->u.number, out);
		break;
	case OP_PERSONALITY:
		bk_buf_printf(out, "personality %s",
			      bk_doc_name_of(proc_personality_domains, op->u.number));
		break;
	case OP_MEMORY_POLICY:
		bk_buf_adds(out, "memory-policy ");
		proc_mempolicy_print(&op->u.mempolicy, out);
		break;
	default:
		bk_buf_printf(out, "%s '%s'", op->kind == OP_APPARMOR ? "apparmor" : "selinux",
			      op->u.text);
		break;
	}
}

static void print_user(const struct init_plan *p, struct bk_buf *out)
{
	bk_buf_printf(out, "user %u:%u", p->user.uid, p->user.gid);
	if (p->keep_groups)
		bk_buf_adds(out, " groups of the caller");
	for (size_t i = 0; !p->keep_groups && i < p->user.n_additional_gids; i++)
		bk_buf_printf(out, "%s%u", i ? "," : " groups ", p->user.additional_gids[i]);
}

static void print_process(const struct init_plan *p, const struct init_op *op, struct bk_buf *out)
{
	const struct oci_runtime_config *c = p->spec->config;

	switch (op->kind) {
	case OP_PROPAGATION:
		bk_buf_printf(out, "propagation %s", mount_opts_propagation_name(op->u.propagation));
		break;
	case OP_HOSTNAME:
		bk_buf_printf(out, "hostname '%s'", op->u.text);
		break;
	case OP_DOMAINNAME:
		bk_buf_printf(out, "domainname '%s'", op->u.text);
		break;
	case OP_SYSCTL:
		bk_buf_printf(out, "sysctl %s = %s", op->u.pair.path, op->u.pair.value);
		break;
	case OP_RLIMIT:
		bk_buf_printf(out, "rlimit %s %llu:%llu", op->u.rlimit->type,
			      (unsigned long long)op->u.rlimit->soft,
			      (unsigned long long)op->u.rlimit->hard);
		break;
	case OP_NPROC_ROOM:
		bk_buf_adds(out, "rlimit RLIMIT_NPROC behind the fork");
		break;
	case OP_SCHEDULER:
	case OP_IO_PRIORITY:
	case OP_PERSONALITY:
	case OP_MEMORY_POLICY:
	case OP_APPARMOR:
	case OP_SELINUX:
		print_attr(op, out);
		break;
	case OP_BOUNDING:
		bk_buf_adds(out, "bounding ");
		sec_caps_print(p->caps.bounding, out);
		break;
	case OP_USER:
		print_user(p, out);
		break;
	case OP_CAPS:
		print_caps(p, out);
		break;
	case OP_MAKE_CWD:
	case OP_ENTER_CWD:
	case OP_CHDIR:
		bk_buf_printf(out, "%s '%s'",
			      op->kind == OP_MAKE_CWD ? "make-directory" :
			      op->kind == OP_ENTER_CWD ? "enter" : "chdir", op->u.text);
		break;
	case OP_START_HOOKS:
		bk_buf_adds(out, "hooks");
		print_hooks(out, c->hooks->start_container, c->hooks->n_start_container);
		break;
	case OP_STAGE:
		bk_buf_printf(out, "sealed last stage: %sready, wait for start%s, exec",
			      p->stage_forks ? "fork, " : "",
			      p->seccomp.has && c->process->no_new_privileges ? ", seccomp-load" :
										    "");
		print_words(out, c->process->args);
		break;
	case OP_EXEC:
		bk_buf_adds(out, "exec");
		print_words(out, c->process->args);
		break;
	default: {
		static const char *const names[] = {
			[OP_ROOT_READONLY] = "root read-only", [OP_ENVIRONMENT] = "environment",
			[OP_STDIO_OWNER] = "stdio-owner", [OP_NO_NEW_PRIVS] = "no-new-privileges",
			[OP_SECCOMP] = "seccomp-load", [OP_FIND] = "find-program",
			[OP_CLOSE_FDS] = "close descriptors",
			[OP_READY] = "ready, wait for start", [OP_NO_PROCESS] = "no process",
		};

		bk_buf_adds(out, names[op->kind]);
		break;
	}
	}
}

void init_op_print(const struct init_plan *p, enum init_stage stage, const struct init_op *op,
		   struct bk_buf *out)
{
	static void (*const print[])(const struct init_plan *, const struct init_op *,
				     struct bk_buf *) = { print_runtime, print_container,
							  print_process };

	print[stage](p, op, out);
}

void init_plan_print(const struct init_plan *p, struct bk_buf *out)
{
	static const char *const titles[] = { "runtime:", "container:", "process:" };

	for (int stage = 0; stage < INIT_STAGE_MAX_; stage++) {
		bk_buf_printf(out, "%s\n", titles[stage]);
		for (size_t i = 0; i < p->n[stage]; i++) {
			bk_buf_adds(out, "  ");
			init_op_print(p, stage, &p->ops[stage][i], out);
			bk_buf_addc(out, '\n');
		}
	}
}
