/* SPDX-License-Identifier: Apache-2.0 */
/* What the compilers of plans share: init_plan.c (create, run), init_plan_exec.c, and init_plan_attrs.c for both. */
#ifndef INIT_PLAN_PRIV_H
#define INIT_PLAN_PRIV_H

#include "init/init_plan.h"

/* Appends an operation; the pointer is good until the next one. */
struct init_op *init_plan_add(struct init_plan *p, enum init_stage stage, enum init_op_kind kind);

/*
 * What makes the process that process describes of the one we are: limits, credentials, working directory,
 * the search for the program, and the end, by the last stage or (p->seal) without.
 */
int init_plan_process(struct init_plan *p, struct bk_err **err);

/* Whether the last stage could be the end of it; the architecture or a limit may forbid it. */
bool init_plan_stage_serves(const struct init_plan *p);

/*
 * The attributes of the process that outlive execve, for init_plan_process: scheduler, I/O priority,
 * personality, memory policy, labels. They come while the rights to set them are there, and before a seccomp filter.
 */
int init_plan_attrs(struct init_plan *p, struct bk_err **err);
/* Whether there is a label, which holds from the next execve on: no stage may come before the program. */
bool init_plan_has_labels(const struct init_plan *p);
/* While /proc is the host's, for the labels that init_plan_attrs writes; and that of the session keyring. */
void init_plan_open_labels(struct init_plan *p);
void init_plan_key_label(struct init_plan *p);
/* Every additional group is in the maps of the container's user namespace, if it has its own. */
int init_plan_check_groups(const struct init_plan *p, struct bk_err **err);
/* Whether a fork behind them would fail, or undo one of them. */
bool init_plan_attrs_forbid_fork(const struct init_plan *p);

#endif
