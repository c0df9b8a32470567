/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_signal.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/bk_auto.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

struct signal_name {
	const char *name;
	int number;
};

static const struct signal_name signal_names[] = {
	{ "ABRT", SIGABRT },   { "ALRM", SIGALRM },	{ "BUS", SIGBUS },     { "CHLD", SIGCHLD },
	{ "CLD", SIGCHLD },    { "CONT", SIGCONT },	{ "FPE", SIGFPE },     { "HUP", SIGHUP },
	{ "ILL", SIGILL },     { "INT", SIGINT },	{ "IO", SIGIO },       { "IOT", SIGIOT },
	{ "KILL", SIGKILL },   { "PIPE", SIGPIPE },	{ "POLL", SIGPOLL },   { "PROF", SIGPROF },
	{ "PWR", SIGPWR },     { "QUIT", SIGQUIT },	{ "SEGV", SIGSEGV },   { "STKFLT", SIGSTKFLT },
	{ "STOP", SIGSTOP },   { "SYS", SIGSYS },	{ "TERM", SIGTERM },   { "TRAP", SIGTRAP },
	{ "TSTP", SIGTSTP },   { "TTIN", SIGTTIN },	{ "TTOU", SIGTTOU },   { "URG", SIGURG },
	{ "USR1", SIGUSR1 },   { "USR2", SIGUSR2 },	{ "VTALRM", SIGVTALRM }, { "WINCH", SIGWINCH },
	{ "XCPU", SIGXCPU },   { "XFSZ", SIGXFSZ },
};

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n, as kill(1) says them. */
static int real_time(const char *s)
{
	bool min = strncasecmp(s, "RTMIN", 5) == 0;
	uint32_t n = 0;

	if (!min && strncasecmp(s, "RTMAX", 5) != 0)
		return -1;
	s += 5;
	if (*s) {
		if (*s != (min ? '+' : '-') ||
		    bk_num_u32(s + 1, (uint32_t)(SIGRTMAX - SIGRTMIN), &n, NULL) < 0)
			return -1;
	}
	return min ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
}

int proc_signal_parse(const char *text, int *ret, struct bk_err **err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint32_t number;
	int rt;

	if (bk_num_u32(text, (uint32_t)SIGRTMAX, &number, NULL) == 0) {
		*ret = (int)number;
		return 0;
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(signal_names); i++) {
		if (strcasecmp(name, signal_names[i].name) == 0) {
			*ret = signal_names[i].number;
			return 0;
		}
	}
	rt = real_time(name);
	if (rt > 0) {
		*ret = rt;
		return 0;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "unknown signal \"%s\"", text);
}
