/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a program: text or JSON lines, to a file and stderr. Only cmd/ and main.c log; libraries
 * return errors. One object a program, made in main.c.
 *
 * JSON line: {"level":"error","msg":"...","time":"2026-01-02T03:04:05Z"} plus, for errors, "kind",
 * "errno", "chain" and, where there is one, "hint". podman unmarshals the whole file as one object: on
 * failure exactly one object is written, on success none (unless debug is on).
 *
 * Where a line goes: errors to stderr (text) and the file; the rest to the file, or, where there is
 * no file or it is reserved for the error as said above, to stderr. On stderr control characters are
 * shown as \xNN. In a text file a line is time="..." level=error msg="...", as runc writes.
 */
#ifndef BK_LOG_H
#define BK_LOG_H

#include <stdbool.h>

#include "base/bk_err.h"

enum bk_log_level { BK_LOG_ERROR, BK_LOG_WARNING, BK_LOG_INFO, BK_LOG_DEBUG };
enum bk_log_format { BK_LOG_TEXT, BK_LOG_JSON };

struct bk_log {
	const char *program;		/* prefix on stderr */
	enum bk_log_level level;	/* what is above is dropped */
	enum bk_log_format format;	/* of the file; stderr is text unless there is no file */
	int fd;				/* the file, -1: none */
};

#define BK_LOG_INIT(name) { .program = (name), .level = BK_LOG_WARNING, .fd = -1 }

/* Opens path for appending (0644, created). */
int bk_log_open(struct bk_log *log, const char *path, enum bk_log_format format,
		struct bk_err **err);
void bk_log_done(struct bk_log *log);
void bk_log_msg(const struct bk_log *log, enum bk_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints "program: chain" (and the hint) to stderr, and the object to the file. */
void bk_log_err(const struct bk_log *log, const struct bk_err *err);

#endif
