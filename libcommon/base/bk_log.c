/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_fd.h"

/* A whole chain fits, and in the line each byte of message, chain and hint as six of \uXXXX. */
#define LOG_TEXT_SIZE ((BK_ERR_MSG_MAX + 2) * (BK_ERR_LINKS_MAX + 1))
#define LOG_LINE_MAX  ((size_t)6 * (2 * LOG_TEXT_SIZE + BK_ERR_MSG_MAX) + BK_BUF_SMALL)
#define LOG_TIME_SIZE 64

int bk_log_open(struct bk_log *log, const char *path, enum bk_log_format format,
		struct bk_err **err)
{
	bk_autoclose int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
				   0644);

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open log '%s'", path);
	bk_close(&log->fd);
	log->fd = bk_steal_fd(&fd);
	log->format = format;
	return 0;
}

void bk_log_done(struct bk_log *log)
{
	bk_close(&log->fd);
}

/* RFC 3339 in UTC. gmtime(3) would read /etc/localtime to begin with: four system calls. */
static const char *format_time(int64_t now, char buf[LOG_TIME_SIZE])
{
	int64_t days, era, doe, yoe, doy, mp;
	unsigned int secs;

	secs = (unsigned int)(now % 86400);
	/* Days since 0000-03-01 in eras of 400 years, years that begin in March: then a leap day
	 * is the last day of its year, and a month's first day is a linear function. */
	days = now / 86400 + 719468;
	era = days / 146097;
	doe = days % 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	(void)snprintf(buf, LOG_TIME_SIZE, "%04" PRId64 "-%02d-%02dT%02u:%02u:%02uZ",
		       yoe + era * 400 + (mp >= 10), (int)(mp < 10 ? mp + 3 : mp - 9),
		       (int)(doy - (153 * mp + 2) / 5 + 1), secs / 3600, secs / 60 % 60, secs % 60);
	return buf;
}

/* Length of the valid UTF-8 sequence at s (1 to 4), or 0. */
static size_t utf8_len(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	/* the range of the second byte, which excludes overlong forms and surrogates */
	unsigned char low = 0x80, high = 0xbf;
	size_t len;

	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		len = 2;
	} else if (u[0] >= 0xe0 && u[0] <= 0xef) {
		len = 3;
		low = u[0] == 0xe0 ? 0xa0 : 0x80;
		high = u[0] == 0xed ? 0x9f : 0xbf;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		len = 4;
		low = u[0] == 0xf0 ? 0x90 : 0x80;
		high = u[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

enum escape {
	ESCAPE_JSON,
	ESCAPE_GO,	 /* as %q: what logrus does */
	ESCAPE_TERMINAL, /* what comes from a container must not move anybody's cursor */
};

/* True if the valid sequence of len bytes at s (0: no valid one) may be written as it is. */
static bool is_plain(const char *s, size_t len, enum escape how)
{
	unsigned char c = (unsigned char)*s;

	if (len == 1 && (c < 0x20 || c == 0x7f))
		return how == ESCAPE_TERMINAL && (c == '\n' || c == '\t');
	if (how != ESCAPE_TERMINAL)
		return len > 0 && c != '"' && c != '\\';
	/* U+0080 to U+009F are control characters, too */
	return len > 0 && !(c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

static void add_escaped(struct bk_buf *b, const char *s, enum escape how)
{
	static const char bytes[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";

	while (*s) {
		size_t len = utf8_len(s);
		unsigned char c = (unsigned char)*s;
		const char *named = how != ESCAPE_TERMINAL ? strchr(bytes, c) : NULL;

		if (is_plain(s, len, how)) {
			bk_buf_add(b, s, len);
			s += len;
			continue;
		}
		if (named)
			bk_buf_printf(b, "\\%c", letters[named - bytes]);
		else if (how != ESCAPE_JSON)
			bk_buf_printf(b, "\\x%02x", c);
		else if (len == 0)
			bk_buf_adds(b, "\\ufffd");
		else
			bk_buf_printf(b, "\\u%04x", c);
		s++;
	}
}

static void add_quoted(struct bk_buf *b, const char *before, const char *s, enum escape how)
{
	bk_buf_adds(b, before);
	bk_buf_addc(b, '"');
	add_escaped(b, s, how);
	bk_buf_addc(b, '"');
}

/* What one line says; err is NULL where it is no error value. */
struct entry {
	enum bk_log_level level;
	const char *text;
	const struct bk_err *err;
};

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static void format_json(struct bk_buf *b, const struct entry *e)
{
	char now[LOG_TIME_SIZE];
	const char *text;

	bk_buf_printf(b, "{\"level\":\"%s\"", level_names[e->level]);
	add_quoted(b, ",\"msg\":", e->text, ESCAPE_JSON);
	bk_buf_printf(b, ",\"time\":\"%s\"", format_time(time(NULL), now));
	if (e->err) {
		bk_buf_printf(b, ",\"kind\":\"%s\",\"errno\":%d,\"chain\":[",
			      bk_err_kind_name(bk_err_kind_of(e->err)), bk_err_errno(e->err));
		for (size_t i = 0; (text = bk_err_link(e->err, i)); i++)
			add_quoted(b, i ? "," : "", text, ESCAPE_JSON);
		bk_buf_addc(b, ']');
		text = bk_err_hint_text(e->err);
		if (text)
			add_quoted(b, ",\"hint\":", text, ESCAPE_JSON);
	}
	bk_buf_adds(b, "}\n");
}

/* runc's form, which people's log filters know */
static void format_logrus(struct bk_buf *b, const struct entry *e)
{
	const char *hint = bk_err_hint_text(e->err);
	char now[LOG_TIME_SIZE];

	bk_buf_printf(b, "time=\"%s\" level=%s", format_time(time(NULL), now),
		      level_names[e->level]);
	add_quoted(b, " msg=", e->text, ESCAPE_GO);
	if (hint)
		add_quoted(b, " hint=", hint, ESCAPE_GO);
	bk_buf_addc(b, '\n');
}

static void format_terminal(struct bk_buf *b, const char *program, const struct entry *e)
{
	const char *hint = bk_err_hint_text(e->err);

	bk_buf_printf(b, "%s: ", program);
	if (e->level == BK_LOG_WARNING || e->level == BK_LOG_DEBUG)
		bk_buf_printf(b, "%s: ", level_names[e->level]);
	add_escaped(b, e->text, ESCAPE_TERMINAL);
	if (hint) {
		bk_buf_adds(b, " (");
		add_escaped(b, hint, ESCAPE_TERMINAL);
		bk_buf_addc(b, ')');
	}
	bk_buf_addc(b, '\n');
}

/*
 * A JSON file holds the error of the command and nothing else, unless debug is on: podman decodes it
 * as one object. Errors go to stderr as well, which is what a person looks at.
 */
static void write_entry(const struct bk_log *log, const struct entry *e)
{
	const bool to_file = log->fd >= 0 &&
			     (log->format == BK_LOG_TEXT || log->level == BK_LOG_DEBUG ||
			      e->level == BK_LOG_ERROR);
	bk_autobuf struct bk_buf b = BK_BUF_INIT(LOG_LINE_MAX);

	/* Where the log can't be written there is nowhere left to say so. */
	if (to_file) {
		if (log->format == BK_LOG_JSON)
			format_json(&b, e);
		else
			format_logrus(&b, e);
		(void)bk_fd_write_all(log->fd, bk_buf_str(&b), b.len);
		if (e->level != BK_LOG_ERROR)
			return;
		bk_buf_reset(&b);
	}
	if (log->fd < 0 && log->format == BK_LOG_JSON)
		format_json(&b, e);
	else
		format_terminal(&b, log->program, e);
	(void)bk_fd_write_all(STDERR_FILENO, bk_buf_str(&b), b.len);
}

void bk_log_msg(const struct bk_log *log, enum bk_log_level level, const char *fmt, ...)
{
	char text[LOG_TEXT_SIZE];
	va_list ap;

	if (level > log->level)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	write_entry(log, &(struct entry){ .level = level, .text = text });
}

void bk_log_err(const struct bk_log *log, const struct bk_err *err)
{
	char text[LOG_TEXT_SIZE];

	bk_err_print(err, text, sizeof(text));
	write_entry(log, &(struct entry){ .level = BK_LOG_ERROR, .text = text, .err = err });
}
