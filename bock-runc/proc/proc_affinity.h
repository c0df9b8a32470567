/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU affinity: process.execCPUAffinity (config.md "Linux Process"), and freeing a process from the
 * affinity of whoever started the runtime.
 *
 * For exec: proc_affinity_compile() before anything is done; proc_affinity_set(&a.initial) in the process
 * that is to become the container's, before it joins the container's cgroup; afterwards, in the cgroup,
 * proc_affinity_set(&a.final) where that is not empty, else proc_affinity_reset(): a kernel since 6.2
 * remembers what a process asked for over its move into a cgroup with a cpuset, so the initial set, or the one
 * inherited, would stay. config.md: the property does not apply to the container's first process, for
 * which the reset is all there is.
 */
#ifndef PROC_AFFINITY_H
#define PROC_AFFINITY_H

#include "oci/oci_runtime.h"
#include "proc/proc_mask.h"

#define PROC_AFFINITY_CPUS_MAX 65536	/* numbers of CPUs are below it; kernels are built for up to 8192 */

struct proc_affinity {
	struct proc_mask initial, final;	/* empty: not asked for */
};

/*
 * Reads both lists (a may be NULL: both sets are empty). Absent and "" are the same. -BK_ERR_CONFIG with
 * "process.execCPUAffinity.initial: ..." for what is no list, and for a list of nothing (",").
 */
int proc_affinity_compile(const struct oci_cpu_affinity *a, struct bk_arena *arena,
			  struct proc_affinity *ret, struct bk_err **err);

/*
 * Lets the calling thread, and what it will fork, run on these CPUs alone. The empty set asks for nothing:
 * no system call. The kernel leaves out what is not there or not in the cpuset; if nothing is left, that
 * is an error which prints the list.
 */
int proc_affinity_set(const struct proc_mask *cpus, struct bk_err **err);

/*
 * Lets the calling thread run on every CPU that its cgroup allows: the affinity of the runtime's caller
 * is not the container's (runc since 1.2.7, crun). One system call; a kernel or sandbox that refuses it
 * leaves the affinity as it is, which is no reason not to run.
 */
void proc_affinity_reset(void);

#endif
