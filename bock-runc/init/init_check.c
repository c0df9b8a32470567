/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_check.h"

#include "base/bk_auto.h"
#include "mount/mount_root.h"
#include "sec/sec_label.h"
#include "spec/spec_annotations.h"

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

/* A kernel without SELinux would call it an unknown option of a file system. */
static int check_mount_label(const struct init_plan *p, struct bk_err **err)
{
	const struct oci_runtime_config *c = p->spec->config;

	if (p->params.exec || !c->linux_->mount_label || !*c->linux_->mount_label)
		return 0;
	return mount_root_label_check(c->linux_->mount_label, spec_annotation(c, SPEC_MOUNT_CONTEXT),
				      err);
}

int init_check(const struct init_plan *p, struct bk_err **err)
{
	int rc = check_mount_label(p, err);

	for (size_t i = 0; i < p->n[INIT_PROCESS] && rc == 0; i++)
		rc = check_op(&p->ops[INIT_PROCESS][i], err);
	return rc;
}

size_t init_check_each(const struct init_plan *p, void (*found)(struct bk_err *e, void *ctx), void *ctx)
{
	struct bk_err *e = NULL;
	size_t n = 0;

	if (check_mount_label(p, &e) < 0) {
		found(bk_steal_ptr(&e), ctx);
		n++;
	}
	for (size_t i = 0; i < p->n[INIT_PROCESS]; i++) {
		if (check_op(&p->ops[INIT_PROCESS][i], &e) == 0)
			continue;
		found(bk_steal_ptr(&e), ctx);
		n++;
	}
	return n;
}
