/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters are run by a small interpreter of classic BPF, so that what they decide is seen without
 * installing them; a few are installed in a child. The cache is a folder of the test's own.
 */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "codec/bk_json.h"
#include "sec/sec_seccomp.h"
#include "sec/sec_seccomp_enosys.h"

#define X32_BIT	   0x40000000U
#define RET_EPERM  (SECCOMP_RET_ERRNO | EPERM)
#define RET_ENOSYS (SECCOMP_RET_ERRNO | ENOSYS)

static char dir[] = "/tmp/bock-seccomp-XXXXXX"; /* machine-path-ok */

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return bk_file_rmtree(AT_FDCWD, dir, NULL);
}

static bool jump_taken(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return a & i->k;
	default:
		fail_msg("jump 0x%x", i->code);
		return false;
	}
}

static uint32_t interpret(const struct sock_filter *f, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0;;) {
		const struct sock_filter *i;

		assert_true(pc < n);
		i = &f[pc++];
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			assert_int_equal(i->code, BPF_LD | BPF_W | BPF_ABS);
			assert_true(i->k % 4 == 0 && i->k < sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU:
			assert_int_equal(i->code, BPF_ALU | BPF_AND | BPF_K);
			a &= i->k;
			break;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA)
				pc += i->k;
			else
				pc += jump_taken(i, a) ? i->jt : i->jf;
			break;
		case BPF_RET:
			return i->k;
		default:
			fail_msg("instruction 0x%x", i->code);
		}
	}
}

static void decode(struct bk_arena *arena, const char *json, struct oci_seccomp *ret)
{
	struct bk_err *err = NULL;

	assert_ok(bk_json_decode(&oci_seccomp_type, "profile", json, strlen(json),
				 &bk_doc_limits_oci, arena, ret, &err),
		  &err);
}

static uint32_t decide(const struct sec_bpf *b, const char *name, uint64_t arg0, uint64_t arg1)
{
	struct seccomp_data data = { .nr = seccomp_syscall_resolve_name(name),
				     .arch = seccomp_arch_native(),
				     .args = { arg0, arg1 } };

	assert_int_not_equal(data.nr, __NR_SCMP_ERROR);
	return interpret(b->insns, b->n, &data);
}

static void compile(const char *json, struct sec_bpf *ret)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_seccomp s;
	struct bk_err *err = NULL;

	decode(arena, json, &s);
	assert_ok(sec_seccomp_compile(&s, 0, ret, &err), &err);
}

static void refused(const char *json, enum bk_err_kind kind, const char *text)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct sec_bpf b = SEC_BPF_INIT;
	struct oci_seccomp s;
	struct bk_err *err = NULL;

	decode(arena, json, &s);
	assert_err(sec_seccomp_compile(&s, 0, &b, &err), &err, kind, text);
	assert_null(b.mem);
}

static void test_actions(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;

	(void)state;
	compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],"
		"\"syscalls\":["
		"{\"names\":[\"mkdir\",\"no_such_call\"],\"action\":\"SCMP_ACT_ERRNO\"},"
		"{\"names\":[\"rmdir\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":28},"
		"{\"names\":[\"chmod\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":300},"
		"{\"names\":[\"chown\"],\"action\":\"SCMP_ACT_KILL\"},"
		"{\"names\":[\"link\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
		"{\"names\":[\"unlink\"],\"action\":\"SCMP_ACT_TRAP\"},"
		"{\"names\":[\"rename\"],\"action\":\"SCMP_ACT_LOG\"},"
		"{\"names\":[\"open\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
		&b);
	assert_int_equal(b.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_int_equal(decide(&b, "mkdir", 0, 0), RET_EPERM);
	assert_int_equal(decide(&b, "rmdir", 0, 0), SECCOMP_RET_ERRNO | 28);
	assert_int_equal(decide(&b, "chmod", 0, 0), SECCOMP_RET_TRACE | 300);
	assert_true(decide(&b, "chown", 0, 0) == SECCOMP_RET_KILL_THREAD);
	assert_true(decide(&b, "link", 0, 0) == SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(decide(&b, "unlink", 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(decide(&b, "rename", 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(decide(&b, "open", 0, 0), SECCOMP_RET_ALLOW);
	/* what a permissive filter does not name stays allowed, however new */
	assert_int_equal(decide(&b, "clone3", 0, 0), SECCOMP_RET_ALLOW);
}

static const char args_json[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13,\"flags\":[],\"syscalls\":["
	"{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	"{\"index\":0,\"value\":8,\"op\":\"SCMP_CMP_EQ\"},"
	"{\"index\":0,\"value\":131072,\"op\":\"SCMP_CMP_EQ\"}]},"
	"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	"{\"index\":0,\"value\":2114060288,\"valueTwo\":0,\"op\":\"SCMP_CMP_MASKED_EQ\"}]},"
	"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	"{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_LE\"},{\"index\":1,\"value\":1,\"op\":\"SCMP_CMP_NE\"}]},"
	"{\"names\":[\"lseek\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	"{\"index\":1,\"value\":4294967296,\"op\":\"SCMP_CMP_GT\"}]},"
	"{\"names\":[\"dup2\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	"{\"index\":0,\"value\":3,\"op\":\"SCMP_CMP_GE\"},{\"index\":1,\"value\":7,\"op\":\"SCMP_CMP_LT\"}]}]}";

static void test_args(void **state)
{
	const uint32_t deny = SECCOMP_RET_ERRNO | 13;
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;

	(void)state;
	compile(args_json, &b);
	assert_int_equal(b.flags, 0); /* given as none */
	/* the same argument twice: one or the other */
	assert_int_equal(decide(&b, "personality", 8, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "personality", 0x20000, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "personality", 0, 0), deny);
	/* different arguments: both */
	assert_int_equal(decide(&b, "socket", 2, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "socket", 3, 2), deny);
	assert_int_equal(decide(&b, "socket", 2, 1), deny);
	assert_int_equal(decide(&b, "dup2", 3, 6), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "dup2", 2, 6), deny);
	assert_int_equal(decide(&b, "dup2", 3, 7), deny);
	assert_int_equal(decide(&b, "clone", 0x11, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "clone", 0x10000011, 0), deny); /* CLONE_NEWUSER */
	/* 64 bits are compared */
	assert_int_equal(decide(&b, "lseek", 0, UINT64_C(0x100000001)), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "lseek", 0, UINT64_C(0x100000000)), deny);
	assert_int_equal(decide(&b, "lseek", 0, UINT64_C(0xffffffff)), deny);
}

static void test_refused(void **state)
{
	(void)state;
	refused("{\"defaultAction\":\"SCMP_ACT_NOPE\"}", BK_ERR_CONFIG,
		"linux.seccomp.defaultAction: unknown action 'SCMP_ACT_NOPE'");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}", BK_ERR_CONFIG,
		"linux.seccomp: an errno (1) does not go with SCMP_ACT_ALLOW");
	refused("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":5000}", BK_ERR_CONFIG,
		"errno 5000 is larger than 4095");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_Z80\"]}",
		BK_ERR_CONFIG,
		"linux.seccomp.architectures[0]: unknown architecture 'SCMP_ARCH_Z80'");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", BK_ERR_CONFIG,
		"linux.seccomp.flags[0]: unknown flag 'X'");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\","
		"\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]}",
		BK_ERR_CONFIG, "needs SCMP_ACT_NOTIFY");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"open\"],"
		"\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":2}]}",
		BK_ERR_CONFIG, "linux.seccomp.syscalls[0]: an errno (2) does not go with");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"open\"],"
		"\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		BK_ERR_CONFIG, "linux.seccomp.syscalls[0].args[0].index: 6");
	refused("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"open\"],"
		"\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":0,\"op\":\"=\"}]}]}",
		BK_ERR_CONFIG, "linux.seccomp.syscalls[0].args[0].op: unknown operator '='");
}

static void check(const char *json, bool has_listener, const char *refusal)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_seccomp s;
	struct bk_err *err = NULL;

	decode(arena, json, &s);
	if (refusal)
		assert_err(sec_seccomp_check(&s, has_listener, &err), &err, BK_ERR_CONFIG, refusal);
	else
		assert_ok(sec_seccomp_check(&s, has_listener, &err), &err);
}

#define NOTIFY_MKDIR "\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"

static void test_check(void **state)
{
	(void)state;
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\"," NOTIFY_MKDIR "}", true, NULL);
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\"," NOTIFY_MKDIR "}", false,
	      "linux.seccomp.listenerPath: is missing");
	check("{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", false, "linux.seccomp.listenerPath");
	check("{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"flags\":["
	      "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]}", true, NULL);
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", true, NULL);
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerMetadata\":\"x\"}", false,
	      "linux.seccomp.listenerMetadata: needs listenerPath");
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"X\"]}", false, "flags[0]");
	check("{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"defaultErrnoRet\":1}", true,
	      "an errno (1) does not go with SCMP_ACT_NOTIFY");
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],"
	      "\"action\":\"x\"}]}", false, "linux.seccomp.syscalls[0].action");
	check("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],"
	      "\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":0,\"value\":0,\"op\":\"=\"}]}]}",
	      false, "linux.seccomp.syscalls[0].args[0].op");
}

static void test_notify(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
	struct seccomp_data data = { .nr = 100000, .arch = seccomp_arch_native() };

	(void)state;
	compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\"," NOTIFY_MKDIR "}", &b);
	assert_true(b.notify);
	assert_int_equal(decide(&b, "mkdir", 0, 0), SECCOMP_RET_USER_NOTIF);
	assert_int_equal(decide(&b, "rmdir", 0, 0), SECCOMP_RET_ALLOW);
	sec_bpf_done(&b);
	compile("{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"syscalls\":[{\"names\":[\"read\"],"
		"\"action\":\"SCMP_ACT_ALLOW\"}]}", &b);
	assert_true(b.notify);
	assert_int_equal(decide(&b, "read", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "mkdir", 0, 0), SECCOMP_RET_USER_NOTIF);
	/* the agent decides about what is new, too */
	assert_int_equal(interpret(b.insns, b.n, &data), SECCOMP_RET_USER_NOTIF);
	sec_bpf_done(&b);
	compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", &b);
	assert_false(b.notify);
}

static void test_unknown_names(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_seccomp s;
	struct bk_err *err = NULL;

	(void)state;
	decode(arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"nope\"],"
	       "\"action\":\"SCMP_ACT_LOG\"}]}", &s);
	assert_ok(sec_seccomp_compile(&s, 0, &b, &err), &err);
	sec_bpf_done(&b);
	assert_err(sec_seccomp_compile(&s, SEC_SECCOMP_FAIL_UNKNOWN, &b, &err), &err, BK_ERR_CONFIG,
		   "linux.seccomp.syscalls[0].names: 'nope'");
}

static void test_raw(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
	struct bk_err *err = NULL;

	(void)state;
	/* { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } */
	assert_ok(sec_seccomp_raw("BgAAAAAA/38=", &b, &err), &err);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.flags, 0);
	assert_int_equal(decide(&b, "mkdir", 0, 0), SECCOMP_RET_ALLOW);
	assert_err(sec_seccomp_raw("", &b, &err), &err, BK_ERR_CONFIG, "0 bytes are not");
	assert_err(sec_seccomp_raw("BgAAAAAA", &b, &err), &err, BK_ERR_CONFIG, "6 bytes are not");
	assert_err(sec_seccomp_raw("?", &b, &err), &err, BK_ERR_CONFIG, "base64");
	assert_err(sec_seccomp_raw("BgAAAAAAwH8=", &b, &err), &err, BK_ERR_UNSUPPORTED, "can't notify");
}

/* A number above the highest one that the profile names. */
static void test_enosys(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
	struct seccomp_data data = { .arch = seccomp_arch_native() };

	(void)state;
	compile("{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"read\",\"openat2\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
		&b);
	assert_int_equal(b.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_int_equal(decide(&b, "read", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "openat2", 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(decide(&b, "clone3", 0, 0), RET_EPERM); /* known, older than openat2 */
	data.nr = seccomp_syscall_resolve_name("openat2") + 1;
	assert_int_equal(interpret(b.insns, b.n, &data), RET_ENOSYS);
	data.nr = 100000;
	assert_int_equal(interpret(b.insns, b.n, &data), RET_ENOSYS);
}

static uint32_t stub(const struct sec_seccomp_last *last, size_t n, uint32_t arch, uint32_t nr)
{
	struct sock_filter f[SEC_SECCOMP_ENOSYS_MAX + 1];
	const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct seccomp_data data = { .nr = (int)nr, .arch = arch };
	size_t len = sec_seccomp_enosys(last, n, f);

	f[len++] = allow;
	return interpret(f, len, &data);
}

static void test_enosys_archs(void **state)
{
	static const struct sec_seccomp_last all[] = {
		{ SCMP_ARCH_X86_64, 437 },
		{ SCMP_ARCH_X86, 300 },
		{ SCMP_ARCH_X32, X32_BIT | 540 },
		{ SCMP_ARCH_AARCH64, 400 },
	};

	(void)state;
	assert_int_equal(stub(all, 4, AUDIT_ARCH_X86_64, 437), SECCOMP_RET_ALLOW);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_X86_64, 438), RET_ENOSYS);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_I386, 300), SECCOMP_RET_ALLOW);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_I386, 301), RET_ENOSYS);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_X86_64, X32_BIT | 540), SECCOMP_RET_ALLOW);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_X86_64, X32_BIT | 541), RET_ENOSYS);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_AARCH64, 401), RET_ENOSYS);
	assert_int_equal(stub(all, 4, AUDIT_ARCH_S390X, 9999), SECCOMP_RET_ALLOW);
	/* without an entry, x32 is the filter's */
	assert_int_equal(stub(all, 2, AUDIT_ARCH_X86_64, X32_BIT | 1), SECCOMP_RET_ALLOW);
	assert_int_equal(stub(all, 0, AUDIT_ARCH_X86_64, 99999), SECCOMP_RET_ALLOW);
}

static int install(const char *json)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
	int status = 0;
	pid_t pid;

	compile(json, &b);
	pid = fork();
	if (pid == 0) {
		struct bk_err *err = NULL;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sec_seccomp_load(&b, &err) < 0)
			_exit(99);
		if (syscall(SYS_mkdir, "/", 0700) < 0 && errno == ENOSPC)
			_exit(syscall(100000) < 0 && errno == ENOSYS ? 7 : 8);
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void test_load(void **state)
{
	(void)state;
	assert_int_equal(
		install("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],"
			"\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":28}]}"),
		7);
	assert_true(sec_seccomp_flag_supported(SECCOMP_FILTER_FLAG_TSYNC));
	assert_true(sec_seccomp_flag_supported(SECCOMP_FILTER_FLAG_LOG));
	assert_false(sec_seccomp_flag_supported(1U << 30));
}

static size_t count_files(void)
{
	bk_autoclosedir DIR *d = opendir(dir);
	struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	return n;
}

static void get(const char *json, int dirfd, struct sec_bpf *ret)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_seccomp s;
	struct bk_err *err = NULL;

	decode(arena, json, &s);
	assert_ok(sec_seccomp_get(&s, 0, dirfd, ret, &err), &err);
}

static void assert_same(const struct sec_bpf *a, const struct sec_bpf *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->notify, b->notify);
	assert_memory_equal(a->insns, b->insns, a->n * sizeof(*a->insns));
}

/* The only file's name; the folder must hold one. */
static void only_file(char *name, size_t size)
{
	bk_autoclosedir DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(name, size, "%s", e->d_name);
}

static void test_cache(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf plain = SEC_BPF_INIT, first = SEC_BPF_INIT;
	bk_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autobuf struct bk_buf good = BK_BUF_INIT(BK_BUF_DOC);
	char name[256] = "";
	struct bk_err *err = NULL;
	struct stat st;

	(void)state;
	compile(args_json, &plain);
	get(args_json, dirfd, &first);
	assert_same(&plain, &first);
	assert_int_equal(count_files(), 1);
	only_file(name, sizeof(name));
	assert_int_equal(fstatat(dirfd, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(bk_file_read(dirfd, name, &good, &err), &err);

	/* each byte that is changed, and each cut, is found and repaired */
	for (size_t at = 0; at < good.len; at += at < 40 ? 1 : 1 + good.len / 97) {
		bk_auto(sec_bpf_done) struct sec_bpf again = SEC_BPF_INIT;
		bk_autobuf struct bk_buf now = BK_BUF_INIT(BK_BUF_DOC);
		bk_autofree char *bad = bk_memdup(good.data, good.len);

		bad[at] ^= 0x55;
		assert_ok(bk_file_write_atomic(dirfd, name, bad, at % 2 ? at : good.len, 0600,
					       false, &err),
			  &err);
		get(args_json, dirfd, &again);
		assert_same(&plain, &again);
		assert_ok(bk_file_read(dirfd, name, &now, &err), &err);
		assert_int_equal(now.len, good.len);
		assert_memory_equal(now.data, good.data, good.len);
		assert_ok(bk_file_write_atomic(dirfd, name, good.data, good.len, 0600, false, &err),
			  &err);
	}
}

/* A hit writes nothing; whose file it is, and who may write to it, is looked at. */
static void test_cache_modes(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf hit = SEC_BPF_INIT;
	bk_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[256] = "";
	struct stat before, after;

	(void)state;
	only_file(name, sizeof(name));
	assert_int_equal(fstatat(dirfd, name, &before, 0), 0);
	get(args_json, dirfd, &hit);
	assert_int_equal(fstatat(dirfd, name, &after, 0), 0);
	assert_true(before.st_ino == after.st_ino); /* a hit writes nothing */
	/* what others may write is not believed */
	assert_int_equal(fchmodat(dirfd, name, 0666, 0), 0);
	sec_bpf_done(&hit);
	get(args_json, dirfd, &hit);
	assert_int_equal(fstatat(dirfd, name, &after, 0), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0600);
	/* without a folder, or with one that cannot be written to, it is compiled */
	sec_bpf_done(&hit);
	get(args_json, -1, &hit);
	assert_true(hit.n > 0);
}

/* Every member of a profile makes another key: a profile that differs anywhere gets its own program. */
static void test_key(void **state)
{
#define PROFILE(action, errnum, arch, flag, name, act, eret, idx, val, two, op)                    \
	"{\"defaultAction\":\"SCMP_ACT_" action "\",\"defaultErrnoRet\":" errnum                   \
	",\"architectures\":[\"SCMP_ARCH_" arch "\"],\"flags\":[" flag                             \
	"],\"syscalls\":[{\"names\":[" name "],\"action\":\"SCMP_ACT_" act "\",\"errnoRet\":" eret \
	",\"args\":[{\"index\":" idx ",\"value\":" val ",\"valueTwo\":" two                        \
	",\"op\":\"SCMP_CMP_" op "\"}]}]}"
	static const char *const profiles[] = {
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "ERRNO", "2", "0", "1", "0", "EQ"),
		PROFILE("TRACE", "1", "X86", "", "\"read\"", "ERRNO", "2", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "3", "X86", "", "\"read\"", "ERRNO", "2", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86_64", "", "\"read\"", "ERRNO", "2", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "\"SECCOMP_FILTER_FLAG_LOG\"", "\"read\"", "ERRNO",
			"2", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"write\"", "ERRNO", "2", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\",\"write\"", "ERRNO", "2", "0", "1", "0",
			"EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "TRACE", "2", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "ERRNO", "4", "0", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "ERRNO", "2", "1", "1", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "ERRNO", "2", "0", "2", "0", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "ERRNO", "2", "0", "1", "9", "EQ"),
		PROFILE("ERRNO", "1", "X86", "", "\"read\"", "ERRNO", "2", "0", "1", "0", "NE"),
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\"}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"flags\":[]}",
		"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0}",
	};
	bk_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t before = count_files();

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(profiles); i++) {
		bk_auto(sec_bpf_done) struct sec_bpf cached = SEC_BPF_INIT, plain = SEC_BPF_INIT;

		get(profiles[i], dirfd, &cached);
		sec_bpf_done(&cached);
		get(profiles[i], dirfd, &cached);
		compile(profiles[i], &plain);
		assert_same(&plain, &cached);
		if (count_files() != before + i + 1)
			fail_msg("profile %zu shares a file with one before it", i);
	}
}

/* Where notifications go is another thing for each container, and nothing of the program. */
static void test_listener_key(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf a = SEC_BPF_INIT, b = SEC_BPF_INIT;
	bk_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t before;

	(void)state;
	get("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/a\"," NOTIFY_MKDIR "}", dirfd, &a);
	before = count_files();
	get("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/b\",\"listenerMetadata\":\"x\","
	    NOTIFY_MKDIR "}", dirfd, &b);
	assert_same(&a, &b);
	assert_true(b.notify);
	assert_int_equal(count_files(), before);
}

/* A program made when unknown names were skipped is no answer when they are to be an error. */
static void test_how_key(void **state)
{
	bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct oci_seccomp s;
	struct bk_err *err = NULL;

	(void)state;
	decode(arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"nope\"],"
	       "\"action\":\"SCMP_ACT_LOG\"}]}", &s);
	assert_ok(sec_seccomp_get(&s, 0, dirfd, &b, &err), &err);
	sec_bpf_done(&b);
	assert_err(sec_seccomp_get(&s, SEC_SECCOMP_FAIL_UNKNOWN, dirfd, &b, &err), &err, BK_ERR_CONFIG,
		   "'nope'");
}

static void test_bound(void **state)
{
	bk_autoclose int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	for (int i = 0; i < SEC_SECCOMP_CACHE_FILES + 10; i++) {
		bk_auto(sec_bpf_done) struct sec_bpf b = SEC_BPF_INIT;
		bk_autofree char *json = bk_asprintf(
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":%d}", 100 + i);

		get(json, dirfd, &b);
	}
	assert_int_equal(count_files(), SEC_SECCOMP_CACHE_FILES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),	     cmocka_unit_test(test_args),
		cmocka_unit_test(test_refused),	     cmocka_unit_test(test_enosys),
		cmocka_unit_test(test_enosys_archs), cmocka_unit_test(test_load),
		cmocka_unit_test(test_cache),	     cmocka_unit_test(test_cache_modes),
		cmocka_unit_test(test_check),	     cmocka_unit_test(test_notify),
		cmocka_unit_test(test_unknown_names), cmocka_unit_test(test_raw),
		cmocka_unit_test(test_key),	     cmocka_unit_test(test_listener_key),
		cmocka_unit_test(test_how_key),	     cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
