/* SPDX-License-Identifier: Apache-2.0 */
/* What `ps` does with the output of ps(1), for its test. */
#ifndef CMD_PS_H
#define CMD_PS_H

#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"

/*
 * Copies the first line of text, in which one word must be "PID", and the lines in whose column of that
 * number stands one of the pids (sorted).
 */
int cmd_ps_filter(const char *text, const pid_t *pids, size_t n, struct bk_buf *out,
		  struct bk_err **err);

#endif
