/* SPDX-License-Identifier: Apache-2.0 */
/* clone3(2), which the C library does not wrap (kernel 5.3; CLONE_INTO_CGROUP 5.7). */
#ifndef SYS_CLONE_H
#define SYS_CLONE_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Forks with flags (CLONE_NEW*, CLONE_PARENT; CLONE_PIDFD is added). cgroup_fd >= 0 puts the child into
 * that cgroup at birth. Returns 0 in the child; in the parent the pid with *ret_pidfd open (cloexec);
 * -errno on failure.
 */
pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd);

#endif
