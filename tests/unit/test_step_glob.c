/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "step/step_glob.h"
#include "step/step_ignore.h"

static void test_match(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool match;
	} cases[] = {
		{ "a", "a", true },
		{ "a", "a/b", false },
		{ "a/b", "a", false },
		{ "*", "a", true },
		{ "*", ".a", true },
		{ "*", "a/b", false },
		{ "*.c", "x.c", true },
		{ "*.c", "d/x.c", false },
		{ "a/?.[ch]", "a/x.h", true },
		{ "a/?.[ch]", "a/x.o", false },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "**", "a/b/c", true },
		{ "**/x", "x", true },
		{ "**/x", "a/x", true },
		{ "**/x", "a/b/x", true },
		{ "**/x", "a/b/xx", false },
		{ "a/**", "a/b/c", true },
		{ "a/**", "b/a/c", false },
		{ "a/**/z", "a/z", true },
		{ "a/**/z", "a/b/c/z", true },
		{ "a/**/z/**/y", "a/z/b/z/c/y", true },
		{ "docs/**/*.md", "docs/a/b.md", true },
		{ "docs/**/*.md", "docs/b.md", true },
		{ "docs/**/*.md", "docs/a/b.mdx", false },
		{ "**/*_test.go", "a_test.go", true },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(cases); i++) {
		if (step_glob_match(cases[i].pattern, cases[i].path) != cases[i].match)
			print_error("'%s' and '%s'\n", cases[i].pattern, cases[i].path);
		assert_int_equal(step_glob_match(cases[i].pattern, cases[i].path), cases[i].match);
	}
}

static void test_ignore(void **state)
{
	struct step_ignore ignore = STEP_IGNORE_INIT;

	(void)state;
	step_ignore_parse(&ignore,
			  "\xef\xbb\xbf# comment\n\n  *.o \n/build/\n!build/keep\nnode_modules\n"
			  "**/tmp\n!\r\n.\n");
	assert_true(step_ignore_has(&ignore, "x.o"));
	assert_false(step_ignore_has(&ignore, "d/x.o"));
	assert_true(step_ignore_has(&ignore, "build"));
	assert_true(step_ignore_has(&ignore, "build/x"));
	assert_false(step_ignore_has(&ignore, "build/keep"));
	assert_false(step_ignore_has(&ignore, "build/keep/y"));
	assert_true(step_ignore_has(&ignore, "node_modules/a/b"));
	assert_true(step_ignore_has(&ignore, "a/b/tmp/c"));
	assert_false(step_ignore_has(&ignore, "# comment"));
	assert_true(ignore.exceptions);
	step_ignore_done(&ignore);
}

BK_TEST_MAIN(cmocka_unit_test(test_match), cmocka_unit_test(test_ignore))
