/* SPDX-License-Identifier: Apache-2.0 */
/* On trees of files that look like the kernel's: most machines have no more than one of the modules. */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "sec/sec_label.h"

static char *top;	/* of the tree that the test makes */

static int setup(void **state)
{
	char path[] = "/tmp/bock-label-XXXXXX"; /* machine-path-ok */

	(void)state;
	if (!mkdtemp(path))
		return -1;
	top = bk_strdup(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)bk_file_rmtree(AT_FDCWD, top, NULL);
	free(top);
	top = NULL;
	return 0;
}

static void make(const char *path, const char *text)
{
	bk_autofree char *full = bk_path_join(top, path);
	bk_autofree char *dir = bk_strdup(full);
	struct bk_err *err = NULL;

	*strrchr(dir, '/') = '\0';
	assert_ok(bk_file_mkdirs(dir, 0700, &err), &err);
	assert_ok(bk_file_write_atomic(AT_FDCWD, full, text, strlen(text), 0600, false, &err), &err);
}

static void holds(const char *path, const char *want)
{
	bk_autofree char *full = bk_path_join(top, path);
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(AT_FDCWD, full, &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), want);
}

static void test_check(void **state)
{
	bk_autofree char *longer = bk_calloc(1, SEC_LABEL_MAX + 2);
	struct bk_err *err = NULL;

	(void)state;
	assert_err(sec_label_check(SEC_LABEL_APPARMOR, "p", top, &err), &err, BK_ERR_UNSUPPORTED,
		   "process.apparmorProfile: 'p' is asked for, but AppArmor is not enabled");
	assert_err(sec_label_check(SEC_LABEL_SELINUX, "l", top, &err), &err, BK_ERR_UNSUPPORTED,
		   "process.selinuxLabel: 'l' is asked for, but selinux is disabled or not supported");
	make("module/apparmor/parameters/enabled", "N\n");
	assert_err(sec_label_check(SEC_LABEL_APPARMOR, "p", top, &err), &err, BK_ERR_UNSUPPORTED,
		   "AppArmor is not enabled");
	make("module/apparmor/parameters/enabled", "Y\n");
	assert_ok(sec_label_check(SEC_LABEL_APPARMOR, "p", top, &err), &err);
	make("fs/selinux/enforce", "0");
	assert_ok(sec_label_check(SEC_LABEL_SELINUX, "l", top, &err), &err);
	memset(longer, 'x', SEC_LABEL_MAX + 1);
	assert_err(sec_label_check(SEC_LABEL_SELINUX, longer, top, &err), &err, BK_ERR_CONFIG,
		   "process.selinuxLabel: is longer than");
}

static void link_self(const char *pid)
{
	bk_autofree char *path = bk_path_join(top, "self");

	assert_int_equal(symlink(pid, path), 0);
}

static void test_write(void **state)
{
	bk_autoclose int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct bk_err *err = NULL;

	(void)state;
	link_self("77");
	make("77/attr/exec", "");
	make("77/attr/keycreate", "");
	make("77/attr/apparmor/exec", "");
	assert_ok(sec_label_write(fd, SEC_LABEL_APPARMOR, "docker-default", &err), &err);
	holds("77/attr/apparmor/exec", "exec docker-default");
	holds("77/attr/exec", "");
	assert_ok(sec_label_write(fd, SEC_LABEL_SELINUX, "u:r:t:s0:c1,c2", &err), &err);
	holds("77/attr/exec", "u:r:t:s0:c1,c2");
	assert_ok(sec_label_write(fd, SEC_LABEL_KEY, "u:r:t:s0", &err), &err);
	holds("77/attr/keycreate", "u:r:t:s0");
}

/* The file that AppArmor shared with others until 5.8. */
static void test_old_place(void **state)
{
	bk_autoclose int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct bk_err *err = NULL;

	(void)state;
	link_self("77");
	make("77/attr/exec", "");
	assert_ok(sec_label_write(fd, SEC_LABEL_APPARMOR, "p", &err), &err);
	holds("77/attr/exec", "exec p");
}

static void test_absent(void **state)
{
	bk_autoclose int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct bk_err *err = NULL;

	(void)state;
	assert_err(sec_label_write(fd, SEC_LABEL_SELINUX, "l", &err), &err, BK_ERR_IO,
		   "process.selinuxLabel: open the attribute");
	link_self("77");
	assert_err(sec_label_write(fd, SEC_LABEL_APPARMOR, "p", &err), &err, BK_ERR_IO,
		   "process.apparmorProfile: open the attribute");
}

/* Not through a link, wherever it leads, and not out of the tree. */
static void test_links(void **state)
{
	bk_autoclose int fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bk_autofree char *attr = bk_path_join(top, "77/attr/exec");
	struct bk_err *err = NULL;

	(void)state;
	make("elsewhere", "");
	make("77/attr/x", "");
	link_self("77");
	assert_int_equal(symlink("../../elsewhere", attr), 0);
	assert_err(sec_label_write(fd, SEC_LABEL_SELINUX, "l", &err), &err, BK_ERR_IO,
		   "open the attribute");
	holds("elsewhere", "");
}

/* The kernel without the module refuses, and the text says what was asked for. */
static void test_kernel(void **state)
{
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	int rc;

	(void)state;
	assert_ok(sec_label_open_proc(&fd, &err), &err);
	if (sec_label_check(SEC_LABEL_SELINUX, "l", "/sys", &err) == 0)
		skip_because("/sys/fs/selinux: this kernel has SELinux");
	bk_err_clear(&err);
	rc = sec_label_write(fd, SEC_LABEL_SELINUX, "no:such:label", &err);
	assert_true(rc < 0);
	bk_err_clear(&err);
}

#define LABEL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

BK_TEST_MAIN(LABEL_TEST(test_check), LABEL_TEST(test_write), LABEL_TEST(test_old_place),
	     LABEL_TEST(test_absent), LABEL_TEST(test_links), cmocka_unit_test(test_kernel))
