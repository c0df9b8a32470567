/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"

static void test_join(void **state)
{
	static const char *const rows[][3] = {
		{ "/a", "b", "/a/b" }, { "/a//", "b", "/a/b" }, { "/", "b", "/b" },
		{ "/a", "/b", "/b" },  { "", "b", "b" },	{ "a", "", "a" },
		{ "/", "", "/" },      { "", "", "" },		{ "a", "../b", "a/../b" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *got = bk_path_join(rows[i][0], rows[i][1]);

		assert_string_equal(got, rows[i][2]);
	}
}

static void test_clean(void **state)
{
	static const char *const rows[][2] = {
		{ "/a//b/./c/../d/", "/a/b/d" },
		{ "/..", "/" },
		{ "/../../x", "/x" },
		{ "//", "/" },
		{ "/.", "/" },
		{ "/...", "/..." },
		{ "/a/...b/..", "/a" },
		{ "", "." },
		{ ".", "." },
		{ "a/..", "." },
		{ "../a", "a" }, /* the start is as the root */
		{ "a/../../b", "b" },
		{ "./a/b/", "a/b" },
		{ "a/b/../..", "." },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *got = bk_path_clean(rows[i][0]);

		assert_string_equal(got, rows[i][1]);
	}
}

static void test_absolute(void **state)
{
	bk_autofree char *a = NULL;
	bk_autofree char *b = NULL;
	struct bk_err *err = NULL;
	char here[] = "/tmp/bk_path_XXXXXX";
	char *gone;

	(void)state;
	assert_int_equal(chdir("/usr/lib"), 0);
	assert_ok(bk_path_absolute("../x/./y", &a, &err), &err);
	assert_string_equal(a, "/usr/x/y");
	assert_ok(bk_path_absolute("/x/../y", &b, &err), &err);
	assert_string_equal(b, "/y");

	gone = mkdtemp(here);
	assert_non_null(gone);
	assert_int_equal(chdir(gone), 0);
	assert_int_equal(rmdir(gone), 0);
	gone = (char *)1;
	assert_err(bk_path_absolute("x", &gone, &err), &err, BK_ERR_IO, "current directory");
	assert_ptr_equal(gone, (char *)1);
	assert_int_equal(chdir("/"), 0);
}

static void test_parts(void **state)
{
	static const char *const rows[][3] = {
		{ "/a/b", "b", "/a" }, { "/a", "a", "/" }, { "a", "a", "." },	 { "", "", "." },
		{ "/a/", "", "/a" },   { "/", "", "/" },   { "a//b", "b", "a" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *dir = bk_path_dir(rows[i][0]);

		assert_string_equal(bk_path_base(rows[i][0]), rows[i][1]);
		assert_string_equal(dir, rows[i][2]);
	}
}

static void test_below(void **state)
{
	(void)state;
	assert_true(bk_path_below("/a", "/a"));
	assert_true(bk_path_below("/a/b", "/a"));
	assert_true(bk_path_below("/a", "/"));
	assert_true(bk_path_below("/", "/"));
	assert_false(bk_path_below("/ab", "/a"));
	assert_false(bk_path_below("/", "/a"));
	assert_false(bk_path_below("a", "/"));
	assert_true(bk_path_below("a/b", "a"));
}

BK_TEST_MAIN(cmocka_unit_test(test_join), cmocka_unit_test(test_clean),
	     cmocka_unit_test(test_absolute), cmocka_unit_test(test_parts),
	     cmocka_unit_test(test_below))
