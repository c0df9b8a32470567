/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer with a named maximum. A write past the maximum appends nothing, marks the
 * buffer as overflowed, and every later write is refused: check once, at the end, with
 * bk_buf_check(). The content is always NUL-terminated (the NUL does not count in len).
 *
 *	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
 *	bk_buf_printf(&b, "...");
 */
#ifndef BK_BUF_H
#define BK_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define BK_BUF_SMALL ((size_t)64 << 10)	/* messages, paths, lines */
#define BK_BUF_DOC ((size_t)16 << 20)	/* documents */

struct bk_buf {
	char *data;	/* NULL while empty: use bk_buf_str() for a string */
	size_t len;
	size_t cap;
	size_t max;
	bool overflow;
};

#define BK_BUF_INIT(maximum) { .max = (maximum) }

void bk_buf_done(struct bk_buf *b);
#define bk_autobuf bk_auto(bk_buf_done)

/* Keeps the memory, forgets content and overflow. */
void bk_buf_reset(struct bk_buf *b);
/* Append; return false on overflow. */
bool bk_buf_add(struct bk_buf *b, const void *data, size_t len);
bool bk_buf_adds(struct bk_buf *b, const char *s);
bool bk_buf_addc(struct bk_buf *b, char c);
bool bk_buf_printf(struct bk_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool bk_buf_vprintf(struct bk_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/*
 * For who writes into the buffer by itself: where its content ends, with room for `want` bytes or for what the
 * maximum leaves; *ret_size says how much there is (0 at the maximum, or after an overflow). bk_buf_extend
 * then takes up what was written there.
 */
char *bk_buf_room(struct bk_buf *b, size_t want, size_t *ret_size);
void bk_buf_extend(struct bk_buf *b, size_t written);
/* Content as a string, "" while empty; owned by b. */
const char *bk_buf_str(const struct bk_buf *b);
/* Content as a heap string that the caller frees; b is empty afterwards. */
char *bk_buf_steal(struct bk_buf *b);
/* 0, or -BK_ERR_CONFIG "WHAT is larger than N bytes" when a write did not fit. */
int bk_buf_check(const struct bk_buf *b, const char *what, struct bk_err **err);

#endif
