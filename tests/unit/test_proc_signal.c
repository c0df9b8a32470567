/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <signal.h>

#include "proc/proc_signal.h"

static void is(const char *text, int want)
{
	struct bk_err *err = NULL;
	int got = -1;

	assert_ok(proc_signal_parse(text, &got, &err), &err);
	assert_int_equal(got, want);
}

static void refused(const char *text)
{
	struct bk_err *err = NULL;
	int got = -7;

	assert_err(proc_signal_parse(text, &got, &err), &err, BK_ERR_CONFIG, "unknown signal \"");
	assert_int_equal(got, -7);
}

static void test_signals(void **state)
{
	(void)state;
	is("9", SIGKILL);
	is("0", 0);
	is("15", SIGTERM);
	is("64", 64);
	is("KILL", SIGKILL);
	is("SIGKILL", SIGKILL);
	is("sigterm", SIGTERM);
	is("Hup", SIGHUP);
	is("WINCH", SIGWINCH);
	is("CLD", SIGCHLD);
	is("RTMIN", SIGRTMIN);
	is("SIGRTMIN+3", SIGRTMIN + 3);
	is("RTMAX-1", SIGRTMAX - 1);
	is("RTMAX", SIGRTMAX);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",	   "SIG",      "SIGSIGKILL", "-1",     "65",	 "9 ",
		" 9",	   "0x9",      "9KILL",	     "KILL9",  "+9",	 "1.0",
		"RTMIN-1", "RTMIN+99", "RTMAX+1",    "RTMIN+", "RTMINx", "99999999999999999999"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		refused(texts[i]);
}

BK_TEST_MAIN(cmocka_unit_test(test_signals), cmocka_unit_test(test_refused))
