/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_str.h"
#include "init/init_plan_priv.h"
#include "ns/ns_maps.h"
#include "proc/proc_affinity.h"
#include "proc/proc_ioprio.h"
#include "proc/proc_personality.h"

/* A cpuset takes CPUs away, and the kernel promises a deadline on all of them or not at all. */
static int check_cpuset(const struct init_plan *p, struct bk_err **err)
{
	const struct oci_resources *r = p->spec->config->linux_->resources;

	if (!r || !r->cpu || !r->cpu->cpus || !*r->cpu->cpus)
		return 0;
	for (size_t i = 0; i < r->n_unified; i++) {
		if (bk_streq(r->unified[i].key, "cpuset.cpus.partition"))
			return 0; /* its CPUs are a domain of their own */
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "process.scheduler.policy: SCHED_DEADLINE can't be used together with "
			  "linux.resources.cpu.cpus");
}

static int plan_scheduler(struct init_plan *p, const struct oci_scheduler *s, struct bk_err **err)
{
	const struct oci_hooks *h = p->spec->config->hooks;
	struct proc_sched sched;
	int rc = proc_sched_compile(s, &sched, err);

	if (rc == 0 && bk_streq(s->policy, "SCHED_DEADLINE"))
		rc = check_cpuset(p, err);
	if (rc < 0)
		return rc;
	if (h && h->n_start_container && !proc_sched_may_fork(&sched))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.scheduler.policy: SCHED_DEADLINE can't run startContainer hooks "
				  "without SCHED_FLAG_RESET_ON_FORK");
	init_plan_add(p, INIT_PROCESS, OP_SCHEDULER)->u.sched = sched;
	return 0;
}

static bool given(const char *text)
{
	return text && *text;
}

bool init_plan_has_labels(const struct init_plan *p)
{
	const struct oci_process *proc = p->spec->config->process;

	return given(proc->apparmor_profile) || given(proc->selinux_label);
}

void init_plan_open_labels(struct init_plan *p)
{
	if (init_plan_has_labels(p))
		init_plan_add(p, INIT_CONTAINER, OP_HOST_PROC);
}

void init_plan_key_label(struct init_plan *p)
{
	const struct oci_process *proc = p->spec->config->process;

	if (given(proc->selinux_label))
		init_plan_add(p, INIT_CONTAINER, OP_KEY_LABEL)->u.text = proc->selinux_label;
}

static void plan_labels(struct init_plan *p, const struct oci_process *proc)
{
	if (given(proc->apparmor_profile))
		init_plan_add(p, INIT_PROCESS, OP_APPARMOR)->u.text = proc->apparmor_profile;
	if (given(proc->selinux_label))
		init_plan_add(p, INIT_PROCESS, OP_SELINUX)->u.text = proc->selinux_label;
}

int init_plan_check_groups(const struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;

	if (!l->n_gid_mappings || p->keep_groups)
		return 0;
	for (size_t i = 0; i < p->user.n_additional_gids; i++) {
		if (!ns_maps_has(l->gid_mappings, l->n_gid_mappings, p->user.additional_gids[i]))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "process.user.additionalGids[%zu]: %u is not mapped by "
					  "linux.gidMappings", i, p->user.additional_gids[i]);
	}
	return 0;
}

bool init_plan_attrs_forbid_fork(const struct init_plan *p)
{
	const struct oci_scheduler *s = p->spec->config->process->scheduler;

	return s && (bk_streq(s->policy, "SCHED_DEADLINE") ||
		     bk_strv_has(s->flags, "SCHED_FLAG_RESET_ON_FORK"));
}

int init_plan_attrs(struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;
	const struct oci_process *proc = p->spec->config->process;
	struct proc_mempolicy mempolicy;
	struct proc_affinity affinity;
	int number, rc = 0;

	if (!p->params.exec) /* for exec's processes; what is wrong is so from the beginning */
		rc = proc_affinity_compile(proc->exec_cpu_affinity, p->arena, &affinity, err);
	if (rc == 0 && proc->scheduler)
		rc = plan_scheduler(p, proc->scheduler, err);
	if (rc == 0 && proc->io_priority) {
		rc = proc_ioprio_compile(proc->io_priority, &number, err);
		if (rc == 0)
			init_plan_add(p, INIT_PROCESS, OP_IO_PRIORITY)->u.number = number;
	}
	if (rc == 0 && l->personality) {
		rc = proc_personality_compile(l->personality, &number, err);
		if (rc == 0)
			init_plan_add(p, INIT_PROCESS, OP_PERSONALITY)->u.number = number;
	}
	if (rc == 0 && l->memory_policy) {
		rc = proc_mempolicy_compile(l->memory_policy, p->arena, &mempolicy, err);
		if (rc == 0)
			init_plan_add(p, INIT_PROCESS, OP_MEMORY_POLICY)->u.mempolicy = mempolicy;
	}
	if (rc == 0)
		plan_labels(p, proc);
	return rc;
}
