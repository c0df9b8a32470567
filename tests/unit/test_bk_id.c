/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_id.h"

static void test_good(void **state)
{
	static const char *const good[] = { "a", "web", "A.b_c+d-1", "...", ".hidden", "-x", NULL };
	struct bk_err *err = NULL;
	char longest[BK_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; good[i]; i++)
		assert_ok(bk_id_check(good[i], &err), &err);
	memset(longest, 'x', BK_ID_MAX);
	longest[BK_ID_MAX] = '\0';
	assert_ok(bk_id_check(longest, &err), &err);
}

static void test_bad(void **state)
{
	static const char *const bad[] = { "",	  ".",	      "..",  "a/b",  "/a", "../x", "a b",
					   "a\n", "\xc3\xa4", "a:b", "a\\b", "a%", NULL };
	struct bk_err *err = NULL;
	char wide[5000];

	(void)state;
	for (size_t i = 0; bad[i]; i++)
		assert_err(bk_id_check(bad[i], &err), &err, BK_ERR_CONFIG,
			   "invalid container ID format");
	assert_err(bk_id_check("x/y", &err), &err, BK_ERR_CONFIG, "format: 'x/y': only letters");
	memset(wide, 'x', sizeof(wide));
	wide[BK_ID_MAX + 1] = '\0';
	assert_err(bk_id_check(wide, &err), &err, BK_ERR_CONFIG, "longer than 255 bytes");
	wide[BK_ID_MAX + 1] = 'x';
	wide[sizeof(wide) - 1] = '\0';
	assert_err(bk_id_check(wide, &err), &err, BK_ERR_CONFIG, "longer than 255 bytes");
}

BK_TEST_MAIN(cmocka_unit_test(test_good), cmocka_unit_test(test_bad))
