/* SPDX-License-Identifier: Apache-2.0 */
/* process.ioPriority (config.md "Linux Process"): ioprio_set(2). */
#ifndef PROC_IOPRIO_H
#define PROC_IOPRIO_H

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "oci/oci_runtime.h"

/* "IOPRIO_CLASS_RT", ... with the kernel's numbers. */
extern const struct bk_doc_name proc_ioprio_classes[];

/* Class known and priority within 0..7; *ret_value is what the kernel takes. */
int proc_ioprio_compile(const struct oci_io_priority *p, int *ret_value, struct bk_err **err);
/*
 * Sets it for the calling thread and what it will fork. IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN
 * of the host.
 */
int proc_ioprio_set(int value, struct bk_err **err);
/* Appends "IOPRIO_CLASS_BE 4". */
void proc_ioprio_print(int value, struct bk_buf *out);

#endif
