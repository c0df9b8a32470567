/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_str.h"
#include "registry/registry_header.h"

static char *print(const char *value)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct registry_challenge *c = NULL;
	size_t n = 0;

	if (registry_challenge_parse(value, arena, &c, &n, NULL) < 0)
		return bk_strdup("!");
	for (size_t i = 0; i < n; i++) {
		bk_buf_printf(&b, "%s%s", i ? " | " : "", c[i].scheme);
		if (c[i].token68)
			bk_buf_printf(&b, " <%s>", c[i].token68);
		for (size_t k = 0; k < c[i].n; k++)
			bk_buf_printf(&b, " %s=[%s]", c[i].params[k].name, c[i].params[k].value);
	}
	return bk_buf_steal(&b);
}

static void test_challenges(void **state)
{
	static const char *const rows[][2] = {
		{ "Basic realm=\"x\"", "basic realm=[x]" },
		{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull,push\"",
		  "bearer realm=[https://a/t] service=[s] scope=[repository:x:pull,push]" },
		{ "Negotiate, Basic realm=x", "negotiate | basic realm=[x]" },
		{ "Negotiate YII=, bearer REALM = \"r\" , Basic realm=\"a, b\"",
		  "negotiate <YII=> | bearer realm=[r] | basic realm=[a, b]" },
		{ ", ,Basic realm=\"a\\\"b\\\\\",,charset=\"UTF-8\",",
		  "basic realm=[a\"b\\] charset=[UTF-8]" },
		{ "Bearer realm=https://a/t,service=s", "bearer realm=[https://a/t] service=[s]" },
		{ "", "" },
		{ "Basic", "basic" },
		{ "Basic realm=\"x", "!" },
		{ "\"x\"", "!" },
		{ "Bearer a=b c", "!" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *text = print(rows[i][0]);

		assert_string_equal(text ? text : "", rows[i][1]);
	}
}

static void test_links(void **state)
{
	static const char *const rows[][2] = {
		{ "</v2/x/tags/list?n=2&last=b>; rel=\"next\"", "/v2/x/tags/list?n=2&last=b" },
		{ "<a>; rel=prev, <b>; foo=\"x, y\"; REL=next", "b" },
		{ "<a>;rel=\"prev\"", NULL },
		{ "a; rel=next", NULL },
		{ "<a; rel=next", NULL },
		{ "", NULL },
		{ "<a>;;;=;rel;\"next\"", NULL },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autofree char *text = registry_link_next(rows[i][0]);

		assert_true(bk_streq0(text, rows[i][1]));
	}
}

static void test_ranges(void **state)
{
	static const char *const bad[] = { "",		     "bytes 0-9",    "bytes 5-4/9",
					   "bytes -5/9",     "bytes 0-9/10x", "bytes */10",
					   "items 0-9/10",   "bytes 0-99999999999999999999/1" };
	int64_t first, last, size;

	(void)state;
	assert_true(registry_content_range("bytes 3-9/10", &first, &last, &size));
	assert_int_equal(first, 3);
	assert_int_equal(last, 9);
	assert_int_equal(size, 10);
	assert_true(registry_content_range("bytes 0-0/*", &first, &last, &size));
	assert_int_equal(size, -1);
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++)
		assert_false(registry_content_range(bad[i], &first, &last, &size));
	assert_true(registry_upload_range("0-99", &last));
	assert_int_equal(last, 99);
	assert_true(registry_upload_range("bytes=0-5", &last));
	assert_false(registry_upload_range("1-5", &last));
	assert_false(registry_upload_range("0-", &last));
}

BK_TEST_MAIN(cmocka_unit_test(test_challenges), cmocka_unit_test(test_links),
	     cmocka_unit_test(test_ranges))
