/* SPDX-License-Identifier: Apache-2.0 */
/* What criu says in its log of why it failed. */
#ifndef CRIU_LOG_H
#define CRIU_LOG_H

#include "base/bk_err.h"

#define CRIU_LOG_TAIL ((size_t)256 << 10)	/* bytes at the end of a log that are looked at */
#define CRIU_LOG_LINE 512			/* bytes of a line that are returned */

/*
 * The last line of the log `file` in the folder that is an error and says more than that the whole failed, without
 * its time; heap string, NULL where there is none or it can't be read.
 */
char *criu_log_error(int dirfd, const char *file);

/* The same of a text, which is cut up. */
char *criu_log_find(char *text);

#endif
