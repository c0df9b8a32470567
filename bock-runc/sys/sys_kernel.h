/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that nothing works without (all are in Linux 5.14), and whether they are there. */
#ifndef SYS_KERNEL_H
#define SYS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

struct sys_kernel_call {
	const char *name;
	const char *since;	/* the version of Linux that brought it */
};

/* The i-th call that is needed; NULL behind the last. */
const struct sys_kernel_call *sys_kernel_call(size_t i);
/* Whether the kernel knows it: asked by a call that must fail, so that nothing happens. */
bool sys_kernel_has(size_t i);

#endif
