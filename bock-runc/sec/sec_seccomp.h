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
 * A profile with SCMP_ACT_NOTIFY is loaded by sec_notify_load (sec_notify.h), which hands the
 * listener's descriptor on; whom it goes to is the caller's.
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
	bool notify;		/* it has SCMP_ACT_NOTIFY: to be loaded by sec_notify_load */
	void *mem;		/* heap block that insns lies in */
};

#define SEC_BPF_INIT { .insns = NULL }

void sec_bpf_done(struct sec_bpf *b);

enum sec_seccomp_how {
	SEC_SECCOMP_FAIL_UNKNOWN = 1,	/* a name that libseccomp doesn't know is an error, not skipped */
};

/* Whether any of its actions is SCMP_ACT_NOTIFY. */
bool sec_seccomp_notifies(const struct oci_seccomp *s);

/*
 * What needs nothing but the document: actions, operators and flags are known, what belongs to SCMP_ACT_NOTIFY is there with
 * it and only with it. has_listener: there is somebody to notify (listenerPath, or by other means).
 * listenerPath without SCMP_ACT_NOTIFY is ignored, as the spec has it.
 */
int sec_seccomp_check(const struct oci_seccomp *s, bool has_listener, struct bk_err **err);

/*
 * That the running kernel takes each of the flags named: one failing seccomp(2) call a flag.
 * -BK_ERR_UNSUPPORTED.
 */
int sec_seccomp_check_kernel(const struct oci_seccomp *s, struct bk_err **err);

/*
 * Compiles with libseccomp; how: enum sec_seccomp_how. Errors: -BK_ERR_CONFIG and
 * -BK_ERR_UNSUPPORTED, with the JSON path.
 */
int sec_seccomp_compile(const struct oci_seccomp *s, unsigned int how, struct sec_bpf *ret,
			struct bk_err **err);

/*
 * A program that somebody else compiled, as the bytes of its struct sock_filter in base64. Whether
 * it makes sense is the kernel's to say; one that notifies is refused.
 */
int sec_seccomp_raw(const char *base64, struct sec_bpf *ret, struct bk_err **err);

/*
 * The same through the cache folder (an open directory, which only we may write; -1: no cache). A
 * hit is open, fstat, read and close. What cannot be read, is not ours or does not match to the
 * last byte of the profile is compiled anew; failing to write to the cache is no error.
 */
int sec_seccomp_get(const struct oci_seccomp *s, unsigned int how, int cache_dirfd,
		    struct sec_bpf *ret, struct bk_err **err);

/* Installs it on the calling thread. Needs no_new_privs or CAP_SYS_ADMIN: EACCES says which. */
int sec_seccomp_load(const struct sec_bpf *b, struct bk_err **err);
/* What its failure (errno) means. */
int sec_seccomp_load_error(const struct sec_bpf *b, int errnum, struct bk_err **err);

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
