/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few BPF instructions in front of a filter: a system call whose number is above the highest
 * that the profile names was not known to the profile's author, and gets ENOSYS. So a program
 * that tries a new call first falls back to an older one, as on an older kernel; EPERM would make
 * it give up.
 */
#ifndef SEC_SECCOMP_ENOSYS_H
#define SEC_SECCOMP_ENOSYS_H

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

#define SEC_SECCOMP_ARCHS_MAX 32
/* Instructions for one architecture. */
#define SEC_SECCOMP_ENOSYS_INSNS 6
#define SEC_SECCOMP_ENOSYS_MAX (SEC_SECCOMP_ENOSYS_INSNS * SEC_SECCOMP_ARCHS_MAX)

struct sec_seccomp_last {
	uint32_t arch;	/* SCMP_ARCH_* */
	uint32_t nr;	/* highest number that the profile names */
};

/*
 * Writes the instructions to out (SEC_SECCOMP_ENOSYS_MAX long) and returns how many. What they
 * let pass goes on behind them. A number with bit 30 on x86_64 is an x32 call: that has an entry
 * of its own, and without one it is left to the filter. At most SEC_SECCOMP_ARCHS_MAX entries.
 */
size_t sec_seccomp_enosys(const struct sec_seccomp_last *last, size_t n, struct sock_filter *out);

#endif
