/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 times, always UTC when written. */
#ifndef BK_TIME_H
#define BK_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/bk_err.h"

#define BK_TIME_SIZE 40

/* "2026-01-02T03:04:05.123456789Z"; no fraction when nsec is 0. Returns buf. */
const char *bk_time_print(const struct timespec *t, char buf[BK_TIME_SIZE]);
const char *bk_time_now(char buf[BK_TIME_SIZE]);
/* Any RFC 3339 text, offsets and lower-case included. */
int bk_time_parse(const char *text, struct timespec *ret, struct bk_err **err);
/*
 * SOURCE_DATE_EPOCH if it is set (*ret_set true), else the current time. A malformed value is an
 * error, never ignored.
 */
int bk_time_source_date(struct timespec *ret, bool *ret_set, struct bk_err **err);

#endif
