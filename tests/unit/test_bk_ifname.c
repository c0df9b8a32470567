/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "base/bk_ifname.h"

static void test_names(void **state)
{
	static const char *const right[] = { "eth0", "a", "wlan0.5", "0123456789abcde", "..a", "...", "ä",
					     "eth=1", "-", "x@y" };
	static const struct {
		const char *name, *words;
	} wrong[] = {
		{ "", "it is empty" },
		{ "0123456789abcdef", "longer than 15 bytes" },
		{ ".", "would name a directory" },
		{ "..", "would name a directory" },
		{ "a/b", "'/'" },
		{ "eth0:1", "':'" },
		{ "a b", "white space" },
		{ "a\n", "white space" },
		{ "\va", "white space" },
		{ "a\240", "white space" },
	};
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(right); i++) {
		assert_ok(bk_ifname_check(right[i], &err), &err);
		assert_ok(bk_ifname_check_new(right[i], &err), &err);
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(wrong); i++) {
		assert_err(bk_ifname_check(wrong[i].name, &err), &err, BK_ERR_CONFIG, wrong[i].words);
		assert_err(bk_ifname_check_new(wrong[i].name, &err), &err, BK_ERR_CONFIG, wrong[i].words);
	}
}

static void test_templates(void **state)
{
	static const char *const right[] = { "eth%d", "%d", "a%db" };
	static const char *const wrong[] = { "%", "eth%", "%s", "%%", "a%d%d", "%d%", "%5d", "%D" };
	struct bk_err *err = NULL;

	(void)state;
	assert_false(bk_ifname_is_template("eth0"));
	for (size_t i = 0; i < BK_ARRAY_SIZE(right); i++) {
		assert_ok(bk_ifname_check_new(right[i], &err), &err);
		assert_true(bk_ifname_is_template(right[i]));
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(wrong); i++)
		assert_err(bk_ifname_check_new(wrong[i], &err), &err, BK_ERR_CONFIG, "in one '%d'");
}

BK_TEST_MAIN(cmocka_unit_test(test_names), cmocka_unit_test(test_templates))
