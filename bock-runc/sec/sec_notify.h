/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a filter that notifies (SCMP_ACT_NOTIFY): seccomp(2) returns the listener's descriptor to
 * the very thread that from then on may make no system call without somebody serving that listener.
 * So a second thread, which the filter does not hold for, sends the descriptor away. With it any
 * profile can be loaded: one that notifies about sendmsg, about everything, or that allows execve alone.
 */
#ifndef SEC_NOTIFY_H
#define SEC_NOTIFY_H

#include <stddef.h>

#include "base/bk_err.h"
#include "sec/sec_seccomp.h"

#define SEC_NOTIFY_STACK ((size_t)16 << 10)	/* bytes of the second thread's stack */

/*
 * Installs b on the calling thread, which must be the only one of its process, and sends the listener
 * through sock (a unix socket) with the len >= 1 bytes of message; our own copy is closed. TSYNC is left
 * out: there is nobody to synchronize with. When it returns, the second thread is gone.
 */
int sec_notify_load(const struct sec_bpf *b, int sock, const void *message, size_t len,
		    struct bk_err **err);

#endif
