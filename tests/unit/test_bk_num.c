/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <inttypes.h>

#include "base/bk_num.h"

static const char *const not_numbers[] = { "",   " 1",  "1 ",   "+1", "-1", "1x", "0x10",
					   "1.0", "1e3", "\xd9\xa1", "١", NULL };

static void test_u64(void **state)
{
	struct bk_err *err = NULL;
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; not_numbers[i]; i++)
		assert_err(bk_num_u64(not_numbers[i], UINT64_MAX, &value, &err), &err, BK_ERR_CONFIG,
			   not_numbers[i]);
	assert_err(bk_num_u64("18446744073709551616", UINT64_MAX, &value, &err), &err, BK_ERR_CONFIG,
		   "larger than 18446744073709551615");
	assert_err(bk_num_u64("101", 100, &value, &err), &err, BK_ERR_CONFIG, "larger than 100");
	assert_int_equal(value, 7); /* untouched on failure */
	assert_ok(bk_num_u64("18446744073709551615", UINT64_MAX, &value, &err), &err);
	assert_true(value == UINT64_MAX);
	assert_ok(bk_num_u64("007", 100, &value, &err), &err);
	assert_int_equal(value, 7);
}

static void test_u32(void **state)
{
	struct bk_err *err = NULL;
	uint32_t value = 7;

	(void)state;
	assert_err(bk_num_u32("4294967296", UINT32_MAX, &value, &err), &err, BK_ERR_CONFIG, "larger");
	assert_int_equal(value, 7);
	assert_ok(bk_num_u32("4294967295", UINT32_MAX, &value, &err), &err);
	assert_true(value == UINT32_MAX);
}

static void test_i64(void **state)
{
	struct bk_err *err = NULL;
	int64_t value = 7;

	(void)state;
	assert_err(bk_num_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &value, &err), &err,
		   BK_ERR_CONFIG, "not between");
	assert_err(bk_num_i64("9223372036854775808", INT64_MIN, INT64_MAX, &value, &err), &err,
		   BK_ERR_CONFIG, "not between");
	assert_err(bk_num_i64("-2", -1, 1000, &value, &err), &err, BK_ERR_CONFIG, "between -1 and 1000");
	assert_err(bk_num_i64("-", INT64_MIN, INT64_MAX, &value, &err), &err, BK_ERR_CONFIG, "'-'");
	assert_err(bk_num_i64("--1", INT64_MIN, INT64_MAX, &value, &err), &err, BK_ERR_CONFIG, "'--1'");
	assert_int_equal(value, 7);
	assert_ok(bk_num_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value, &err), &err);
	assert_true(value == INT64_MIN);
	assert_ok(bk_num_i64("-1000", -1000, 1000, &value, &err), &err);
	assert_int_equal(value, -1000);
}

static void test_mode(void **state)
{
	struct bk_err *err = NULL;
	uint32_t value = 7;

	(void)state;
	assert_err(bk_num_mode("8", 07777, &value, &err), &err, BK_ERR_CONFIG, "not an octal number");
	assert_err(bk_num_mode("10000", 07777, &value, &err), &err, BK_ERR_CONFIG, "larger than 07777");
	assert_int_equal(value, 7);
	assert_ok(bk_num_mode("0755", 07777, &value, &err), &err);
	assert_int_equal(value, 0755);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0", 0 },
		{ "10b", 10 },
		{ "1k", 1024 },
		{ "512m", UINT64_C(512) << 20 },
		{ "1GiB", UINT64_C(1) << 30 },
		{ "2Gb", UINT64_C(2) << 30 },
		{ "3T", UINT64_C(3) << 40 },
		{ "1p", UINT64_C(1) << 50 },
	};
	static const char *const bad[] = { "", "m", "1x", "1mm", "1 m", "-1m", "1.5g", "1ib", "1bb", NULL };
	struct bk_err *err = NULL;
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; bad[i]; i++)
		assert_err(bk_num_size(bad[i], &value, &err), &err, BK_ERR_CONFIG, "is not a size");
	assert_err(bk_num_size("16384p", &value, &err), &err, BK_ERR_CONFIG, "64 bits");
	assert_int_equal(value, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_ok(bk_num_size(good[i].text, &value, &err), &err);
		assert_true(value == good[i].value);
	}
}

static void test_duration(void **state)
{
	static const char *const bad[] = { "", "s", "1x", "1s1m", "1m1m", "1m30", "-1s", "1 s", NULL };
	struct bk_err *err = NULL;
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; bad[i]; i++)
		assert_err(bk_num_duration_ms(bad[i], &value, &err), &err, BK_ERR_CONFIG,
			   "is not a duration");
	assert_err(bk_num_duration_ms("18446744073709551615h", &value, &err), &err, BK_ERR_CONFIG,
		   "too long");
	assert_int_equal(value, 7);
	assert_ok(bk_num_duration_ms("90", &value, &err), &err);
	assert_int_equal(value, 90000);
	assert_ok(bk_num_duration_ms("1m30s", &value, &err), &err);
	assert_int_equal(value, 90000);
	assert_ok(bk_num_duration_ms("2h500ms", &value, &err), &err);
	assert_int_equal(value, 7200500);
}

static void test_human(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(bk_num_human(999, buf, sizeof(buf)), "999 B");
	assert_string_equal(bk_num_human(1000, buf, sizeof(buf)), "1.0 kB");
	assert_string_equal(bk_num_human(1234567, buf, sizeof(buf)), "1.2 MB");
	assert_string_equal(bk_num_human(999949, buf, sizeof(buf)), "999.9 kB");
	assert_string_equal(bk_num_human(999950, buf, sizeof(buf)), "1.0 MB"); /* not 1000.0 kB */
	assert_string_equal(bk_num_human(UINT64_MAX, buf, sizeof(buf)), "18.4 EB");
}

BK_TEST_MAIN(cmocka_unit_test(test_u64), cmocka_unit_test(test_u32), cmocka_unit_test(test_i64),
	     cmocka_unit_test(test_mode), cmocka_unit_test(test_size), cmocka_unit_test(test_duration),
	     cmocka_unit_test(test_human))
