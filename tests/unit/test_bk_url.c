/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "http/bk_http.h"
#include "http/bk_url.h"

static void test_parse(void **state)
{
	/* text, what it is printed as */
	static const char *const rows[][2] = {
		{ "https://example.org", "https://example.org/" },
		{ "HTTPS://Example.ORG:443/a?b#c", "https://example.org/a?b" },
		{ "http://localhost:5000/v2/", "http://localhost:5000/v2/" },
		{ "http://[::1]:80/x", "http://[::1]/x" },
		{ "https://h/a%2Fb?x=%41&y={z}", "https://h/a%2Fb?x=%41&y={z}" },
		{ "https://h?q", "https://h/?q" },
		{ "https://h:/x", "https://h/x" },
	};

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autourl struct bk_url u = BK_URL_INIT;
		bk_autofree char *text = NULL;
		struct bk_err *err = NULL;

		assert_ok(bk_url_parse(rows[i][0], &u, &err), &err);
		text = bk_url_text(&u);
		assert_string_equal(text, rows[i][1]);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",	       "example.org", "ftp://h/",	 "file:///etc/passwd", "https://",
		"https:///x",  "https://u@h/", "https://h:0/",	 "https://h:65536/",   "https://h:1x/",
		"https://h/ ", "https://h/a%2", "https://h/\n",	 "https://h\\@evil/",  "https://h/\\",
		"http://[::1", "http://[x]/",	"https://-h/",	 "https://h/a\"b",     "https://h:-1/",
	};
	struct bk_url u = BK_URL_INIT;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		if (bk_url_parse(bad[i], &u, NULL) == 0)
			print_error("taken: '%s'\n", bad[i]);
		assert_null(u.host);
	}
}

/* A password in a URL, and a signature in its query, are in no message. */
static void test_redacted(void **state)
{
	bk_autourl struct bk_url u = BK_URL_INIT;
	bk_autofree char *shown = NULL;
	struct bk_err *err = NULL;
	char text[BK_ERR_MSG_MAX];

	(void)state;
	assert_int_equal(bk_url_parse("https://user:hunter2@h/x", &u, &err), -BK_ERR_CONFIG);
	assert_null(strstr(bk_err_print(err, text, sizeof(text)), "hunter2"));
	bk_err_clear(&err);
	assert_int_equal(bk_url_parse("gopher://h/x?sig=hunter2", &u, &err), -BK_ERR_CONFIG);
	assert_null(strstr(bk_err_print(err, text, sizeof(text)), "hunter2"));
	bk_err_clear(&err);
	assert_ok(bk_url_parse("https://h/x?sig=hunter2", &u, &err), &err);
	shown = bk_url_shown(&u);
	assert_string_equal(shown, "https://h/x");
}

static void test_resolve(void **state)
{
	static const char *const rows[][2] = {
		{ "/x", "https://h:8443/x" },
		{ "c", "https://h:8443/a/c" },
		{ "../c?d", "https://h:8443/c?d" },
		{ "../../../c", "https://h:8443/c" },
		{ "./", "https://h:8443/a/" },
		{ "?n=2", "https://h:8443/a/b?n=2" },
		{ "//other/x", "https://other/x" },
		{ "http://other/x", "http://other/x" },
		{ "x:y", "https://h:8443/a/x:y" },
		{ "/v2/x//y", "https://h:8443/v2/x//y" },
		{ "/x?u=http://y", "https://h:8443/x?u=http://y" },
	};
	bk_autourl struct bk_url base = BK_URL_INIT;

	(void)state;
	assert_int_equal(bk_url_parse("https://h:8443/a/b?c", &base, NULL), 0);
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		bk_autourl struct bk_url u = BK_URL_INIT;
		bk_autofree char *text = NULL;
		struct bk_err *err = NULL;

		assert_ok(bk_url_resolve(&base, rows[i][0], &u, &err), &err);
		text = bk_url_text(&u);
		assert_string_equal(text, rows[i][1]);
	}
}

static void test_origin(void **state)
{
	static const char *const others[] = { "http://h/", "https://h:444/", "https://h.evil/",
					      "https://i/" };
	bk_autourl struct bk_url a = BK_URL_INIT, same = BK_URL_INIT;

	(void)state;
	assert_int_equal(bk_url_parse("https://h/x", &a, NULL), 0);
	assert_int_equal(bk_url_parse("https://H:443/y", &same, NULL), 0);
	assert_true(bk_url_same_origin(&a, &same));
	for (size_t i = 0; i < BK_ARRAY_SIZE(others); i++) {
		bk_autourl struct bk_url b = BK_URL_INIT;

		assert_int_equal(bk_url_parse(others[i], &b, NULL), 0);
		assert_false(bk_url_same_origin(&a, &b));
	}
}

static void test_query(void **state)
{
	bk_autourl struct bk_url u = BK_URL_INIT;

	(void)state;
	assert_int_equal(bk_url_parse("https://h/x", &u, NULL), 0);
	bk_url_query_add(&u, "scope", "repository:a/b:pull,push");
	bk_url_query_add(&u, "a b", "\xc3\xa9&=");
	assert_string_equal(u.query, "scope=repository%3Aa%2Fb%3Apull%2Cpush&a%20b=%C3%A9%26%3D");
}

static void test_retry_after(void **state)
{
	const int64_t now = 784111777; /* RFC 9110's example of a date */

	(void)state;
	assert_int_equal(bk_http_retry_after_ms("0", now), 0);
	assert_int_equal(bk_http_retry_after_ms("120", now), 120000);
	assert_int_equal(bk_http_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", now - 10), 10000);
	assert_int_equal(bk_http_retry_after_ms("Sunday, 06-Nov-94 08:49:37 GMT", now - 10), 10000);
	assert_int_equal(bk_http_retry_after_ms("Sun Nov  6 08:49:37 1994", now - 10), 10000);
	assert_int_equal(bk_http_retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", now + 10), 0);
	assert_int_equal(bk_http_retry_after_ms("soon", now), -1);
	assert_int_equal(bk_http_retry_after_ms("-5", now), -1);
	assert_int_equal(bk_http_retry_after_ms("99999999999999999999", now), -1);
}

BK_TEST_MAIN(cmocka_unit_test(test_parse), cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_redacted), cmocka_unit_test(test_resolve),
	     cmocka_unit_test(test_origin), cmocka_unit_test(test_query),
	     cmocka_unit_test(test_retry_after))
