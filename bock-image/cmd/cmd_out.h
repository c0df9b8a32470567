/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands print. Text of images is not trusted: control characters are shown as \xNN, so that
 * none reaches a terminal.
 *
 * Uses: bk_buf. Used by: cmd.
 */
#ifndef CMD_OUT_H
#define CMD_OUT_H

#include <stddef.h>

#include "base/bk_buf.h"

#define CMD_OUT_MAX ((size_t)256 << 20)
#define CMD_DIGEST_SHORT 12

/* Appends s ("-" for NULL and "") with control characters made visible. */
void cmd_out_text(struct bk_buf *out, const char *s);
/* The first hex digits of a digest; what is no digest as it is. Points into digest. */
const char *cmd_out_short(const char *digest, int *ret_len);
/* Writes the buffer to standard output. */
int cmd_out_flush(const struct bk_buf *out, struct bk_err **err);

/* A table: cells row by row, each a heap string, columns as wide as their widest cell. */
struct cmd_table {
	size_t columns;
	char **cells;
	size_t n;
};
/* Takes cell over. */
void cmd_table_add(struct cmd_table *t, char *cell);
/* A cell as cmd_out_text has it. */
void cmd_table_text(struct cmd_table *t, const char *text);
/* The same of its first max bytes, with tail behind them where text is longer. */
void cmd_table_cut(struct cmd_table *t, const char *text, size_t max, const char *tail);
/* The first hex digits of a digest (cmd_out_short). */
void cmd_table_digest(struct cmd_table *t, const char *digest);
/* A time of the form 2026-01-02T03:04:05Z, to the second. */
void cmd_table_time(struct cmd_table *t, const char *text);
/* The first row: a name for each column. */
void cmd_table_names(struct cmd_table *t, const char *const *names);
void cmd_table_print(const struct cmd_table *t, struct bk_buf *out);
void cmd_table_done(struct cmd_table *t);
#define cmd_autotable bk_auto(cmd_table_done)

#endif
