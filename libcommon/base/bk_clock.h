/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that time-outs are measured by. */
#ifndef BK_CLOCK_H
#define BK_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock, which nobody sets. */
int64_t bk_clock_ms(void);

#endif
