/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "digest/bk_digest.h"

void cmd_out_text(struct bk_buf *out, const char *s)
{
	if (!s || !*s) {
		bk_buf_adds(out, "-");
		return;
	}
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			bk_buf_printf(out, "\\x%02x", c);
		else
			bk_buf_addc(out, *s);
	}
}

const char *cmd_out_short(const char *digest, int *ret_len)
{
	const char *hex;

	if (bk_digest_parse(digest, NULL, &hex, NULL) < 0) {
		*ret_len = (int)strnlen(digest, BK_DIGEST_TEXT_SIZE);
		return digest;
	}
	*ret_len = CMD_DIGEST_SHORT;
	return hex;
}

int cmd_out_flush(const struct bk_buf *out, struct bk_err **err)
{
	int rc = bk_buf_check(out, "the output", err);

	if (rc < 0)
		return rc;
	rc = bk_fd_write_all(STDOUT_FILENO, bk_buf_str(out), out->len);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write to standard output");
	return 0;
}

void cmd_table_add(struct cmd_table *t, char *cell)
{
	/* Rooms come in blocks: a store can have many names. */
	if ((t->n & (t->n - 1)) == 0)
		t->cells = bk_reallocarray(t->cells, t->n ? t->n * 2 : 1, sizeof(*t->cells));
	t->cells[t->n++] = cell;
}

void cmd_table_cut(struct cmd_table *t, const char *text, size_t max, const char *tail)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autofree char *cut = text ? bk_strndup(text, max) : NULL;

	cmd_out_text(&b, cut);
	if (text && strlen(text) > max)
		bk_buf_adds(&b, tail);
	cmd_table_add(t, bk_strdup(bk_buf_str(&b)));
}

void cmd_table_text(struct cmd_table *t, const char *text)
{
	cmd_table_cut(t, text, CMD_OUT_MAX, "");
}

void cmd_table_digest(struct cmd_table *t, const char *digest)
{
	int len = 0;
	const char *cut = digest ? cmd_out_short(digest, &len) : NULL;

	cmd_table_cut(t, cut, (size_t)len, "");
}

void cmd_table_time(struct cmd_table *t, const char *text)
{
	cmd_table_cut(t, text, strlen("2026-01-02T03:04:05"), "");
}

void cmd_table_names(struct cmd_table *t, const char *const *names)
{
	for (size_t i = 0; i < t->columns; i++)
		cmd_table_text(t, names[i]);
}

void cmd_table_print(const struct cmd_table *t, struct bk_buf *out)
{
	bk_autofree size_t *widths = bk_calloc(t->columns, sizeof(*widths));

	for (size_t i = 0; i < t->n; i++) {
		size_t len = strlen(t->cells[i]);

		if (len > widths[i % t->columns])
			widths[i % t->columns] = len;
	}
	for (size_t i = 0; i < t->n; i++) {
		bool last = i % t->columns == t->columns - 1;

		bk_buf_adds(out, t->cells[i]);
		for (size_t k = strlen(t->cells[i]); !last && k < widths[i % t->columns] + 2; k++)
			bk_buf_addc(out, ' ');
		if (last)
			bk_buf_addc(out, '\n');
	}
}

void cmd_table_done(struct cmd_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct cmd_table){ 0 };
}
