/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For what is to be given up in order where somebody presses ^C: the signals that end a program wait meanwhile.
 *
 *	struct cmd_stop stop = { 0 };
 *
 *	cmd_stop_begin(&stop);
 *	... cmd_stop_asked(&stop) ... and come to an end where it says so
 *	cmd_stop_end(&stop);		and if one has come, it ends the program here
 *
 * Uses: nothing. Used by: cmd.
 */
#ifndef CMD_STOP_H
#define CMD_STOP_H

#include <signal.h>
#include <stdbool.h>

struct cmd_stop {
	sigset_t waits;	/* all zero is none */
};

/* SIGHUP, SIGINT and SIGTERM wait, but for those that are ignored, or wait already. */
void cmd_stop_begin(struct cmd_stop *s);
/* Whether one of them has come. */
bool cmd_stop_asked(const struct cmd_stop *s);
/* They wait no more. */
void cmd_stop_end(struct cmd_stop *s);

#endif
