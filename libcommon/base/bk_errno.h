/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What error and signal numbers are called. C libraries have words of their own (EBUSY is "Device or
 * resource busy" in glibc and in Go, "Resource busy" in musl), and callers of runtimes match words:
 * these are glibc's, whatever a program is linked with.
 */
#ifndef BK_ERRNO_H
#define BK_ERRNO_H

/* What an errno is called: a constant, in English, never NULL. Async-signal-safe. */
const char *bk_errno_text(int errnum);

/* What a signal is called ("Killed"): a constant, in English, never NULL. Async-signal-safe. */
const char *bk_signal_text(int sig);

#endif
