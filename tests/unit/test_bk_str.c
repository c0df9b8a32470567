/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_mem.h"
#include "base/bk_str.h"

static void test_plain(void **state)
{
	(void)state;
	assert_true(bk_streq0(NULL, NULL));
	assert_false(bk_streq0("", NULL));
	assert_false(bk_streq0(NULL, ""));
	assert_true(bk_streq0("a", "a"));
	assert_string_equal(bk_skip_prefix("sha256:ab", "sha256:"), "ab");
	assert_string_equal(bk_skip_prefix("x", ""), "x");
	assert_null(bk_skip_prefix("sha25", "sha256"));
	assert_true(bk_has_suffix("a.tar", ".tar"));
	assert_false(bk_has_suffix("tar", ".tar"));
	assert_true(bk_str_all_of("00ff", "0123456789abcdef"));
	assert_false(bk_str_all_of("", "0123456789abcdef"));
	assert_false(bk_str_all_of("00fg", "0123456789abcdef"));
}

static const char *name_of(size_t i, const void *ctx)
{
	return ((const char *const *)ctx)[i];
}

static void test_nearest(void **state)
{
	static const char *const names[] = {
		"bundle", "detach", "pid-file", NULL, "no-pivot", "tty"
	};
	char wide[200];

	(void)state;
	assert_string_equal(bk_str_nearest("bundel", name_of, names, 6), "bundle");
	assert_string_equal(bk_str_nearest("detatch", name_of, names, 6), "detach");
	assert_string_equal(bk_str_nearest("pidfile", name_of, names, 6), "pid-file");
	assert_null(bk_str_nearest("root", name_of, names, 6));
	assert_null(bk_str_nearest("t", name_of, names, 6));
	assert_null(bk_str_nearest("", name_of, names, 6));
	assert_null(bk_str_nearest("ty", name_of, names, 6)); /* half of it would be made up */
	assert_string_equal(bk_str_nearest("tyt", name_of, names, 6), "tty");
	memset(wide, 'b', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	assert_null(bk_str_nearest(wide, name_of, names, 6));
}

static void test_strv(void **state)
{
	bk_autostrv char **v = NULL;
	bk_autostrv char **copy = NULL;
	bk_autofree char *joined = NULL;
	bk_autofree char *none = bk_strv_join(NULL, ",");

	(void)state;
	assert_int_equal(bk_strv_len(NULL), 0);
	assert_false(bk_strv_has(NULL, "a"));
	assert_string_equal(none, "");
	assert_null(bk_strv_dup(NULL));
	for (int i = 0; i < 1000; i++) {
		bk_strv_push(&v, bk_asprintf("%d", i));
		assert_int_equal(bk_strv_len(v), i + 1);
	}
	copy = bk_strv_dup(v);
	bk_strv_add(&copy, "last"); /* room is what bk_strv_dup made */
	assert_int_equal(bk_strv_len(copy), 1001);
	assert_true(bk_strv_has(copy, "999"));
	assert_false(bk_strv_has(v, "last"));
	bk_strv_free(copy);
	copy = bk_strv_split(",a,,bc;d,", ",;");
	assert_int_equal(bk_strv_len(copy), 3);
	joined = bk_strv_join(copy, "--");
	assert_string_equal(joined, "a--bc--d");
	assert_null(bk_strv_split(",,", ","));
	assert_null(bk_strv_split("", ","));
}

static void test_env(void **state)
{
	bk_autostrv char **env = NULL;
	bk_autofree char *all = NULL;

	(void)state;
	assert_null(bk_env_get(NULL, "A"));
	bk_env_set(&env, "A=1");
	bk_strv_add(&env, "AB=2");
	bk_strv_add(&env, "A=3");
	bk_strv_add(&env, "A");
	bk_strv_add(&env, "A=5");
	assert_string_equal(bk_env_get(env, "A"), "5");
	assert_string_equal(bk_env_get(env, "AB"), "2");
	assert_null(bk_env_get(env, "B"));
	bk_env_set(&env, "A==new");
	bk_env_set(&env, env[1]); /* what it holds already */
	bk_env_set(&env, "C=");
	all = bk_strv_join(env, " ");
	assert_string_equal(all, "A==new AB=2 A C=");
	assert_string_equal(bk_env_get(env, "C"), "");
}

BK_TEST_MAIN(cmocka_unit_test(test_plain), cmocka_unit_test(test_nearest),
	     cmocka_unit_test(test_strv), cmocka_unit_test(test_env))
