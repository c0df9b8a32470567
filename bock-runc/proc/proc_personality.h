/* SPDX-License-Identifier: Apache-2.0 */
/* linux.personality (config-linux.md "Personality"): personality(2). It is kept over execve. */
#ifndef PROC_PERSONALITY_H
#define PROC_PERSONALITY_H

#include "base/bk_err.h"
#include "oci/oci_runtime_linux.h"

/* "LINUX", "LINUX32" with the kernel's numbers. */
extern const struct bk_doc_name proc_personality_domains[];

/* Domain known; no flags, of which the spec has none yet. */
int proc_personality_compile(const struct oci_personality *p, int *ret_value, struct bk_err **err);
int proc_personality_set(int value, struct bk_err **err);

#endif
