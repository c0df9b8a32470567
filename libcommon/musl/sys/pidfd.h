/* SPDX-License-Identifier: Apache-2.0 */
/* Process descriptors, as glibc's header of this name has them; musl has none. */
#ifndef BK_MUSL_SYS_PIDFD_H
#define BK_MUSL_SYS_PIDFD_H

#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline int pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static inline int pidfd_send_signal(int pidfd, int sig, siginfo_t *info, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, info, flags);
}

#endif
