/* SPDX-License-Identifier: Apache-2.0 */
/* Signals by name or number, as callers write them: 15, TERM, SIGTERM, sigterm, RTMIN+3. */
#ifndef PROC_SIGNAL_H
#define PROC_SIGNAL_H

#include "base/bk_err.h"

int proc_signal_parse(const char *text, int *ret, struct bk_err **err);

#endif
