/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_seccomp.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>

/* Newer than Debian 12's header (kernel 5.19). */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* The errno of ERRNO and TRACE comes from the rule: sec_seccomp.c puts it in. */
const struct bk_doc_name sec_seccomp_actions[] = {
	{ "SCMP_ACT_KILL", (int)SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", (int)SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", (int)SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_TRAP", (int)SCMP_ACT_TRAP },
	{ "SCMP_ACT_ERRNO", (int)SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_TRACE", (int)SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_ALLOW", (int)SCMP_ACT_ALLOW },
	{ "SCMP_ACT_LOG", (int)SCMP_ACT_LOG },
	{ "SCMP_ACT_NOTIFY", (int)SCMP_ACT_NOTIFY },
	{ NULL, 0 },
};

const struct bk_doc_name sec_seccomp_operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ NULL, 0 },
};

const struct bk_doc_name sec_seccomp_archs[] = {
	{ "SCMP_ARCH_X86", (int)SCMP_ARCH_X86 },
	{ "SCMP_ARCH_X86_64", (int)SCMP_ARCH_X86_64 },
	{ "SCMP_ARCH_X32", (int)SCMP_ARCH_X32 },
	{ "SCMP_ARCH_ARM", (int)SCMP_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", (int)SCMP_ARCH_AARCH64 },
	{ "SCMP_ARCH_MIPS", (int)SCMP_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", (int)SCMP_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", (int)SCMP_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", (int)SCMP_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", (int)SCMP_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", (int)SCMP_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", (int)SCMP_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", (int)SCMP_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", (int)SCMP_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390", (int)SCMP_ARCH_S390 },
	{ "SCMP_ARCH_S390X", (int)SCMP_ARCH_S390X },
	{ "SCMP_ARCH_PARISC", (int)SCMP_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", (int)SCMP_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64", (int)SCMP_ARCH_RISCV64 },
#ifdef SCMP_ARCH_LOONGARCH64
	{ "SCMP_ARCH_LOONGARCH64", (int)SCMP_ARCH_LOONGARCH64 },
#endif
#ifdef SCMP_ARCH_M68K
	{ "SCMP_ARCH_M68K", (int)SCMP_ARCH_M68K },
#endif
#ifdef SCMP_ARCH_SH
	{ "SCMP_ARCH_SH", (int)SCMP_ARCH_SH },
#endif
#ifdef SCMP_ARCH_SHEB
	{ "SCMP_ARCH_SHEB", (int)SCMP_ARCH_SHEB },
#endif
	{ NULL, 0 },
};

const struct bk_doc_name sec_seccomp_flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	{ NULL, 0 },
};

const char *sec_seccomp_version(char *buf, size_t size)
{
	const struct scmp_version *v = seccomp_version();

	snprintf(buf, size, "%u.%u.%u", v->major, v->minor, v->micro);
	return buf;
}
