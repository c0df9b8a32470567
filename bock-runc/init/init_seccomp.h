/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which seccomp filter a process gets, from linux.seccomp and the annotations about it. The same for a
 * container's first process and for those that join it.
 */
#ifndef INIT_SECCOMP_H
#define INIT_SECCOMP_H

#include "oci/oci_runtime_linux.h"
#include "sec/sec_seccomp.h"

struct init_seccomp {
	const struct oci_seccomp *profile;	/* NULL: none */
	const char *raw;	/* a ready-made program, base64, which goes before the profile */
	const char *listener;	/* where notifications go; NULL: it notifies nobody */
	unsigned int how;	/* enum sec_seccomp_how */
	bool has;		/* a filter: profile or raw */
};

/* Checks what can be checked without the kernel; ret borrows from c. */
int init_seccomp_compile(const struct oci_runtime_config *c, struct init_seccomp *ret,
			 struct bk_err **err);

/* The program; cache_dirfd as in sec_seccomp_get. */
int init_seccomp_program(const struct init_seccomp *s, int cache_dirfd, struct sec_bpf *ret,
			 struct bk_err **err);

#endif
