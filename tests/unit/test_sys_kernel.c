/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys_kernel.h"

/* Whoever runs the tests has a kernel that can run containers. */
static void test_all_there(void **state)
{
	const struct sys_kernel_call *call;
	size_t n = 0;

	(void)state;
	for (; (call = sys_kernel_call(n)); n++) {
		assert_non_null(call->name);
		assert_int_equal(call->since[0], '5');
		if (sys_kernel_refused(n))
			fail_msg("%s is refused", call->name);
	}
	assert_true(n >= 10);
}

/* Whether the hint of a failure by errnum has the words. */
static bool says(int errnum, const char *words)
{
	struct bk_err *err = NULL;
	const char *hint;
	bool has;

	(void)sys_kernel_explain(bk_err_set(&err, BK_ERR_IO, errnum, "act"), &err);
	hint = bk_err_hint_text(err);
	has = hint && strstr(hint, words) && strstr(hint, "Linux 5.14");
	bk_err_clear(&err);
	return has;
}

/* A filter takes openat2 away: it, and nothing else, is missed; and a failure by that errno says so. */
static int without_openat2(unsigned int errnum)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(insns) / sizeof(insns[0]), insns };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return 2;
	for (size_t i = 0; sys_kernel_call(i); i++) {
		int want = strcmp(sys_kernel_call(i)->name, "openat2") == 0 ? (int)errnum : 0;

		if (sys_kernel_refused(i) != want)
			return 1;
	}
	return says((int)errnum, "openat2 (Linux 5.6)") && !says(EIO, "openat2") ? 0 : 1;
}

static void missing(unsigned int errnum)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(without_openat2(errnum));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 2)
		skip_because("seccomp filters are refused here");
	assert_int_equal(status, 0);
}

static void test_missing(void **state)
{
	(void)state;
	assert_false(says(ENOSYS, "openat2"));
	missing(ENOSYS);
	missing(EPERM);
}

BK_TEST_MAIN(cmocka_unit_test(test_all_there), cmocka_unit_test(test_missing))
