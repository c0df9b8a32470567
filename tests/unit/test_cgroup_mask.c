/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "cgroup/cgroup_mask.h"

static void check(const char *list, const char *want)
{
	bk_autofree char *hex = cgroup_mask_hex(list, 64);

	if (!want) {
		assert_null(hex);
		return;
	}
	assert_non_null(hex);
	assert_string_equal(hex, want);
}

static void test_lists(void **state)
{
	(void)state;
	check("", "");
	check("0", "01");
	check("7", "80");
	check("8", "0001");
	check("0-2,5", "27");
	check("1,9-10", "0206");
	check("63", "0000000000000080");
	check("0-63", "ffffffffffffffff");
}

static void test_no_lists(void **state)
{
	(void)state;
	check("64", NULL);
	check("0-64", NULL);
	check("2-1", NULL);
	check("-1", NULL);
	check("1-", NULL);
	check("a", NULL);
	check("0-7:2/4", NULL); /* the kernel's groups: for the file alone */
}

BK_TEST_MAIN(cmocka_unit_test(test_lists), cmocka_unit_test(test_no_lists))
