/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_map.h"
#include "base/bk_mem.h"

#define MANY 5000

static const char *key_of(int i, char buf[16])
{
	snprintf(buf, 16, "key%d", i);
	return buf;
}

static void test_empty(void **state)
{
	bk_automap struct bk_map *m = bk_map_new(NULL);
	size_t it = 0;

	(void)state;
	assert_null(bk_map_get(m, "x"));
	assert_false(bk_map_has(m, "x"));
	assert_false(bk_map_del(m, "x"));
	assert_false(bk_map_next(m, &it, NULL, NULL));
	assert_int_equal(bk_map_len(m), 0);
	bk_map_free(NULL);
}

static void test_set_and_replace(void **state)
{
	bk_automap struct bk_map *m = bk_map_new(free);
	char *same = bk_strdup("same");

	(void)state;
	assert_true(bk_map_set(m, "a", bk_strdup("1")));
	assert_false(bk_map_set(m, "a", bk_strdup("2"))); /* frees the first */
	assert_string_equal(bk_map_get(m, "a"), "2");
	assert_true(bk_map_set(m, "", NULL)); /* a key without a value */
	assert_true(bk_map_has(m, ""));
	assert_null(bk_map_get(m, ""));
	assert_true(bk_map_set(m, "same", same));
	assert_false(bk_map_set(m, "same", same)); /* is not freed */
	assert_string_equal(bk_map_get(m, "same"), "same");
	assert_int_equal(bk_map_len(m), 3);
}

/* Deleting must not cut the probe sequences of keys that were pushed past the hole. */
static void test_many(void **state)
{
	bk_automap struct bk_map *m = bk_map_new(free);
	const char *key;
	void *value;
	size_t it = 0, n = 0;
	char buf[16];

	(void)state;
	for (int i = 0; i < MANY; i++)
		assert_true(bk_map_set(m, key_of(i, buf), bk_strdup(key_of(i, buf))));
	for (int i = 0; i < MANY; i += 3) {
		assert_true(bk_map_del(m, key_of(i, buf)));
		assert_false(bk_map_has(m, key_of(i, buf)));
	}
	for (int i = 0; i < MANY; i++) {
		key_of(i, buf);
		assert_int_equal(bk_map_has(m, buf), i % 3 != 0);
		if (i % 3 != 0)
			assert_string_equal(bk_map_get(m, buf), buf);
	}
	while (bk_map_next(m, &it, &key, &value)) {
		assert_string_equal(key, value);
		n++;
	}
	assert_int_equal(n, bk_map_len(m));
	assert_int_equal(n, MANY - (MANY + 2) / 3);
	for (int i = 0; i < MANY; i++)
		bk_map_del(m, key_of(i, buf));
	assert_int_equal(bk_map_len(m), 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_empty), cmocka_unit_test(test_set_and_replace),
	     cmocka_unit_test(test_many))
