/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_stop.h"

#include "base/bk_str.h"

static const int signals[] = { SIGHUP, SIGINT, SIGTERM };

void cmd_stop_begin(struct cmd_stop *s)
{
	sigset_t before;

	(void)sigemptyset(&s->waits);
	if (sigprocmask(SIG_BLOCK, NULL, &before) < 0)
		return;
	for (size_t i = 0; i < BK_ARRAY_SIZE(signals); i++) {
		struct sigaction now;

		/* One that is ignored would come nevertheless, being blocked. */
		if (sigismember(&before, signals[i]) == 0 &&
		    sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(&s->waits, signals[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &s->waits, NULL);
}

bool cmd_stop_asked(const struct cmd_stop *s)
{
	sigset_t come;

	if (sigpending(&come) < 0)
		return false;
	for (size_t i = 0; i < BK_ARRAY_SIZE(signals); i++)
		if (sigismember(&s->waits, signals[i]) == 1 && sigismember(&come, signals[i]) == 1)
			return true;
	return false;
}

void cmd_stop_end(struct cmd_stop *s)
{
	(void)sigprocmask(SIG_UNBLOCK, &s->waits, NULL);
	(void)sigemptyset(&s->waits);
}
