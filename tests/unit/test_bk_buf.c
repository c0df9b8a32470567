/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_buf.h"

static void test_append(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	char *stolen;

	(void)state;
	assert_string_equal(bk_buf_str(&b), "");
	assert_true(bk_buf_adds(&b, "ab"));
	assert_true(bk_buf_addc(&b, 'c'));
	assert_true(bk_buf_printf(&b, "%0500d", 1)); /* past the first allocation */
	assert_true(bk_buf_add(&b, "\0x", 2));
	assert_int_equal(b.len, 505);
	assert_memory_equal(b.data + 502, "1\0x", 4); /* and the end */
	bk_buf_reset(&b);
	assert_string_equal(bk_buf_str(&b), "");
	assert_true(bk_buf_add(&b, NULL, 0));
	assert_true(bk_buf_adds(&b, "kept"));
	stolen = bk_buf_steal(&b);
	assert_string_equal(stolen, "kept");
	assert_int_equal(b.len, 0);
	free(stolen);
	stolen = bk_buf_steal(&b);
	assert_string_equal(stolen, "");
	free(stolen);
	assert_int_equal(b.max, BK_BUF_DOC);
}

static void test_many_small(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_true(bk_buf_addc(&b, (char)('a' + i % 26)));
	assert_int_equal(b.len, 100000);
	assert_int_equal(strlen(b.data), 100000);
	assert_int_equal(b.data[99999], 'a' + 99999 % 26);
}

static void test_room(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(10);
	size_t size = 99;
	char *room;

	(void)state;
	assert_true(bk_buf_adds(&b, "0123"));
	room = bk_buf_room(&b, 2, &size);
	assert_true(size >= 2 && size <= 6);
	memcpy(room, "45", 2);
	bk_buf_extend(&b, 2);
	assert_string_equal(bk_buf_str(&b), "012345");
	room = bk_buf_room(&b, 1000, &size); /* no more than the maximum leaves */
	assert_int_equal(size, 4);
	memcpy(room, "6789", 4);
	bk_buf_extend(&b, 4);
	assert_string_equal(bk_buf_str(&b), "0123456789");
	(void)bk_buf_room(&b, 1000, &size);
	assert_int_equal(size, 0);
	assert_false(b.overflow); /* full is not too much */
	assert_false(bk_buf_addc(&b, 'x'));
	(void)bk_buf_room(&b, 1, &size);
	assert_int_equal(size, 0);
}

static void test_overflow(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(10);
	struct bk_err *err = NULL;

	(void)state;
	assert_true(bk_buf_adds(&b, "0123456789")); /* exactly full */
	assert_ok(bk_buf_check(&b, "list", &err), &err);
	assert_true(bk_buf_add(&b, "", 0));
	assert_false(bk_buf_addc(&b, 'x'));
	assert_false(bk_buf_add(&b, "", 0)); /* refused from then on */
	assert_string_equal(bk_buf_str(&b), "0123456789");
	assert_err(bk_buf_check(&b, "list", &err), &err, BK_ERR_CONFIG,
		   "list is larger than 10 bytes");

	bk_buf_reset(&b);
	assert_ok(bk_buf_check(&b, "list", &err), &err);
	assert_true(bk_buf_adds(&b, "01234"));
	assert_false(bk_buf_printf(&b, "%s", "012345"));
	assert_string_equal(bk_buf_str(&b), "01234"); /* nothing of it */
	bk_buf_reset(&b);
	assert_true(bk_buf_printf(&b, "%s", "0123456789"));
	assert_false(bk_buf_add(&b, "x", SIZE_MAX));
}

static void test_zero_maximum(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(0);

	(void)state;
	assert_true(bk_buf_adds(&b, ""));
	assert_false(bk_buf_addc(&b, 'x'));
	assert_string_equal(bk_buf_str(&b), "");
}

BK_TEST_MAIN(cmocka_unit_test(test_append), cmocka_unit_test(test_many_small),
	     cmocka_unit_test(test_room), cmocka_unit_test(test_overflow),
	     cmocka_unit_test(test_zero_maximum))
