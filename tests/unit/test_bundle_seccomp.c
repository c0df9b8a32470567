/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "bundle/bundle_seccomp.h"
#include "codec/bk_json.h"

/* The rules that name a system call. */
static size_t rules_of(const struct oci_seccomp *s, const char *name,
		       const struct oci_seccomp_syscall **ret_last)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_syscalls; i++) {
		if (!bk_strv_has(s->syscalls[i].names, name))
			continue;
		*ret_last = &s->syscalls[i];
		n++;
	}
	return n;
}

static bool allowed(const struct oci_seccomp *s, const char *name)
{
	const struct oci_seccomp_syscall *rule = NULL;

	return rules_of(s, name, &rule) == 1 && rule->n_args == 0 &&
	       bk_streq(rule->action, "SCMP_ACT_ALLOW");
}

static void test_plain(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);
	const struct oci_seccomp_syscall *rule = NULL;
	struct oci_seccomp *s = NULL;
	struct bk_err *err = NULL;

	(void)state;
	bundle_seccomp_default(arena, NULL, &s);
	assert_string_equal(s->default_action, "SCMP_ACT_ERRNO");
	assert_true(s->has_default_errno_ret && s->default_errno_ret == EPERM);
	assert_true(allowed(s, "read") && allowed(s, "execve") && allowed(s, "openat2"));
	assert_true(allowed(s, "ptrace") && allowed(s, "futex_waitv") && allowed(s, "mseal"));
	assert_int_equal(rules_of(s, "mount", &rule), 0);
	assert_int_equal(rules_of(s, "bpf", &rule), 0);
	assert_int_equal(rules_of(s, "unshare", &rule), 0);
	assert_int_equal(rules_of(s, "keyctl", &rule), 0);
	assert_int_equal(rules_of(s, "io_uring_setup", &rule), 0);
	assert_int_equal(rules_of(s, "socket", &rule), 3);
	assert_int_equal(rules_of(s, "personality", &rule), 5);
	assert_int_equal(rules_of(s, "clone", &rule), 1);
	assert_int_equal(rule->args[0].value, 0x7e020000);
	assert_int_equal(rules_of(s, "clone3", &rule), 1);
	assert_string_equal(rule->action, "SCMP_ACT_ERRNO");
	assert_int_equal(rule->errno_ret, ENOSYS);
	assert_ok(bk_json_encode(&oci_seccomp_type, s, 0, &text, &err), &err);
}

static void test_caps(void **state)
{
	char *const caps[] = { (char *)"CAP_CHOWN", (char *)"CAP_SYS_ADMIN",
			       (char *)"CAP_SYS_CHROOT", NULL };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct oci_seccomp_syscall *rule = NULL;
	struct oci_seccomp *s = NULL;

	(void)state;
	bundle_seccomp_default(arena, caps, &s);
	assert_true(allowed(s, "mount") && allowed(s, "unshare") && allowed(s, "chroot"));
	assert_true(allowed(s, "clone") && allowed(s, "clone3"));
	assert_int_equal(rules_of(s, "reboot", &rule), 0);
	assert_int_equal(rules_of(s, "iopl", &rule), 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_plain), cmocka_unit_test(test_caps))
