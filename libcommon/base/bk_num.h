/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict numbers: the whole token or an error, never a prefix (CVE-2026-30892 was a lenient parse of
 * `exec -u`). Messages name the text and the reason.
 */
#ifndef BK_NUM_H
#define BK_NUM_H

#include <stdint.h>

#include "base/bk_err.h"

/* Decimal, digits only (a sign only for i64), within [min, max]. */
int bk_num_u64(const char *s, uint64_t max, uint64_t *ret, struct bk_err **err);
int bk_num_u32(const char *s, uint32_t max, uint32_t *ret, struct bk_err **err);
int bk_num_i64(const char *s, int64_t min, int64_t max, int64_t *ret, struct bk_err **err);
/* Octal digits only, for modes. */
int bk_num_mode(const char *s, uint32_t max, uint32_t *ret, struct bk_err **err);
/*
 * A size in bytes: digits, then optionally one of b k m g t p (powers of 1024), with optional "b" or
 * "ib" behind it, any case: "512m", "1GiB".
 */
int bk_num_size(const char *s, uint64_t *ret, struct bk_err **err);
/* "90", "90s", "500ms", "1m30s", "2h": to milliseconds; a bare number is seconds. */
int bk_num_duration_ms(const char *s, uint64_t *ret, struct bk_err **err);
/* 1234567 -> "1.2 MB" (powers of 1000) into buf; returns buf. */
const char *bk_num_human(uint64_t bytes, char *buf, size_t size);

#endif
