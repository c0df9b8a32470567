/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_check.h"

#include "sec/sec_label.h"

static int check_op(const struct init_op *op, struct bk_err **err)
{
	switch (op->kind) {
	case OP_SCHEDULER:
		return proc_sched_check(&op->u.sched, err);
	case OP_MEMORY_POLICY:
		return proc_mempolicy_check(err);
	case OP_APPARMOR:
		return sec_label_check(SEC_LABEL_APPARMOR, op->u.text, "/sys", err);
	case OP_SELINUX:
		return sec_label_check(SEC_LABEL_SELINUX, op->u.text, "/sys", err);
	default:
		return 0;
	}
}

int init_check(const struct init_plan *p, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; i < p->n[INIT_PROCESS] && rc == 0; i++)
		rc = check_op(&p->ops[INIT_PROCESS][i], err);
	return rc;
}
