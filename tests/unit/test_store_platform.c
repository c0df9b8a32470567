/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "store/store_platform.h"

/* Which of the platforms in `have` (parted by spaces, "-": none given) is taken for `want`, "" for none. */
static void assert_chosen(const char *want, const char *have, const char *expected)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostrv char **list = bk_strv_split(have, " ");
	struct oci_descriptor d[8] = { 0 };
	struct oci_platform wanted, p[8];
	const struct oci_descriptor *best;
	struct bk_err *err = NULL;
	size_t n = 0;

	assert_ok(store_platform_parse(want, arena, &wanted, &err), &err);
	for (; list[n]; n++) {
		d[n].media_type = (char *)(uintptr_t)OCI_MEDIA_MANIFEST;
		if (bk_streq(list[n], "-"))
			continue;
		assert_ok(store_platform_parse(list[n], arena, &p[n], &err), &err);
		d[n].platform = &p[n];
	}
	best = store_platform_choose(&wanted, d, n);
	assert_string_equal(best ? list[best - d] : "", expected);
}

static void test_choose(void **state)
{
	(void)state;
	assert_chosen("linux/amd64", "linux/386 linux/amd64 linux/arm64", "linux/amd64");
	assert_chosen("linux/amd64", "linux/amd64/v3 linux/amd64/v1", "linux/amd64/v1");
	assert_chosen("linux/amd64", "linux/amd64/v2", "");
	assert_chosen("linux/amd64/v3", "linux/amd64 linux/amd64/v2 linux/amd64/v4", "linux/amd64/v2");
	assert_chosen("linux/arm/v7", "linux/arm/v5 linux/arm/v6 linux/arm/v8", "linux/arm/v6");
	assert_chosen("linux/arm/v7", "linux/arm linux/arm/v7", "linux/arm/v7");
	assert_chosen("linux/arm64", "linux/arm64/v8", "linux/arm64/v8");
	assert_chosen("linux/s390x", "windows/s390x -", "-");
	assert_chosen("linux/s390x", "- linux/s390x", "linux/s390x");
	assert_chosen("linux/s390x", "linux/s390x linux/s390x", "linux/s390x");
}

static void test_parse(void **state)
{
	static const char *const bad[] = { "",		"/",	     "linux/",	   "/amd64",
					   "a//b",	"a/b/c/d",   "Linux/amd64", "linux/amd64/v 1" };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *text = NULL;
	struct oci_platform p = { 0 };
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++)
		assert_err(store_platform_parse(bad[i], arena, &p, &err), &err, BK_ERR_CONFIG,
			   "not OS/ARCHITECTURE");
	assert_ok(store_platform_parse("s390x", arena, &p, &err), &err);
	text = store_platform_text(&p);
	assert_string_equal(text, "linux/s390x");
}

BK_TEST_MAIN(cmocka_unit_test(test_choose), cmocka_unit_test(test_parse))
