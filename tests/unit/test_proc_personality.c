/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <sys/personality.h>

#include "proc/proc_personality.h"

static void test_compile(void **state)
{
	char *none[] = { NULL }, *flags[] = { (char *)"ADDR_NO_RANDOMIZE", NULL };
	struct oci_personality p = { .domain = (char *)"LINUX32", .flags = none };
	struct bk_err *err = NULL;
	int value = -1;

	(void)state;
	assert_ok(proc_personality_compile(&p, &value, &err), &err);
	assert_int_equal(value, PER_LINUX32);
	p.domain = (char *)"LINUX";
	assert_ok(proc_personality_compile(&p, &value, &err), &err);
	assert_int_equal(value, PER_LINUX);
	p.flags = flags;
	assert_err(proc_personality_compile(&p, &value, &err), &err, BK_ERR_CONFIG,
		   "linux.personality.flags[0]: 'ADDR_NO_RANDOMIZE' is unknown");
	p = (struct oci_personality){ .domain = (char *)"PER_LINUX" };
	assert_err(proc_personality_compile(&p, &value, &err), &err, BK_ERR_CONFIG,
		   "linux.personality.domain: 'PER_LINUX' is unknown");
	p.domain = NULL;
	assert_err(proc_personality_compile(&p, &value, &err), &err, BK_ERR_CONFIG,
		   "linux.personality.domain: required member is missing");
}

static void test_kernel(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(proc_personality_set(PER_LINUX32, &err), &err);
	assert_int_equal(personality(0xffffffff), PER_LINUX32);
	assert_ok(proc_personality_set(PER_LINUX, &err), &err);
	assert_int_equal(personality(0xffffffff), PER_LINUX);
}

BK_TEST_MAIN(cmocka_unit_test(test_compile), cmocka_unit_test(test_kernel))
