/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations that have a file of their own, for the table in init_ops.c. Each executes one operation of a
 * plan in the child (init_child.h); an error names the property of config.json.
 */
#ifndef INIT_OPS_H
#define INIT_OPS_H

#include "init/init_child.h"

typedef int (*init_op_fn)(struct init_child *c, const struct init_op *op, struct bk_err **err);

/* init_ops_exec.c */
int init_op_enter(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_fork(struct init_child *c, const struct init_op *op, struct bk_err **err);
/* init_ops_service.c */
int init_op_environment(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_notify_open(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_notify_mount(struct init_child *c, const struct init_op *op, struct bk_err **err);
/* init_ops_seccomp.c */
int init_op_seccomp(struct init_child *c, const struct init_op *op, struct bk_err **err);

/* init_ops_attrs.c */
int init_op_affinity(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_scheduler(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_io_priority(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_personality(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_host_proc(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_label(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_memory_policy(struct init_child *c, const struct init_op *op, struct bk_err **err);

/* init_ops_mount.c: mounts, and the root in place of the old one. */
int init_op_mount(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_pivot(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_move_root(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_root_open(struct init_child *c, const struct init_op *op, struct bk_err **err);
int init_op_chroot(struct init_child *c, const struct init_op *op, struct bk_err **err);

#endif
