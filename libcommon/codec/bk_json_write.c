/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_json_write.h"

#include <string.h>

#include "base/bk_str.h"
#include "codec/bk_utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void write_escaped(struct bk_buf *out, unsigned char c)
{
	static const char letters[][2] = { { '"', '"' },  { '\\', '\\' }, { '\b', 'b' },
					   { '\f', 'f' }, { '\n', 'n' },  { '\r', 'r' },
					   { '\t', 't' } };

	for (size_t i = 0; i < BK_ARRAY_SIZE(letters); i++) {
		if ((unsigned char)letters[i][0] == c) {
			bk_buf_addc(out, '\\');
			bk_buf_addc(out, letters[i][1]);
			return;
		}
	}
	bk_buf_printf(out, "\\u%04x", c);
}

bool bk_json_write_string(struct bk_buf *out, const char *s, size_t len)
{
	bool good = true;
	size_t at = 0;

	bk_buf_addc(out, '"');
	while (at < len) {
		size_t run = at;
		size_t step;

		while (run < len && is_plain((unsigned char)s[run]))
			run++;
		bk_buf_add(out, s + at, run - at);
		at = run;
		if (at == len)
			break;
		step = bk_utf8_step(s + at, len - at);
		if (step == 1)
			write_escaped(out, (unsigned char)s[at]);
		else if (step > 1)
			bk_buf_add(out, s + at, step);
		else
			bk_buf_adds(out, REPLACEMENT);
		good = good && step > 0;
		at += step > 0 ? step : 1;
	}
	bk_buf_addc(out, '"');
	return good;
}

static void write_break(struct bk_json_writer *w)
{
	if (!w->indent)
		return;
	bk_buf_addc(w->out, '\n');
	for (unsigned int i = 0; i < w->depth; i++)
		bk_buf_adds(w->out, w->indent);
}

void bk_json_write_open(struct bk_json_writer *w, char bracket)
{
	bk_buf_addc(w->out, bracket);
	w->depth++;
	w->filled = false;
}

void bk_json_write_close(struct bk_json_writer *w, char bracket)
{
	w->depth--;
	if (w->filled)
		write_break(w);
	bk_buf_addc(w->out, bracket);
	w->filled = true;
}

void bk_json_write_next(struct bk_json_writer *w)
{
	if (w->filled)
		bk_buf_addc(w->out, ',');
	write_break(w);
	w->filled = true;
}

bool bk_json_write_name(struct bk_json_writer *w, const char *name)
{
	bool good;

	bk_json_write_next(w);
	good = bk_json_write_string(w->out, name, strlen(name));
	bk_buf_adds(w->out, w->indent ? ": " : ":");
	return good;
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* RFC 8259 section 6 */
static bool is_number(const char *s)
{
	size_t n;

	s += *s == '-';
	n = digits(s);
	if (n == 0 || (n > 1 && *s == '0'))
		return false;
	s += n;
	if (*s == '.') {
		n = digits(++s);
		if (n == 0)
			return false;
		s += n;
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		n = digits(s);
		if (n == 0)
			return false;
		s += n;
	}
	return *s == '\0';
}

static void write_text(struct bk_json_writer *w, const struct bk_doc_value *v)
{
	const char *text = v->text ? v->text : "";

	if (v->plain && (is_number(text) || bk_streq(text, "true") || bk_streq(text, "false")))
		bk_buf_adds(w->out, text);
	else
		(void)bk_json_write_string(w->out, text, strlen(text));
}

void bk_json_write_value(struct bk_json_writer *w, const struct bk_doc_value *v)
{
	bool map = v->node == BK_DOC_NODE_MAP;

	switch (v->node) {
	case BK_DOC_NODE_NULL:
		bk_buf_adds(w->out, "null");
		return;
	case BK_DOC_NODE_BOOL:
	case BK_DOC_NODE_NUMBER:
		bk_buf_adds(w->out, v->text);
		return;
	case BK_DOC_NODE_STRING:
		write_text(w, v);
		return;
	case BK_DOC_NODE_SEQ:
	case BK_DOC_NODE_MAP:
		break;
	}
	bk_json_write_open(w, map ? '{' : '[');
	for (size_t i = 0; i < v->n; i++) {
		if (map)
			(void)bk_json_write_name(w, v->keys[i]);
		else
			bk_json_write_next(w);
		bk_json_write_value(w, &v->items[i]);
	}
	bk_json_write_close(w, map ? '}' : ']');
}
