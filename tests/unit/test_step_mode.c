/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <sys/stat.h>

#include "step/step_mode.h"

static void apply(const char *spec, mode_t mode, mode_t want)
{
	struct bk_err *err = NULL;
	mode_t got = 0;

	assert_ok(step_mode_apply(spec, mode, &got, &err), &err);
	if (got != want)
		print_error("%s on %o: %o, expected %o\n", spec, mode, got, want);
	assert_int_equal(got, want);
}

static void refuse(const char *spec)
{
	struct bk_err *err = NULL;
	mode_t got = 0;

	assert_err(step_mode_apply(spec, 0, &got, &err), &err, BK_ERR_CONFIG, spec);
}

static void test_octal(void **state)
{
	(void)state;
	apply("0644", S_IFREG | 0777, 0644);
	apply("4755", S_IFREG, 04755);
	apply("0", S_IFDIR | 0777, 0);
	refuse("0888");
	refuse("17777");
	refuse("644x");
}

static void test_symbolic(void **state)
{
	(void)state;
	apply("u=rwX,go=rX", S_IFREG | 0600, 0644);
	apply("u=rwX,go=rX", S_IFREG | 0711, 0755);
	apply("u=rwX,go=rX", S_IFDIR | 0700, 0755);
	apply("+x", S_IFREG | 0644, 0755);
	apply("a-w", S_IFREG | 0666, 0444);
	apply("g=u", S_IFREG | 0640, 0660);
	apply("o=", S_IFREG | 0777, 0770);
	apply("u+s", S_IFREG | 0755, 04755);
	apply("g+s,+t", S_IFDIR | 0755, 03755);
	apply("=", S_IFREG | 06777, 0);
	apply("=", S_IFDIR | 06777, 06000);
	apply("u=rwx-x+x", S_IFREG, 0700);
	refuse("u");
	refuse("u=z");
	refuse("u=r,");
	refuse(",u=r");
	refuse("rwx");
	refuse("u=r g=r");
}

BK_TEST_MAIN(cmocka_unit_test(test_octal), cmocka_unit_test(test_symbolic))
