/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that nothing works without (all are in Linux 5.14), and whether they are there. */
#ifndef SYS_KERNEL_H
#define SYS_KERNEL_H

#include <stddef.h>

#include "base/bk_err.h"

struct sys_kernel_call {
	const char *name;
	const char *since;	/* the version of Linux that brought it */
};

/* The i-th call that is needed; NULL behind the last. */
const struct sys_kernel_call *sys_kernel_call(size_t i);
/*
 * 0, or the errno (ENOSYS, EPERM) with which the i-th call is refused whatever it is asked: by a kernel that does not
 * know it, or by a sandbox. Asked by a call that must fail, so that nothing happens.
 */
int sys_kernel_refused(size_t i);
/*
 * Adds to a failure by ENOSYS or EPERM the hint which calls are refused here, if any are: the error itself may name the
 * act only. Returns rc. Makes no system call after success or after another failure.
 */
int sys_kernel_explain(int rc, struct bk_err **err);

#endif
