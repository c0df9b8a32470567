/* SPDX-License-Identifier: Apache-2.0 */
#include "sec/sec_seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_base64.h"
#include "sec/sec_seccomp_enosys.h"
#include "sec/sec_seccomp_pack.h"

#define ERRNO_MAX  4095U /* the kernel cuts what is above */
#define TRACE_MAX  0xffffU
#define ARGS_MAX   6U				 /* arguments of a system call */
#define EXPORT_MAX (16U * SEC_SECCOMP_INSNS_MAX) /* before packing */

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static void release_ctx(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

void sec_bpf_done(struct sec_bpf *b)
{
	free(b->mem);
	*b = (struct sec_bpf)SEC_BPF_INIT;
}

/* `where` is the JSON path of the object that holds the action and its errno. */
static int action_of(const char *where, const char *name, const char *action, bool has_errno,
		     uint32_t errno_ret, uint32_t *ret, struct bk_err **err)
{
	uint32_t data = has_errno ? errno_ret : EPERM, max;
	int value;

	if (!action || !bk_doc_name_find(sec_seccomp_actions, action, &value))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.%s: unknown action '%s'", where, name,
				  action ? action : "");
	if ((uint32_t)value != SCMP_ACT_ERRNO(0) && (uint32_t)value != SCMP_ACT_TRACE(0)) {
		if (has_errno)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "%s: an errno (%u) does not go with %s", where, errno_ret,
					  action);
		*ret = (uint32_t)value;
		return 0;
	}
	max = (uint32_t)value == SCMP_ACT_ERRNO(0) ? ERRNO_MAX : TRACE_MAX;
	if (data > max)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: errno %u is larger than %u", where,
				  data, max);
	*ret = (uint32_t)value | data;
	return 0;
}

static int arg_of(const struct oci_seccomp_arg *a, size_t rule, size_t i, struct scmp_arg_cmp *ret,
		  struct bk_err **err)
{
	int op;

	if (a->index >= ARGS_MAX)
		return bk_err_set(
			err, BK_ERR_CONFIG, 0,
			"linux.seccomp.syscalls[%zu].args[%zu].index: %u is larger than %u", rule,
			i, a->index, ARGS_MAX - 1);
	if (!a->op || !bk_doc_name_find(sec_seccomp_operators, a->op, &op))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.seccomp.syscalls[%zu].args[%zu].op: unknown operator '%s'",
				  rule, i, a->op ? a->op : "");
	*ret = (struct scmp_arg_cmp){
		.arg = a->index,
		.op = (enum scmp_compare)op,
		.datum_a = a->value,
		.datum_b = a->value_two,
	};
	return 0;
}

static int rule_error(int rc, const char *name, size_t rule, struct bk_err **err)
{
	if (rc == -EEXIST)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.seccomp.syscalls[%zu]: '%s' has another action already",
				  rule, name);
	return bk_err_set(err, BK_ERR_INTERNAL, -rc,
			  "linux.seccomp.syscalls[%zu]: add a rule for '%s'", rule, name);
}

struct rule_args {
	struct scmp_arg_cmp v[ARGS_MAX * 4];
	unsigned int n;
	bool split;
	bool fail_unknown;
};

/* One name with all its conditions: each for itself (an "or") where an argument comes twice. */
static int add_name(scmp_filter_ctx ctx, uint32_t action, const char *name, size_t rule,
		    const struct rule_args *args, struct bk_err **err)
{
	unsigned int n = args->n;
	int nr = seccomp_syscall_resolve_name(name);
	int rc = 0;

	if (nr == __NR_SCMP_ERROR && args->fail_unknown)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.seccomp.syscalls[%zu].names: '%s' is no system call that "
				  "libseccomp knows", rule, name);
	if (nr == __NR_SCMP_ERROR)
		return 0; /* unknown names are skipped, as other runtimes do */
	if (!args->split)
		rc = seccomp_rule_add_array(ctx, action, nr, n, args->v);
	for (unsigned int i = 0; args->split && rc == 0 && i < n; i++)
		rc = seccomp_rule_add_array(ctx, action, nr, 1, &args->v[i]);
	return rc == 0 ? 0 : rule_error(rc, name, rule, err);
}

/* What a rule says, without its names; a pure function. */
static int rule_of(const struct oci_seccomp_syscall *s, size_t rule, struct rule_args *args,
		   uint32_t *ret_action, struct bk_err **err)
{
	bk_autofree char *where = bk_asprintf("linux.seccomp.syscalls[%zu]", rule);
	unsigned int used[ARGS_MAX] = { 0 };
	int rc;

	rc = action_of(where, "action", s->action, s->has_errno_ret, s->errno_ret, ret_action, err);
	if (rc < 0)
		return rc;
	if (!s->names || !s->names[0])
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.names: is empty", where);
	if (s->n_args > BK_ARRAY_SIZE(args->v))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.args: more than %zu", where,
				  BK_ARRAY_SIZE(args->v));
	for (size_t i = 0; i < s->n_args; i++) {
		rc = arg_of(&s->args[i], rule, i, &args->v[i], err);
		if (rc < 0)
			return rc;
		if (used[args->v[i].arg]++)
			args->split = true;
	}
	args->n = (unsigned int)s->n_args;
	return 0;
}

static int add_rule(scmp_filter_ctx ctx, const struct oci_seccomp_syscall *s, size_t rule,
		    uint32_t default_action, unsigned int how, struct bk_err **err)
{
	struct rule_args args = { .fail_unknown = how & SEC_SECCOMP_FAIL_UNKNOWN };
	uint32_t action = 0;
	int rc = rule_of(s, rule, &args, &action, err);

	if (rc < 0)
		return rc;
	if (action == default_action)
		return 0;
	for (size_t i = 0; s->names[i]; i++) {
		rc = add_name(ctx, action, s->names[i], rule, &args, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Adds the architectures to ctx and fills archs with all that the filter then has. */
static int add_archs(scmp_filter_ctx ctx, char *const *names, uint32_t *archs, size_t *ret_n,
		     struct bk_err **err)
{
	size_t n = 0;

	archs[n++] = seccomp_arch_native();
	for (size_t i = 0; names && names[i]; i++) {
		int value, rc;

		if (!bk_doc_name_find(sec_seccomp_archs, names[i], &value))
			return bk_err_set(
				err, BK_ERR_CONFIG, 0,
				"linux.seccomp.architectures[%zu]: unknown architecture '%s'", i,
				names[i]);
		rc = seccomp_arch_add(ctx, (uint32_t)value);
		if (rc == -EEXIST)
			continue;
		if (rc < 0)
			return bk_err_set(err, BK_ERR_UNSUPPORTED, -rc,
					  "linux.seccomp.architectures[%zu]: add '%s'", i,
					  names[i]);
		if (n == SEC_SECCOMP_ARCHS_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.seccomp.architectures: more than %d",
					  SEC_SECCOMP_ARCHS_MAX);
		archs[n++] = (uint32_t)value;
	}
	*ret_n = n;
	return 0;
}

static int flags_of(char *const *names, bool notify, unsigned int *ret, struct bk_err **err)
{
	unsigned int flags = 0;

	/* Without a word about it, as runc: speculation stays as fast as the host lets it be. */
	if (!names)
		flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; names && names[i]; i++) {
		int value;

		if (!bk_doc_name_find(sec_seccomp_flags, names[i], &value))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.seccomp.flags[%zu]: unknown flag '%s'", i,
					  names[i]);
		if ((unsigned int)value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !notify)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.seccomp.flags[%zu]: %s needs SCMP_ACT_NOTIFY", i,
					  names[i]);
		flags |= (unsigned int)value;
	}
	*ret = flags;
	return 0;
}

/* Makes the entry of one architecture; false where the profile names no call that it has. */
static bool last_of(const struct oci_seccomp *s, uint32_t arch, struct sec_seccomp_last *ret)
{
	int last = -1;

	for (size_t i = 0; i < s->n_syscalls; i++)
		for (char **name = s->syscalls[i].names; name && *name; name++) {
			int nr = seccomp_syscall_resolve_name_arch(arch, *name);

			/* below 0 are libseccomp's numbers for calls of other architectures */
			if (nr > last)
				last = nr;
		}
	*ret = (struct sec_seccomp_last){ .arch = arch, .nr = (uint32_t)last };
	return last >= 0;
}

static size_t make_enosys(const struct oci_seccomp *s, uint32_t default_action,
			  const uint32_t *archs, size_t n_archs, struct sock_filter *out)
{
	struct sec_seccomp_last last[SEC_SECCOMP_ARCHS_MAX];
	size_t n = 0;

	/*
	 * A filter that lets pass what it does not know, or shows it to a tracer or an agent, is left
	 * as it is.
	 */
	if (default_action == SCMP_ACT_ALLOW || default_action == SCMP_ACT_LOG ||
	    default_action == SCMP_ACT_NOTIFY ||
	    default_action == SCMP_ACT_ERRNO(ENOSYS) ||
	    (default_action & ~TRACE_MAX) == SCMP_ACT_TRACE(0))
		return 0;
	for (size_t i = 0; i < n_archs; i++)
		if (last_of(s, archs[i], &last[n]))
			n++;
	return sec_seccomp_enosys(last, n, out);
}

/*
 * Whether all jumps of a program lead into it, and its end is one. libseccomp writes once and does not look how much that
 * was; of a memory file it is less when memory is short. What passes is the program: nothing leads to what it lacks.
 */
static bool is_whole(const struct sock_filter *insns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *f = &insns[i];
		size_t far = f->jt > f->jf ? f->jt : f->jf;

		if (BPF_CLASS(f->code) == BPF_JMP && i + 1 + (BPF_OP(f->code) == BPF_JA ? f->k : far) >= n)
			return false;
	}
	return n > 0 && BPF_CLASS(insns[n - 1].code) == BPF_RET;
}

static ssize_t read_at_start(int fd, void *data, size_t len)
{
	size_t got = 0;
	ssize_t n;

	do {
		n = pread(fd, (char *)data + got, len - got, (off_t)got);
		got += n > 0 ? (size_t)n : 0;
	} while (n > 0 && got < len);
	return n < 0 ? n : (ssize_t)got;
}

/* libseccomp 2.5 writes the program to a descriptor only. */
static int export_once(scmp_filter_ctx ctx, const struct sock_filter *head, size_t n_head,
		       struct sec_bpf *ret, struct bk_err **err)
{
	bk_autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
	bk_autofree struct sock_filter *insns = NULL;
	struct stat st;
	ssize_t got;
	size_t n;
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "linux.seccomp: make a memory file");
	rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_INTERNAL, -rc, "linux.seccomp: export the filter");
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "linux.seccomp: stat the filter");
	n = (size_t)st.st_size / sizeof(*insns);
	if (n == 0 || n > EXPORT_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.seccomp: a filter of %zu BPF instructions", n);
	insns = bk_calloc(n + n_head, sizeof(*insns));
	if (n_head)
		memcpy(insns, head, n_head * sizeof(*insns));
	got = read_at_start(fd, insns + n_head, n * sizeof(*insns));
	if (got != (ssize_t)(n * sizeof(*insns)))
		return bk_err_set(err, BK_ERR_INTERNAL, got < 0 ? errno : 0, "linux.seccomp: read the filter");
	if (!is_whole(insns + n_head, n))
		return bk_err_set(err, BK_ERR_IO, EAGAIN, "linux.seccomp: only a part of the filter was written");
	ret->n = n + n_head;
	ret->insns = insns;
	ret->mem = bk_steal_ptr(&insns);
	return 0;
}

static int export(scmp_filter_ctx ctx, const struct sock_filter *head, size_t n_head,
		  struct sec_bpf *ret, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = export_once(ctx, head, n_head, ret, &e);

	if (rc < 0 && bk_err_errno(e) == EAGAIN) {
		bk_err_clear(&e);
		rc = export_once(ctx, head, n_head, ret, &e);
	}
	if (rc < 0)
		bk_err_move(err, e);
	return rc;
}

/* Makes the filter smaller where that can be done; false: it stays as it is. */
static bool pack(const uint32_t *archs, size_t n_archs, struct sec_bpf *b)
{
	uint32_t audit[SEC_SECCOMP_ARCHS_MAX];
	struct sock_filter *packed = NULL;
	size_t n = 0, n_packed = 0;

	for (size_t i = 0; i < n_archs; i++) {
		uint32_t arch = archs[i];
		size_t j = 0;

		if (arch == SCMP_ARCH_X32) /* told apart by the number, not by this */
			arch = SCMP_ARCH_X86_64;
		while (j < n && audit[j] != arch)
			j++;
		if (j == n)
			audit[n++] = arch;
	}
	if (!sec_seccomp_pack(b->insns, b->n, audit, n, &packed, &n_packed))
		return false;
	free(b->mem);
	b->mem = packed;
	b->insns = packed;
	b->n = n_packed;
	return true;
}

bool sec_seccomp_notifies(const struct oci_seccomp *s)
{
	if (bk_streq0(s->default_action, "SCMP_ACT_NOTIFY"))
		return true;
	for (size_t i = 0; i < s->n_syscalls; i++) {
		if (bk_streq0(s->syscalls[i].action, "SCMP_ACT_NOTIFY"))
			return true;
	}
	return false;
}

int sec_seccomp_check(const struct oci_seccomp *s, bool has_listener, struct bk_err **err)
{
	bool notify = sec_seccomp_notifies(s);
	unsigned int flags;
	uint32_t action;
	int rc;

	rc = action_of("linux.seccomp", "defaultAction", s->default_action,
		       s->has_default_errno_ret, s->default_errno_ret, &action, err);
	for (size_t i = 0; rc == 0 && i < s->n_syscalls; i++) {
		struct rule_args args = { .n = 0 };

		rc = rule_of(&s->syscalls[i], i, &args, &action, err);
	}
	if (rc < 0)
		return rc;
	if (s->listener_metadata && !has_listener)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.seccomp.listenerMetadata: needs listenerPath");
	if (notify && !has_listener)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.seccomp.listenerPath: is missing, and SCMP_ACT_NOTIFY needs it");
	return flags_of(s->flags, notify, &flags, err);
}

int sec_seccomp_check_kernel(const struct oci_seccomp *s, struct bk_err **err)
{
	for (size_t i = 0; s->flags && s->flags[i]; i++) {
		int value;

		if (bk_doc_name_find(sec_seccomp_flags, s->flags[i], &value) &&
		    !sec_seccomp_flag_supported((unsigned int)value))
			return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
					  "linux.seccomp.flags[%zu]: this kernel doesn't have %s", i,
					  s->flags[i]);
	}
	return 0;
}

int sec_seccomp_compile(const struct oci_seccomp *s, unsigned int how, struct sec_bpf *ret,
			struct bk_err **err)
{
	bk_auto(release_ctx) scmp_filter_ctx ctx = NULL;
	struct sock_filter head[SEC_SECCOMP_ENOSYS_MAX];
	uint32_t archs[SEC_SECCOMP_ARCHS_MAX], default_action = 0;
	struct sec_bpf bpf = { .notify = sec_seccomp_notifies(s) };
	size_t n_archs = 0, n_head;
	int rc;

	rc = action_of("linux.seccomp", "defaultAction", s->default_action,
		       s->has_default_errno_ret, s->default_errno_ret, &default_action, err);
	if (rc == 0)
		rc = flags_of(s->flags, bpf.notify, &bpf.flags, err);
	if (rc < 0)
		return rc;
	ctx = seccomp_init(default_action);
	if (!ctx)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.seccomp.defaultAction: the kernel does not have %s",
				  s->default_action);
	/* 2: a binary tree instead of a list; an older libseccomp goes on with the list */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* the kernel's own errors, not ECANCELED for all of them */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_API_SYSRAWRC, 1);
	rc = add_archs(ctx, s->architectures, archs, &n_archs, err);
	for (size_t i = 0; rc == 0 && i < s->n_syscalls; i++)
		rc = add_rule(ctx, &s->syscalls[i], i, default_action, how, err);
	if (rc < 0)
		return rc;
	n_head = make_enosys(s, default_action, archs, n_archs, head);
	rc = export(ctx, head, n_head, &bpf, err);
	if (rc < 0)
		return rc;
	(void)pack(archs, n_archs, &bpf);
	if (bpf.n > SEC_SECCOMP_INSNS_MAX) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"linux.seccomp: %zu BPF instructions; the kernel takes at most %d",
				bpf.n, SEC_SECCOMP_INSNS_MAX);
		sec_bpf_done(&bpf);
		return rc;
	}
	*ret = bpf;
	return 0;
}

static bool raw_notifies(const struct sock_filter *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (f[i].code == (BPF_RET | BPF_K) &&
		    (f[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
			return true;
	}
	return false;
}

int sec_seccomp_raw(const char *base64, struct sec_bpf *ret, struct bk_err **err)
{
	bk_autofree unsigned char *bytes = NULL;
	struct sec_bpf bpf = SEC_BPF_INIT;
	size_t len;
	int rc = bk_base64_decode(base64, strlen(base64), &bytes, &len, err);

	if (rc < 0)
		return rc;
	bpf.n = len / sizeof(*bpf.insns);
	if (len == 0 || len % sizeof(*bpf.insns) || bpf.n > SEC_SECCOMP_INSNS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%zu bytes are not 1 to %d BPF instructions of %zu", len,
				  SEC_SECCOMP_INSNS_MAX, sizeof(*bpf.insns));
	bpf.insns = bk_calloc(bpf.n, sizeof(*bpf.insns));
	memcpy(bpf.insns, bytes, len);
	bpf.mem = bpf.insns;
	if (raw_notifies(bpf.insns, bpf.n)) {
		sec_bpf_done(&bpf);
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "a ready-made program can't notify: use SCMP_ACT_NOTIFY");
	}
	*ret = bpf;
	return 0;
}

static long seccomp_call(unsigned int op, unsigned int flags, void *arg)
{
	return syscall(SYS_seccomp, op, flags, arg);
}

int sec_seccomp_load_error(const struct sec_bpf *b, int errnum, struct bk_err **err)
{
	int rc = bk_err_set(err, BK_ERR_IO, errnum, "install the seccomp filter");

	if (errnum == EACCES)
		return bk_err_hint(err, rc, "it needs process.noNewPrivileges or CAP_SYS_ADMIN");
	if (errnum == EINVAL && b->flags)
		return bk_err_hint(err, rc, "this kernel may lack one of linux.seccomp.flags");
	return rc;
}

int sec_seccomp_load(const struct sec_bpf *b, struct bk_err **err)
{
	struct sock_fprog prog = { .len = (unsigned short)b->n, .filter = b->insns };
	long rc = seccomp_call(SECCOMP_SET_MODE_FILTER, b->flags, &prog);

	if (rc < 0)
		return sec_seccomp_load_error(b, errno, err);
	if (rc > 0)
		return bk_err_set(err, BK_ERR_IO, 0,
				  "install the seccomp filter: thread %ld cannot be made to follow",
				  rc);
	return 0;
}

bool sec_seccomp_flag_supported(unsigned int flag)
{
	/* EFAULT says that the flags were taken and the program was to be read */
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return seccomp_call(SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}
