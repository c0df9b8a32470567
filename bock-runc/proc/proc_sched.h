/* SPDX-License-Identifier: Apache-2.0 */
/* process.scheduler (config.md "Linux Process"): sched_setattr(2). */
#ifndef PROC_SCHED_H
#define PROC_SCHED_H

#include <stdint.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "oci/oci_runtime.h"

/* "SCHED_OTHER", ... with the kernel's numbers; "SCHED_FLAG_RESET_ON_FORK", ... with its bits. */
extern const struct bk_doc_name proc_sched_policies[];
extern const struct bk_doc_name proc_sched_flags[];

/* What the kernel calls struct sched_attr, without its size. */
struct proc_sched {
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;	/* ns */
};

/*
 * Names known; nice (-20..19) with SCHED_OTHER and SCHED_BATCH alone, priority (1..99) with SCHED_FIFO and
 * SCHED_RR alone, where it must be given, and runtime (1024 ns or more) <= deadline <= period with
 * SCHED_DEADLINE alone. The utilization clamps have no value in config.json: their flags mean 0.
 */
int proc_sched_compile(const struct oci_scheduler *s, struct proc_sched *ret, struct bk_err **err);

/* Whether this kernel has the policy (SCHED_ISO is a number that mainline reserves and no more). */
int proc_sched_check(const struct proc_sched *s, struct bk_err **err);

/*
 * Sets it for the calling thread. A thread of SCHED_DEADLINE can't fork unless it has
 * SCHED_FLAG_RESET_ON_FORK.
 */
int proc_sched_set(const struct proc_sched *s, struct bk_err **err);
/* True if a thread that has it may fork. */
bool proc_sched_may_fork(const struct proc_sched *s);

/* Appends "SCHED_FIFO priority 10 flags SCHED_FLAG_RESET_ON_FORK". */
void proc_sched_print(const struct proc_sched *s, struct bk_buf *out);

#endif
