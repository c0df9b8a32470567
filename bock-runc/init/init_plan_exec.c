/* SPDX-License-Identifier: Apache-2.0 */
/* init_plan.h: the plan of `exec`. */
#include "init/init_plan_priv.h"

#include <sched.h>

#include "base/bk_str.h"
#include "ns/ns.h"
#include "ns/ns_maps.h"
#include "spec/spec_annotations.h"

static bool lets_pass(const char *action)
{
	return bk_streq0(action, "SCMP_ACT_ALLOW") || bk_streq0(action, "SCMP_ACT_LOG");
}

static bool names(const struct oci_seccomp_syscall *s, const char *call)
{
	for (char **name = s->names; name && *name; name++) {
		if (bk_streq(*name, call))
			return true;
	}
	return false;
}

/*
 * In doubt it does. Conditions on the arguments of clone are those that keep namespaces from being made,
 * on those of ioctl that keep input from being faked: neither is what the last stage does.
 */
static bool forbids(const struct oci_seccomp *s, const char *call)
{
	bool allowed = lets_pass(s->default_action);

	for (size_t i = 0; i < s->n_syscalls; i++) {
		if (!names(&s->syscalls[i], call))
			continue;
		if (lets_pass(s->syscalls[i].action))
			allowed = true;
		else if (!s->syscalls[i].n_args)
			return true;
	}
	return !allowed;
}

/* Whether a filter that is loaded before the last stage would keep that from its fork and session. */
static bool forbids_fork(const struct init_plan *p)
{
	const struct oci_runtime_config *c = p->spec->config;
	const struct oci_seccomp *s = p->seccomp.profile;

	if (c->process->no_new_privileges || !p->seccomp.has)
		return false;
	return p->seccomp.raw ||
	       (forbids(s, "clone") || forbids(s, "setsid") || forbids(s, "prlimit64") ||
		(c->process->terminal && forbids(s, "ioctl")));
}

/*
 * In the pid namespace of the container its processes can look at us: only the last stage or a sealed copy
 * may be seen there (CVE-2019-5736). Whoever prepares the process stays outside until the last stage forks
 * into it. Without a pid namespace of its own the container sees all of us.
 */
static bool needs_seal(const struct init_plan *p)
{
	const struct oci_runtime_config *c = p->spec->config;

	return !init_plan_stage_serves(p) || !spec_ns(c, OCI_NS_PID) || forbids_fork(p) ||
	       init_plan_attrs_forbid_fork(p);
}

/* The namespaces that the configuration speaks of; the others are those the runtime was in. */
static uint64_t flags_to_enter(const struct init_plan *p)
{
	const struct oci_linux *l = p->spec->config->linux_;
	uint64_t flags = 0;

	for (size_t i = 0; i < l->n_namespaces; i++) {
		/* to enter one's own user namespace is an error */
		if (l->namespaces[i].type != OCI_NS_USER || !p->params.own_user_ns)
			flags |= (uint64_t)ns_info_of(l->namespaces[i].type)->clone_flag;
	}
	return flags | (p->params.other_mount_ns ? CLONE_NEWNS : 0);
}

static int check_ids(const struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;

	if (l->n_uid_mappings && !ns_maps_has(l->uid_mappings, l->n_uid_mappings, p->user.uid))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.user.uid: %u is not mapped in the container", p->user.uid);
	if (l->n_gid_mappings && !ns_maps_has(l->gid_mappings, l->n_gid_mappings, p->user.gid))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.user.gid: %u is not mapped in the container", p->user.gid);
	return init_plan_check_groups(p, err);
}

int init_plan_compile_exec(const struct spec *spec, const struct init_params *params,
			   struct init_plan *ret, struct bk_err **err)
{
	struct init_plan p = { .arena = spec->arena, .spec = spec, .params = *params };
	const struct oci_runtime_config *c = spec->config;
	int rc;

	if (c->process->user)
		p.user = *c->process->user;
	p.keep_groups = spec_annotation_on(c, SPEC_KEEP_GROUPS);
	rc = check_ids(&p, err);
	if (rc == 0)
		rc = init_seccomp_compile(c, &p.seccomp, err);
	if (rc == 0)
		rc = proc_affinity_compile(c->process->exec_cpu_affinity, p.arena, &p.affinity, err);
	if (rc < 0)
		return rc;
	p.seal = needs_seal(&p);
	p.stage_forks = !p.seal;
	if (p.seal)
		init_plan_add(&p, INIT_RUNTIME, OP_SEAL);
	if (p.seccomp.has)
		init_plan_add(&p, INIT_RUNTIME, OP_SECCOMP_COMPILE);
	if (p.affinity.initial.n_words)
		init_plan_add(&p, INIT_RUNTIME, OP_AFFINITY_INITIAL);
	init_plan_add(&p, INIT_RUNTIME, OP_CLONE);
	init_plan_add(&p, INIT_CONTAINER, OP_AFFINITY);
	if (c->process->has_oom_score_adj)
		init_plan_add(&p, INIT_CONTAINER, OP_OOM_SCORE);
	init_plan_open_labels(&p);
	init_plan_add(&p, INIT_CONTAINER, OP_ENTER)->u.flags = flags_to_enter(&p);
	if (!spec_ns(c, OCI_NS_MOUNT)) {
		init_plan_add(&p, INIT_CONTAINER, OP_ROOT_OPEN)->u.text = spec->rootfs;
		init_plan_add(&p, INIT_CONTAINER, OP_CHROOT);
	}
	if (p.seal && spec_ns(c, OCI_NS_PID))
		init_plan_add(&p, INIT_CONTAINER, OP_FORK);
	if (spec_ns(c, OCI_NS_USER) && !params->own_user_ns)
		init_plan_add(&p, INIT_CONTAINER, OP_BECOME_ROOT);
	init_plan_key_label(&p);
	init_plan_add(&p, INIT_CONTAINER, OP_SESSION);
	if (c->process->terminal)
		init_plan_add(&p, INIT_CONTAINER, OP_CONSOLE);
	rc = init_plan_process(&p, err);
	if (rc < 0) {
		init_plan_done(&p);
		return rc;
	}
	*ret = p;
	return 0;
}
