/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "ns/ns_refusal.h"

static char dir[] = "/tmp/bock-sysctl-XXXXXX"; /* machine-path-ok */

static void set(const char *name, const char *value)
{
	bk_autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(fd, name, value, strlen(value), 0600, false, &err), &err);
}

static void says(int errnum, const char *words)
{
	const char *hint = ns_refusal_hint(dir, errnum);

	if (!words)
		assert_null(hint);
	else
		assert_non_null(strstr(hint, words));
}

static void test_hints(void **state)
{
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/user", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/kernel", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	says(ENOMEM, NULL);
	says(ENOSPC, "there are too many");
	says(EPERM, "a seccomp filter");
	set("user/max_user_namespaces", "96365\n");
	says(ENOSPC, "there are too many");
	set("user/max_user_namespaces", "0\n");
	says(ENOSPC, "user.max_user_namespaces is 0");
	says(EUSERS, "user.max_user_namespaces is 0");
	set("kernel/unprivileged_userns_clone", "1\n");
	set("kernel/apparmor_restrict_unprivileged_userns", "0\n");
	says(EPERM, "a seccomp filter");
	set("kernel/apparmor_restrict_unprivileged_userns", "1\n");
	says(EPERM, "AppArmor restricts");
	says(EACCES, "AppArmor restricts");
	set("kernel/unprivileged_userns_clone", "0\n");
	says(EPERM, "kernel.unprivileged_userns_clone is 0");
	assert_ok(bk_file_rmtree(AT_FDCWD, dir, NULL), &(struct bk_err *){ NULL });
}

BK_TEST_MAIN(cmocka_unit_test(test_hints))
