/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "cmd/cmd_ps.h"

static int filter(const char *text, struct bk_buf *out, struct bk_err **err)
{
	static const pid_t pids[] = { 2, 30, 400 };

	return cmd_ps_filter(text, pids, sizeof(pids) / sizeof(pids[0]), out, err);
}

static void test_filter(void **state)
{
	static const struct {
		const char *text, *kept;
	} rows[] = {
		{ "UID PID CMD\nroot 2 a\nroot 3 30\nroot 30 c d", "UID PID CMD\nroot 2 a\nroot 30 c d\n" },
		{ "  PID\n    2\n   20\n  400\n", "  PID\n    2\n  400\n" },
		{ "PPID\tPID\n2\t1\n1\t2\n", "PPID\tPID\n1\t2\n" },
		/* lines that are none of ours in some way */
		{ "A PID\n\n \nx\nx y\nx 99999999999999999999\nx -2\nx 2x\nx 2\n", "A PID\nx 2\n" },
		{ "PID", "PID\n" },
	};
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);

		assert_ok(filter(rows[i].text, &out, &err), &err);
		assert_string_equal(bk_buf_str(&out), rows[i].kept);
	}
}

static void test_no_column(void **state)
{
	static const char *const texts[] = { "UID PPID\n1 2\n", "\nPID\n", "PIDS pid\n" };
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);

		assert_err(filter(texts[i], &out, &err), &err, BK_ERR_CONFIG,
			   "couldn't find PID field in ps output");
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_filter), cmocka_unit_test(test_no_column))
