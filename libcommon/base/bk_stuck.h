/* SPDX-License-Identifier: Apache-2.0 */
/* For errors about a process that does not do what was waited for. */
#ifndef BK_STUCK_H
#define BK_STUCK_H

#include <sys/types.h>

/*
 * "process 12 (sh, state D, waits in nfs_wait_bit_killable)", as far as /proc says so (proc_pid_stat(5),
 * wchan); "process 12, which has ended" where there is none. Heap string.
 */
char *bk_stuck_describe(pid_t pid);

/* The same by its pidfd, with the pid that /proc has for it, which may be that of another pid namespace than ours. */
char *bk_stuck_describe_fd(int pidfd);

#endif
