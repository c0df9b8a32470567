/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_errno.h"

/* The words are glibc's, which is what tests are linked with; in brackets, since they are banned elsewhere. */
static void test_errno(void **state)
{
	(void)state;
#ifdef __GLIBC__
	for (int i = 0; i <= EHWPOISON; i++)
		if (i != 41 && i != 58) /* numbers that nothing has */
			assert_string_equal(bk_errno_text(i), (strerror)(i));
	assert_string_equal(bk_errno_text(512), (strerror)(512));
	assert_string_equal(bk_errno_text(524), (strerror)(524));
#endif
	assert_string_equal(bk_errno_text(EBUSY), "Device or resource busy");
}

static void test_signal(void **state)
{
	(void)state;
#ifdef __GLIBC__
	for (int i = 1; i < 32; i++)
		assert_string_equal(bk_signal_text(i), (strsignal)(i));
#endif
	assert_string_equal(bk_signal_text(SIGKILL), "Killed");
	assert_string_equal(bk_signal_text(34), "Real-time signal");
	assert_string_equal(bk_signal_text(64), "Real-time signal");
}

/* What nobody has a name for is still some text. */
static void test_unknown(void **state)
{
	static const int unknown[] = { -1, 41, 58, 134, 4095, INT32_MAX, INT32_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		assert_string_equal(bk_errno_text(unknown[i]), "Unknown error");
	assert_string_equal(bk_signal_text(0), "Unknown signal");
	assert_string_equal(bk_signal_text(32), "Unknown signal");
	assert_string_equal(bk_signal_text(65), "Unknown signal");
	assert_string_equal(bk_signal_text(INT32_MIN), "Unknown signal");
}

BK_TEST_MAIN(cmocka_unit_test(test_errno), cmocka_unit_test(test_signal), cmocka_unit_test(test_unknown))
