/* SPDX-License-Identifier: Apache-2.0 */
/* Operations for the attributes of the process that outlive execve (init_plan_attrs.c). */
#include "init/init_ops.h"
#include "proc/proc_affinity.h"
#include "proc/proc_ioprio.h"
#include "proc/proc_personality.h"
#include "sec/sec_label.h"

int init_op_affinity(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct proc_mask *final = &c->plan->affinity.final;

	(void)op;
	if (final->n_words)
		return proc_affinity_set(final, err);
	proc_affinity_reset();
	return 0;
}

int init_op_scheduler(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = proc_sched_set(&op->u.sched, err);

	(void)c;
	return rc < 0 ? bk_err_wrap(err, rc, "process.scheduler") : 0;
}

int init_op_io_priority(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = proc_ioprio_set(op->u.number, err);

	(void)c;
	return rc < 0 ? bk_err_wrap(err, rc, "process.ioPriority") : 0;
}

int init_op_personality(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = proc_personality_set(op->u.number, err);

	(void)c;
	return rc < 0 ? bk_err_wrap(err, rc, "linux.personality") : 0;
}

int init_op_memory_policy(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	return proc_mempolicy_set(&op->u.mempolicy, err);
}

static enum sec_label label_of(const struct init_op *op)
{
	if (op->kind == OP_APPARMOR)
		return SEC_LABEL_APPARMOR;
	return op->kind == OP_SELINUX ? SEC_LABEL_SELINUX : SEC_LABEL_KEY;
}

int init_op_host_proc(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return sec_label_open_proc(&c->host_proc, err);
}

int init_op_label(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	if (op->kind == OP_KEY_LABEL && !c->new_keyring)
		return 0;
	return sec_label_write(c->host_proc, label_of(op), op->u.text, err);
}
