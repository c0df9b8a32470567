/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "ref/ref.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_canonical(void **state)
{
	static const char *const rows[][2] = {
		{ "alpine", "docker.io/library/alpine:latest" },
		{ "alpine:3.20", "docker.io/library/alpine:3.20" },
		{ "docker.io/alpine", "docker.io/library/alpine:latest" },
		{ "index.docker.io/library/alpine", "docker.io/library/alpine:latest" },
		{ "user/app:v1", "docker.io/user/app:v1" },
		{ "localhost/app", "localhost/app:latest" },
		{ "localhost:5000/a/b:c", "localhost:5000/a/b:c" },
		{ "[::1]:5000/a", "[::1]:5000/a:latest" },
		{ "Registry/app", "Registry/app:latest" },
		{ "a__b/c-d/e--f/g.h_i", "docker.io/a__b/c-d/e--f/g.h_i:latest" },
		{ "quay.io/x/y@" DIGEST, "quay.io/x/y@" DIGEST },
		{ "x:1@" DIGEST, "docker.io/library/x:1@" DIGEST },
		/* what no registry knows stays as it is */
		{ "Upper:1", "Upper:1" },
		{ "v1+build", "v1+build" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *text = ref_canonical(rows[i][0]);

		assert_string_equal(text, rows[i][1]);
	}
	assert_true(ref_same("alpine", "docker.io/library/alpine:latest"));
	assert_false(ref_same("alpine", "alpine:3"));
	assert_false(ref_same("localhost/alpine", "alpine"));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",	   ":tag", "a:",       "a/",	    "/a",    "a//b",	    "-a",
		"a-",	   "a..b", "a___b",    "A/../b",    "a b",   "a@",	    "a@sha256:12",
		"a:b:c/d", "a/B",  "x:-tag",   "x:.tag",    "a:b c", "host:port/a", "host:/a",
		"[::1/a",  "[]/a", "[::1]:/a", "-host.x/a", "a\n",
	};
	bk_autofree char *long_tag = bk_asprintf("a:%0129d", 1);
	bk_autofree char *long_name = bk_asprintf("a%0255d", 1);
	struct bk_err *err = NULL;
	struct ref r = REF_INIT;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		if (ref_parse(bad[i], &r, &err) == 0)
			print_error("taken: '%s'\n", bad[i]);
		assert_non_null(err);
		assert_null(r.path);
		bk_err_clear(&err);
	}
	assert_err(ref_parse(long_tag, &r, &err), &err, BK_ERR_CONFIG, "tag");
	assert_err(ref_parse(long_name, &r, &err), &err, BK_ERR_CONFIG, "255");
}

static void test_check(void **state)
{
	static const char *const good[] = { "demo", "demo:1",	 "localhost:5000/a/b:c",
					    "V1+x", ("x@" DIGEST), "latest",
					    "_x" };
	static const char *const bad[] = { "",	 "a b",	 "../x", "/x", "x/",
					   "x:", "a//b", "a\nb", "-x", ".x" };
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(good); i++)
		assert_ok(ref_check(good[i], &err), &err);
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++)
		assert_err(ref_check(bad[i], &err), &err, BK_ERR_CONFIG, "image name");
}

BK_TEST_MAIN(cmocka_unit_test(test_canonical), cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_check))
