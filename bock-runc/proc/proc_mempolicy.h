/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.memoryPolicy (config-linux.md "Memory policy"): set_mempolicy(2). It is kept over execve. Its errors
 * have runc's words, "invalid memory policy".
 */
#ifndef PROC_MEMPOLICY_H
#define PROC_MEMPOLICY_H

#include "oci/oci_runtime_linux.h"
#include "proc/proc_mask.h"

#define PROC_MEMPOLICY_NODES_MAX 32768	/* a page of bits: more the kernel doesn't take */

/* "MPOL_DEFAULT", ... and "MPOL_F_STATIC_NODES", ... with the kernel's numbers. */
extern const struct bk_doc_name proc_mempolicy_modes[];
extern const struct bk_doc_name proc_mempolicy_flags[];

struct proc_mempolicy {
	int mode, flags;
	struct proc_mask nodes;
};

/*
 * Names known; no nodes with MPOL_DEFAULT and MPOL_LOCAL, one or more with all others but MPOL_PREFERRED;
 * MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other. What nodes there are is the
 * kernel's to say.
 */
int proc_mempolicy_compile(const struct oci_memory_policy *m, struct bk_arena *arena,
			   struct proc_mempolicy *ret, struct bk_err **err);
/* Whether this kernel knows of memory nodes at all (CONFIG_NUMA). */
int proc_mempolicy_check(struct bk_err **err);
/* Sets it for the calling thread and what it will fork. */
int proc_mempolicy_set(const struct proc_mempolicy *m, struct bk_err **err);
/* Appends "MPOL_BIND nodes 0-3 MPOL_F_STATIC_NODES". */
void proc_mempolicy_print(const struct proc_mempolicy *m, struct bk_buf *out);

#endif
