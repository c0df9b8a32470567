/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last stage: a program of a few kilobytes without a C library that waits for start, loads the
 * seccomp filter and executes the container's program.
 *
 * The container's first process runs it from a sealed memfd, so that /proc/PID/exe and an entry point
 * of /proc/self/exe lead to it and never to bock-runc's own file on the host (CVE-2019-5736). What
 * it has to do stands behind its image in the same memfd.
 *
 * Shared by the runtime and the stage: no pointers, no C library.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)
#define STAGE_HAVE 1
#else
#define STAGE_HAVE 0	/* the whole runtime is sealed instead */
#endif

#define STAGE_WIRE_SIZE 4096	/* BK_ERR_WIRE_SIZE */
#define STAGE_ALIGN 8

enum stage_flags {
	STAGE_DIE_WITH_PARENT = 1,
	STAGE_RESTORE_MASK = 2,
	STAGE_FORK = 4,		/* exec: the program is a child of ours, in the pid namespace entered,
				   and in a session of its own */
	STAGE_TERMINAL = 8,	/* the controlling terminal of which is 0 */
	STAGE_NPROC = 16,	/* and with nproc as its limit */
};

/* The reasons of failure, each a ready-made message. */
enum stage_failure {
	STAGE_FAIL_NOENT,
	STAGE_FAIL_ACCES,
	STAGE_FAIL_NOEXEC,
	STAGE_FAIL_OTHER,	/* errno is filled in */
	STAGE_FAIL_SECCOMP,	/* errno is filled in */
	STAGE_FAIL_FORK,	/* errno is filled in */
	STAGE_FAIL_TALK,	/* errno is filled in */
	STAGE_FAIL_MAX
};

struct stage_insn {		/* struct sock_filter */
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* init_sync.c's message. */
struct stage_msg {
	int32_t letter;
	int32_t pid;
};

/*
 * Lies behind the image, at a multiple of STAGE_ALIGN, and behind it what its offsets (from its own begin) lead
 * to. The stage is called with argv[0] = "FD:OFFSET:SIZE", the place of this struct and the size of the
 * file; the rest is the program's.
 */
struct stage_control {
	int32_t sync;		/* SOCK_SEQPACKET to the runtime */
	int32_t listen_fd;	/* the socket of `start`; -1: run */
	uint32_t flags;
	uint32_t seccomp_flags;
	uint32_t n_insns;	/* 0: no filter */
	uint32_t insns;		/* offset of struct stage_insn[n_insns] */
	uint32_t program;	/* offset of a string */
	uint32_t errnum_offset;	/* in a wire message */
	int32_t ready, go;	/* letters of the messages */
	uint64_t signal_mask;
	uint64_t nproc[2];	/* soft and hard */
	/* message i lies from fail[i] to fail[i + 1]; a wire message goes on with zeros */
	uint32_t fail[STAGE_FAIL_MAX + 1];
	uint32_t reserved;
};

#endif
