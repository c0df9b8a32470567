/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_seccomp_enosys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>

#define X32_BIT 0x40000000U

size_t sec_seccomp_enosys(const struct sec_seccomp_last *last, size_t n, struct sock_filter *out)
{
	const struct sock_filter load_arch = BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						      offsetof(struct seccomp_data, arch));
	const struct sock_filter load_nr = BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						    offsetof(struct seccomp_data, nr));
	const struct sock_filter enosys = BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_ERRNO | (ENOSYS & SECCOMP_RET_DATA));
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bool x32 = last[i].arch == SCMP_ARCH_X32;
		/* seccomp_data.arch of an x32 call is x86_64's */
		uint32_t audit = x32 ? (uint32_t)AUDIT_ARCH_X86_64 : last[i].arch;

		/* The filter reloads what it needs, and so does each section. */
		out[len++] = load_arch;
		out[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit, 0, 4);
		out[len++] = load_nr;
		if (x32)
			out[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K,
								  X32_BIT, 0, 2);
		else if (audit == AUDIT_ARCH_X86_64)
			out[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K,
								  X32_BIT, 2, 0);
		else /* keeps sections of one length */
			out[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0);
		out[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last[i].nr, 0,
							  1);
		out[len++] = enosys;
	}
	return len;
}
