/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_err.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_errno.h"
#include "base/bk_mem.h"

struct err_link {
	struct err_link *inner;
	char text[];
};

struct bk_err {
	enum bk_err_kind kind;
	int errnum;
	size_t n_links;
	struct err_link *outer;
	char *hint;
};

/* Head of the wire form; behind it the hint (if any) and the links, outermost first, each with NUL. */
struct err_wire {
	uint32_t magic;
	uint32_t kind;
	int32_t errnum;
	uint32_t has_hint;
	uint32_t n_links;
};

#define ERR_WIRE_MAGIC 0x31526b42u /* "BkR1" */
#define ERR_WIRE_ROOM  (BK_ERR_WIRE_SIZE - sizeof(struct err_wire))
static const char err_gap[] = "...";
static const char err_unknown[] = "unknown error";

_Static_assert(BK_ERR_WIRE_SIZE <= PIPE_BUF, "the wire form must be atomic on a pipe");
_Static_assert(ERR_WIRE_ROOM >= 3 * (BK_ERR_MSG_MAX + 1) + sizeof(err_gap),
	       "a hint, the outermost and the innermost link always fit");

/* Formats into buf of BK_ERR_MSG_MAX + 1 bytes, cut before a UTF-8 sequence rather than inside. */
__attribute__((format(printf, 2, 0))) static size_t format_text(char *buf, const char *fmt,
								va_list ap)
{
	int n = vsnprintf(buf, BK_ERR_MSG_MAX + 1, fmt, ap);
	size_t len;

	if (n < 0) {
		buf[0] = '\0';
		return 0;
	}
	if (n <= BK_ERR_MSG_MAX)
		return (size_t)n;
	len = BK_ERR_MSG_MAX - (sizeof(err_gap) - 1);
	while (len > 0 && ((unsigned char)buf[len] & 0xc0) == 0x80)
		len--;
	memcpy(buf + len, err_gap, sizeof(err_gap));
	return len + sizeof(err_gap) - 1;
}

static void push_link(struct bk_err *e, const char *text, size_t len)
{
	struct err_link *link;

	if (e->n_links == BK_ERR_LINKS_MAX)
		return;
	link = bk_malloc(sizeof(*link) + len + 1);
	memcpy(link->text, text, len);
	link->text[len] = '\0';
	link->inner = e->outer;
	e->outer = link;
	e->n_links++;
}

int bk_err_set(struct bk_err **err, enum bk_err_kind kind, int errnum, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX + 1];
	struct bk_err *e;
	va_list ap;
	size_t len;

	if (kind == BK_ERR_IO && (errnum == EPERM || errnum == EACCES))
		kind = BK_ERR_PERMISSION;
	if (!err)
		return -(int)kind;

	va_start(ap, fmt);
	len = format_text(text, fmt, ap);
	va_end(ap);

	e = bk_calloc(1, sizeof(*e));
	e->kind = kind;
	e->errnum = errnum;
	push_link(e, text, len);
	/* An error that was there is a fault of the caller; what it may have lent to the text is
	 * used up by now. */
	bk_err_clear(err);
	*err = e;
	return -(int)kind;
}

int bk_err_wrap(struct bk_err **err, int rc, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX + 1];
	va_list ap;
	size_t len;

	if (!err || !*err)
		return rc;
	va_start(ap, fmt);
	len = format_text(text, fmt, ap);
	va_end(ap);
	push_link(*err, text, len);
	return rc;
}

int bk_err_hint(struct bk_err **err, int rc, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX + 1];
	va_list ap;

	if (!err || !*err)
		return rc;
	va_start(ap, fmt);
	(void)format_text(text, fmt, ap);
	va_end(ap);
	free((*err)->hint);
	(*err)->hint = bk_strdup(text);
	return rc;
}

void bk_err_clear(struct bk_err **err)
{
	struct err_link *inner;

	if (!err || !*err)
		return;
	for (struct err_link *l = (*err)->outer; l; l = inner) {
		inner = l->inner;
		free(l);
	}
	free((*err)->hint);
	free(*err);
	*err = NULL;
}

void bk_err_move(struct bk_err **err, struct bk_err *src)
{
	if (err && !*err)
		*err = src;
	else if (!err || *err != src)
		bk_err_clear(&src);
}

enum bk_err_kind bk_err_kind_of(const struct bk_err *err)
{
	return err ? err->kind : BK_ERR_INTERNAL;
}

int bk_err_errno(const struct bk_err *err)
{
	return err ? err->errnum : 0;
}

const char *bk_err_hint_text(const struct bk_err *err)
{
	return err ? err->hint : NULL;
}

const char *bk_err_kind_name(enum bk_err_kind kind)
{
	static const char *const names[BK_ERR_KIND_MAX_] = {
		[BK_ERR_IO] = "io",
		[BK_ERR_CONFIG] = "config",
		[BK_ERR_INTERNAL] = "internal",
		[BK_ERR_NETWORK] = "network",
		[BK_ERR_REGISTRY] = "registry",
		[BK_ERR_UNSUPPORTED] = "unsupported",
		[BK_ERR_NOT_FOUND] = "not-found",
		[BK_ERR_PERMISSION] = "permission",
	};

	if (kind < BK_ERR_IO || kind >= BK_ERR_KIND_MAX_)
		kind = BK_ERR_INTERNAL;
	return names[kind];
}

const char *bk_err_link(const struct bk_err *err, size_t i)
{
	const struct err_link *l = err ? err->outer : NULL;

	while (l && i-- > 0)
		l = l->inner;
	return l ? l->text : NULL;
}

/* Appends what fits of s to buf, which holds *used bytes of a string. */
static void append(char *buf, size_t size, size_t *used, const char *s)
{
	size_t room = size - 1 - *used;
	size_t len = strlen(s);

	if (len > room)
		len = room;
	memcpy(buf + *used, s, len);
	*used += len;
	buf[*used] = '\0';
}

const char *bk_err_print(const struct bk_err *err, char *buf, size_t size)
{
	size_t used = 0;

	if (size == 0)
		return buf;
	buf[0] = '\0';
	if (!err) {
		append(buf, size, &used, err_unknown);
		return buf;
	}
	for (const struct err_link *l = err->outer; l; l = l->inner) {
		append(buf, size, &used, l->text);
		if (l->inner)
			append(buf, size, &used, ": ");
	}
	if (err->errnum) {
		append(buf, size, &used, ": ");
		append(buf, size, &used, bk_errno_text(err->errnum));
	}
	return buf;
}

/*
 * How many links from the outside (*ret_head) and from the inside (*ret_tail) fit into `room`
 * bytes: all of them, or some of both ends and the gap between.
 */
static void fit_links(const struct bk_err *err, size_t room, size_t *ret_head, size_t *ret_tail)
{
	size_t lens[BK_ERR_LINKS_MAX];
	size_t n = 0, total = 0, head = 0, tail = 0;

	for (const struct err_link *l = err->outer; l && n < BK_ERR_LINKS_MAX; l = l->inner) {
		lens[n] = strlen(l->text) + 1;
		total += lens[n++];
	}
	if (total <= room) {
		*ret_head = n;
		*ret_tail = 0;
		return;
	}
	room -= sizeof(err_gap);
	while (head + tail < n) {
		/* The message itself first, then one from each end in turn. */
		size_t len = tail <= head ? lens[n - 1 - tail] : lens[head];

		if (len > room)
			break;
		room -= len;
		if (tail <= head)
			tail++;
		else
			head++;
	}
	*ret_head = head;
	*ret_tail = tail;
}

static char *put_text(char *to, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(to, text, size);
	return to + size;
}

size_t bk_err_encode(const struct bk_err *err, unsigned char wire[BK_ERR_WIRE_SIZE])
{
	struct err_wire w = { .magic = ERR_WIRE_MAGIC, .kind = BK_ERR_INTERNAL };
	char *const end = (char *)wire + BK_ERR_WIRE_SIZE;
	char *to = (char *)wire + sizeof(w);
	size_t head, tail, i = 0;

	memset(wire, 0, BK_ERR_WIRE_SIZE);
	if (!err) {
		w.n_links = 1;
		to = put_text(to, err_unknown);
	} else {
		w.kind = (uint32_t)err->kind;
		w.errnum = err->errnum;
		if (err->hint) {
			w.has_hint = 1;
			to = put_text(to, err->hint);
		}
		fit_links(err, (size_t)(end - to), &head, &tail);
		for (const struct err_link *l = err->outer; l; l = l->inner, i++) {
			if (i < head || i >= err->n_links - tail)
				to = put_text(to, l->text);
			else if (i == head)
				to = put_text(to, err_gap);
			else
				continue;
			w.n_links++;
		}
	}
	memcpy(wire, &w, sizeof(w));
	return (size_t)(to - (char *)wire);
}

size_t bk_err_wire_errnum(void)
{
	return offsetof(struct err_wire, errnum);
}

int bk_err_send(const struct bk_err *err, int fd)
{
	unsigned char wire[BK_ERR_WIRE_SIZE];
	ssize_t n;

	(void)bk_err_encode(err, wire);
	do
		n = write(fd, wire, sizeof(wire));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(wire) ? 0 : -EIO;
}

/* The next string of the wire form, or NULL where it doesn't end in time. */
static const char *take_text(const char **pos, const char *end)
{
	const char *text = *pos;
	size_t room = (size_t)(end - text);
	size_t len = strnlen(text, room);

	if (len == room || len > BK_ERR_MSG_MAX)
		return NULL;
	*pos = text + len + 1;
	return text;
}

static bool wire_decode(const char *wire, struct bk_err *e)
{
	const char *texts[BK_ERR_LINKS_MAX];
	const char *pos = wire + sizeof(struct err_wire), *end = wire + BK_ERR_WIRE_SIZE;
	const char *hint = NULL;
	struct err_wire w;

	memcpy(&w, wire, sizeof(w));
	if (w.magic != ERR_WIRE_MAGIC || w.kind < BK_ERR_IO || w.kind >= BK_ERR_KIND_MAX_ ||
	    w.errnum < 0 || w.has_hint > 1 || w.n_links < 1 || w.n_links > BK_ERR_LINKS_MAX)
		return false;
	if (w.has_hint) {
		hint = take_text(&pos, end);
		if (!hint)
			return false;
	}
	for (uint32_t i = 0; i < w.n_links; i++) {
		texts[i] = take_text(&pos, end);
		if (!texts[i])
			return false;
	}
	e->kind = (enum bk_err_kind)w.kind;
	e->errnum = w.errnum;
	if (hint)
		e->hint = bk_strdup(hint);
	for (uint32_t i = w.n_links; i-- > 0;)
		push_link(e, texts[i], strlen(texts[i]));
	return true;
}

int bk_err_decode(const void *wire, size_t len, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc;

	if (len != BK_ERR_WIRE_SIZE)
		return bk_err_set(err, BK_ERR_INTERNAL, 0,
				  "received an error of %zu bytes instead of %d", len,
				  BK_ERR_WIRE_SIZE);
	e = bk_calloc(1, sizeof(*e));
	if (!wire_decode(wire, e)) {
		bk_err_clear(&e);
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "received a malformed error");
	}
	rc = -(int)e->kind;
	if (err)
		bk_err_clear(err);
	bk_err_move(err, e);
	return rc;
}

int bk_err_recv(int fd, struct bk_err **err)
{
	char wire[BK_ERR_WIRE_SIZE];
	size_t len = 0;

	while (len < sizeof(wire)) {
		ssize_t n = read(fd, wire + len, sizeof(wire) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "read an error");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return len == 0 ? 0 : bk_err_decode(wire, len, err);
}
