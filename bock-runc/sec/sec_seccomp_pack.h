/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a seccomp program smaller without changing what it decides: the kernel's time for
 * installing a filter grows with its length, and a profile that allows most system calls is a few
 * ranges of numbers, not four hundred comparisons.
 *
 * For each architecture the program is run, on paper, for every interval of system call numbers
 * that it can tell apart. What it returns there without looking at arguments becomes a search
 * tree over ranges of numbers. Where it looks at arguments, the tree jumps into a copy of that
 * part of the program.
 *
 * Uses / used by: nothing / sec_seccomp.
 */
#ifndef SEC_SECCOMP_PACK_H
#define SEC_SECCOMP_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/*
 * A pure function. archs are the values of seccomp_data.arch that the program knows
 * (AUDIT_ARCH_*, each once); all others are taken together. On success *ret is a heap array of
 * *ret_n instructions. False where there is nothing to win, or where the program does what is not
 * understood here (anything but loading words of seccomp_data, comparing them with constants,
 * masking arguments, returning).
 */
bool sec_seccomp_pack(const struct sock_filter *in, size_t n, const uint32_t *archs, size_t n_archs,
		      struct sock_filter **ret, size_t *ret_n);

#endif
