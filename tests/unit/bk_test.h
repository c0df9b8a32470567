/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bk_test.h: what every unit test includes: cmocka, with the headers that it wants before it, and
 * assertions on the project's errors, which print the error when they fail.
 *
 *	static void test_name(void **state)
 *	{
 *		struct bk_err *err = NULL;
 *
 *		(void)state;
 *		assert_ok(bk_thing(1, &thing, &err), &err);
 *		assert_err(bk_thing(-1, &thing, &err), &err, BK_ERR_CONFIG, "less than 0");
 *	}
 *
 *	BK_TEST_MAIN(cmocka_unit_test(test_name))
 *
 * Both leave *err NULL.
 */
#ifndef BK_TEST_H
#define BK_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bk_err.h"

/* The call returned 0 and set no error. */
#define assert_ok(call, err) bk_test_ok((call), (err), #call, __FILE__, __LINE__)

/* The call failed with this kind, and the printed error holds the text. */
#define assert_err(call, err, kind, text) \
	bk_test_err((call), (err), (kind), (text), #call, __FILE__, __LINE__)

/* Ends the test as skipped, for a reason that the reader can check on the machine. */
#define skip_because(...)                         \
	do {                                      \
		print_message("# skip: " __VA_ARGS__); \
		print_message("\n");              \
		skip();                           \
	} while (0)

/* The program: one group, so that its output is one TAP stream. */
#define BK_TEST_MAIN(...)                                                     \
	int main(void)                                                        \
	{                                                                     \
		const struct CMUnitTest bk_tests_[] = { __VA_ARGS__ };        \
                                                                              \
		return cmocka_run_group_tests(bk_tests_, NULL, NULL);         \
	}

static inline void bk_test_ok(int rc, struct bk_err **err, const char *call, const char *file, int line)
{
	char text[2 * BK_ERR_MSG_MAX];

	if (rc == 0 && !*err)
		return;
	print_error("%s: returned %d: %s\n", call, rc,
		    *err ? bk_err_print(*err, text, sizeof(text)) : "no error");
	bk_err_clear(err);
	_fail(file, line);
}

static inline void bk_test_err(int rc, struct bk_err **err, enum bk_err_kind kind, const char *want,
			       const char *call, const char *file, int line)
{
	char text[2 * BK_ERR_MSG_MAX] = "no error";

	if (*err)
		bk_err_print(*err, text, sizeof(text));
	if (rc == -(int)kind && *err && bk_err_kind_of(*err) == kind && strstr(text, want)) {
		bk_err_clear(err);
		return;
	}
	print_error("%s: returned %d: %s; expected kind %s and '%s'\n", call, rc, text,
		    bk_err_kind_name(kind), want);
	bk_err_clear(err);
	_fail(file, line);
}

#endif
