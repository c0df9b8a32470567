/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters (runtime-spec config-linux.md, "Seccomp"): from the profile to a BPF program,
 * with a cache of programs, and its installation.
 *
 *	bk_auto(sec_bpf_done) struct sec_bpf bpf = SEC_BPF_INIT;
 *	sec_seccomp_get(profile, cache_dirfd, &bpf, err);	parent, before the clone
 *	sec_seccomp_load(&bpf, err);				child; see process.noNewPrivileges
 *
 * Beyond what the profile says, system calls that are newer than every call the profile names get
 * ENOSYS instead of an ERRNO or KILL default: libraries probe for new calls and fall back only on
 * ENOSYS.
 *
 * SCMP_ACT_NOTIFY (and with it listenerPath, listenerMetadata, WAIT_KILLABLE_RECV) is refused as
 * BK_ERR_UNSUPPORTED.
 */
#ifndef SEC_SECCOMP_H
#define SEC_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "codec/bk_doc.h"
#include "oci/oci_runtime_linux.h"

#define SEC_SECCOMP_CACHE_FILES 64	/* files kept in a cache folder */
#define SEC_SECCOMP_INSNS_MAX 4096	/* BPF_MAXINSNS: the kernel takes no more */
#define SEC_SECCOMP_KEY_MAX ((size_t)1 << 20)	/* a longer profile is not cached */

struct sock_filter;

struct sec_bpf {
	struct sock_filter *insns;
	size_t n;
	unsigned int flags;	/* of seccomp(2) */
	void *mem;		/* heap block that insns lies in */
};

#define SEC_BPF_INIT { .insns = NULL }

void sec_bpf_done(struct sec_bpf *b);

/* Compiles with libseccomp. Errors: -BK_ERR_CONFIG and -BK_ERR_UNSUPPORTED, with the JSON path. */
int sec_seccomp_compile(const struct oci_seccomp *s, struct sec_bpf *ret, struct bk_err **err);

/*
 * The same through the cache folder (an open directory, which only we may write; -1: no cache). A
 * hit is open, fstat, read and close. What cannot be read, is not ours or does not match to the
 * last byte of the profile is compiled anew; failing to write to the cache is no error.
 */
int sec_seccomp_get(const struct oci_seccomp *s, int cache_dirfd, struct sec_bpf *ret,
		    struct bk_err **err);

/* Installs it on the calling thread. Needs no_new_privs or CAP_SYS_ADMIN: EACCES says which. */
int sec_seccomp_load(const struct sec_bpf *b, struct bk_err **err);

/*
 * What is recognized, for `features` and for checks: name -> libseccomp's value (flags:
 * seccomp(2)'s bit). Each ends with a NULL name.
 */
extern const struct bk_doc_name sec_seccomp_actions[];
extern const struct bk_doc_name sec_seccomp_operators[];
extern const struct bk_doc_name sec_seccomp_archs[];
extern const struct bk_doc_name sec_seccomp_flags[];
/*
 * True where the running kernel takes the flag (one failing seccomp(2) call; nothing is
 * installed).
 */
bool sec_seccomp_flag_supported(unsigned int flag);
/* "2.5.4": libseccomp's, for the annotation of `features`. */
const char *sec_seccomp_version(char *buf, size_t size);

#endif
