/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "codec/bk_time.h"

static void test_print(void **state)
{
	static const struct {
		struct timespec t;
		const char *text;
	} cases[] = {
		{ { 0, 0 }, "1970-01-01T00:00:00Z" },
		{ { 1767323045, 123456789 }, "2026-01-02T03:04:05.123456789Z" },
		{ { 1767323045, 1 }, "2026-01-02T03:04:05.000000001Z" },
		{ { 951782400, 0 }, "2000-02-29T00:00:00Z" },
		{ { 4107542400, 0 }, "2100-03-01T00:00:00Z" },
		{ { -1, 0 }, "1969-12-31T23:59:59Z" },
		{ { -62167219200, 0 }, "0000-01-01T00:00:00Z" },
		{ { 253402300799, 0 }, "9999-12-31T23:59:59Z" },
		/* What four digits can't say is cut. */
		{ { INT64_MAX, 0 }, "9999-12-31T23:59:59Z" },
		{ { INT64_MIN, 0 }, "0000-01-01T00:00:00Z" },
	};
	char buf[BK_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(cases); i++)
		assert_string_equal(bk_time_print(&cases[i].t, buf), cases[i].text);
	assert_ptr_equal(bk_time_now(buf), buf);
	assert_true(strlen(buf) >= 20 && buf[strlen(buf) - 1] == 'Z');
}

static void parses(const char *text, int64_t sec, long nsec)
{
	struct bk_err *err = NULL;
	struct timespec t = { 0 };

	assert_ok(bk_time_parse(text, &t, &err), &err);
	assert_true(t.tv_sec == sec);
	assert_true(t.tv_nsec == nsec);
}

static void test_parse(void **state)
{
	(void)state;
	parses("1970-01-01T00:00:00Z", 0, 0);
	parses("2026-01-02T03:04:05.123456789Z", 1767323045, 123456789);
	parses("2026-01-02t03:04:05.5z", 1767323045, 500000000);
	parses("2026-01-02T03:04:05.1234567899999Z", 1767323045, 123456789);
	parses("2026-01-02T05:34:05+02:30", 1767323045, 0);
	parses("2026-01-01T23:04:05-04:00", 1767323045, 0);
	parses("2026-01-02T03:04:05-00:00", 1767323045, 0);
	parses("2024-02-29T00:00:00Z", 1709164800, 0);
	parses("0000-01-01T00:00:00Z", -62167219200, 0);
	parses("0001-01-01T00:00:00Z", -62135596800, 0);
	parses("9999-12-31T23:59:59Z", 253402300799, 0);
	/* The examples of RFC 3339, 5.8; the second 60 there is that of 1990. */
	parses("1985-04-12T23:20:50.52Z", 482196050, 520000000);
	parses("1990-12-31T23:59:60Z", 662688000, 0);
	parses("1990-12-31T15:59:60-08:00", 662688000, 0);
	parses("1937-01-01T12:00:27.87+00:20", -1041337173, 870000000);
}

static void test_parse_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-01-02 03:04:05Z",
		"2026-1-02T03:04:05Z",
		"2026-00-02T03:04:05Z",
		"2026-13-02T03:04:05Z",
		"2026-01-00T03:04:05Z",
		"2026-01-32T03:04:05Z",
		"2026-02-29T03:04:05Z",
		"2100-02-29T03:04:05Z",
		"2026-04-31T03:04:05Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T03:04:61Z",
		"2026-01-02T03:04:60Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05,5Z",
		"2026-01-02T03:04:05.5",
		"2026-01-02T03:04:05+1:00",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05+01:60",
		"2026-01-02T03:04:05+0100",
		"2026-01-02T03:04:05Zx",
		"2026-01-02T03:04:05Z ",
		" 2026-01-02T03:04:05Z",
		"+026-01-02T03:04:05Z",
		"-026-01-02T03:04:05Z",
		"2026-01-02T03:04:0xZ",
		"20260102T030405Z",
		"2026-01-02T03:04:05.-5Z",
	};
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		struct timespec t = { 42, 42 };

		assert_err(bk_time_parse(bad[i], &t, &err), &err, BK_ERR_CONFIG, "RFC 3339");
		assert_true(t.tv_sec == 42 && t.tv_nsec == 42);
	}
}

/* Every day of 800 years, there and back, against a calendar that only counts. */
static void test_every_day(void **state)
{
	static const int len[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct timespec t = { .tv_sec = -11676096000 }; /* 1600-01-01 */
	char want[BK_TIME_SIZE], buf[BK_TIME_SIZE];

	(void)state;
	for (int y = 1600; y < 2400; y++)
		for (int m = 0; m < 12; m++) {
			bool leap = m == 1 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

			for (int d = 1; d <= len[m] + leap; d++, t.tv_sec += 86400) {
				(void)snprintf(want, sizeof(want), "%04d-%02d-%02dT00:00:00Z", y,
					       m + 1, d);
				assert_string_equal(bk_time_print(&t, buf), want);
				parses(want, t.tv_sec, 0);
			}
		}
}

static void test_source_date(void **state)
{
	static const char *const bad[] = {
		"",   "x",    "-1",  "1.5",	     "1 ",
		" 1", "0x10", "1e3", "253402300800", "99999999999999999999"
	};
	struct bk_err *err = NULL;
	struct timespec t = { 0 };
	bool set = true;

	(void)state;
	assert_int_equal(unsetenv("SOURCE_DATE_EPOCH"), 0);
	assert_ok(bk_time_source_date(&t, &set, &err), &err);
	assert_false(set);
	assert_true(t.tv_sec > 1700000000);
	assert_int_equal(setenv("SOURCE_DATE_EPOCH", "1767323045", 1), 0);
	assert_ok(bk_time_source_date(&t, &set, &err), &err);
	assert_true(set);
	assert_true(t.tv_sec == 1767323045 && t.tv_nsec == 0);
	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		assert_int_equal(setenv("SOURCE_DATE_EPOCH", bad[i], 1), 0);
		assert_err(bk_time_source_date(&t, &set, &err), &err, BK_ERR_CONFIG,
			   "SOURCE_DATE_EPOCH: ");
		assert_true(t.tv_sec == 1767323045);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_print), cmocka_unit_test(test_parse),
	     cmocka_unit_test(test_parse_bad), cmocka_unit_test(test_every_day),
	     cmocka_unit_test(test_source_date))
