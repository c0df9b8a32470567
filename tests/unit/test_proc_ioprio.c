/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <linux/ioprio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "proc/proc_ioprio.h"

static void good(const char *class, int priority, int want, const char *text)
{
	struct oci_io_priority p = { .class_name = (char *)class, .priority = priority };
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	int value = -1;

	assert_ok(proc_ioprio_compile(&p, &value, &err), &err);
	assert_int_equal(value, want);
	proc_ioprio_print(value, &b);
	assert_string_equal(bk_buf_str(&b), text);
}

static void refused(const char *class, int priority, const char *words)
{
	struct oci_io_priority p = { .class_name = (char *)class, .priority = priority };
	struct bk_err *err = NULL;
	int value = -1;

	assert_err(proc_ioprio_compile(&p, &value, &err), &err, BK_ERR_CONFIG, words);
	assert_int_equal(value, -1);
}

static void test_compile(void **state)
{
	(void)state;
	good("IOPRIO_CLASS_RT", 0, 0x2000, "IOPRIO_CLASS_RT 0");
	good("IOPRIO_CLASS_BE", 7, 0x4007, "IOPRIO_CLASS_BE 7");
	good("IOPRIO_CLASS_IDLE", 4, 0x6004, "IOPRIO_CLASS_IDLE 4");
	refused("IOPRIO_CLASS_NONE", 0, "process.ioPriority.class: 'IOPRIO_CLASS_NONE' is unknown");
	refused("", 0, "process.ioPriority.class");
	refused("IOPRIO_CLASS_BE", 8, "process.ioPriority.priority: 8 is not within 0..7");
	refused("IOPRIO_CLASS_BE", -1, "process.ioPriority.priority: -1");
}

static void test_kernel(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(proc_ioprio_set(0x4006, &err), &err);
	assert_int_equal(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), 0x4006);
	assert_err(proc_ioprio_set(0xe000, &err), &err, BK_ERR_IO, "set the I/O priority");
}

BK_TEST_MAIN(cmocka_unit_test(test_compile), cmocka_unit_test(test_kernel))
