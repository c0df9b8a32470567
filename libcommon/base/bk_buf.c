/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_buf.h"

#include <stdint.h>
#include <string.h>

#include "base/bk_mem.h"

#define BUF_FIRST ((size_t)64)

void bk_buf_done(struct bk_buf *b)
{
	free(b->data);
	*b = (struct bk_buf)BK_BUF_INIT(b->max);
}

void bk_buf_reset(struct bk_buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for `more` bytes and the NUL; false past the maximum. */
static bool reserve(struct bk_buf *b, size_t more)
{
	size_t need, cap;

	if (b->overflow || more > b->max - b->len || b->max == SIZE_MAX) {
		b->overflow = true;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap < BUF_FIRST / 2 ? BUF_FIRST : b->cap > SIZE_MAX / 2 ? SIZE_MAX : b->cap * 2;
	if (cap < need)
		cap = need;
	if (cap > b->max + 1)
		cap = b->max + 1;
	b->data = bk_reallocarray(b->data, cap, 1);
	b->cap = cap;
	b->data[b->len] = '\0';
	return true;
}

bool bk_buf_add(struct bk_buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return false;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

bool bk_buf_adds(struct bk_buf *b, const char *s)
{
	return bk_buf_add(b, s, strlen(s));
}

bool bk_buf_addc(struct bk_buf *b, char c)
{
	return bk_buf_add(b, &c, 1);
}

bool bk_buf_printf(struct bk_buf *b, const char *fmt, ...)
{
	va_list ap;
	bool ok;

	va_start(ap, fmt);
	ok = bk_buf_vprintf(b, fmt, ap);
	va_end(ap);
	return ok;
}

bool bk_buf_vprintf(struct bk_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	if (!reserve(b, 0))
		return false;
	room = b->cap - b->len;
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, room, fmt, again);
	va_end(again);
	if (n >= 0 && (size_t)n >= room) {
		b->data[b->len] = '\0';
		if (!reserve(b, (size_t)n))
			return false;
		n = vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	}
	if (n < 0) {
		b->data[b->len] = '\0';
		b->overflow = true;
		return false;
	}
	b->len += (size_t)n;
	return true;
}

char *bk_buf_room(struct bk_buf *b, size_t want, size_t *ret_size)
{
	size_t left = b->max - b->len;

	*ret_size = reserve(b, want < left ? want : left) ? b->cap - b->len - 1 : 0;
	return b->data + b->len;
}

void bk_buf_extend(struct bk_buf *b, size_t written)
{
	b->len += written;
	b->data[b->len] = '\0';
}

const char *bk_buf_str(const struct bk_buf *b)
{
	return b->data ? b->data : "";
}

char *bk_buf_steal(struct bk_buf *b)
{
	char *s = b->data ? bk_steal_ptr(&b->data) : bk_strdup("");

	bk_buf_done(b);
	return s;
}

int bk_buf_check(const struct bk_buf *b, const char *what, struct bk_err **err)
{
	if (!b->overflow)
		return 0;
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s is larger than %zu bytes", what, b->max);
}
