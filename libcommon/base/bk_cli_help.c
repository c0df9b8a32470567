/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_cli_priv.h"

#define HELP_COLUMN 30 /* where descriptions begin */
#define HELP_WIDTH  100

/* "  left      text text", the text wrapped in its own column. */
static void add_row(struct bk_buf *b, const char *left, const char *text)
{
	size_t column = 2 + strlen(left);

	bk_buf_printf(b, "  %s", left);
	if (!text || !*text) {
		bk_buf_addc(b, '\n');
		return;
	}
	if (column + 2 > HELP_COLUMN) {
		bk_buf_addc(b, '\n');
		column = 0;
	}
	bk_buf_printf(b, "%*s", (int)(HELP_COLUMN - column), "");
	column = HELP_COLUMN;
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
			bk_buf_printf(b, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			bk_buf_addc(b, ' ');
			column++;
		}
		bk_buf_add(b, text, len);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	bk_buf_addc(b, '\n');
}

static void add_metavar(struct bk_buf *b, const struct bk_cli_opt *o)
{
	if (o->metavar) {
		bk_buf_adds(b, o->metavar);
		return;
	}
	if (o->type != BK_CLI_CHOICE) {
		bk_buf_adds(b, "VALUE");
		return;
	}
	for (size_t i = 0; o->choices[i]; i++)
		bk_buf_printf(b, "%s%s", i ? "|" : "", o->choices[i]);
}

static void add_opts(struct bk_buf *b, const struct bk_cli_opt *o)
{
	for (; o && o->name; o++) {
		bk_autobuf struct bk_buf left = BK_BUF_INIT(BK_BUF_SMALL);

		if (o->flags & BK_CLI_HIDDEN)
			continue;
		if (o->short_name)
			bk_buf_printf(&left, "-%c, ", o->short_name);
		else
			bk_buf_adds(&left, "    ");
		bk_buf_printf(&left, "--%s", o->name);
		if (bk_cli_takes_value(o)) {
			bk_buf_addc(&left, ' ');
			add_metavar(&left, o);
		}
		add_row(b, bk_buf_str(&left), o->help);
	}
}

/* The options of a program's only command are its own. */
static const struct bk_cli_opt *single_opts(const struct bk_cli_prog *prog)
{
	return prog->cmds || !prog->self ? NULL : prog->self->opts;
}

/* Letters of the options that every program has, as far as its tables leave them. */
static const char *help_row(const struct bk_cli_opt *globals, const struct bk_cli_opt *own)
{
	return bk_cli_has_short(globals, 'h') || bk_cli_has_short(own, 'h') ? "    --help"
									    : "-h, --help";
}

static const char *version_row(const struct bk_cli_opt *globals, const struct bk_cli_opt *own)
{
	if (!bk_cli_has_short(globals, 'v') && !bk_cli_has_short(own, 'v'))
		return "-v, --version";
	return "    --version";
}

static void add_cmds(struct bk_buf *b, const struct bk_cli_prog *prog)
{
	bk_buf_adds(b, "\nCommands:\n");
	for (const struct bk_cli_cmd *c = prog->cmds; c->name; c++) {
		bk_autobuf struct bk_buf left = BK_BUF_INIT(BK_BUF_SMALL);

		if (c->flags & BK_CLI_CMD_HIDDEN)
			continue;
		bk_buf_adds(&left, c->name);
		if (c->synopsis && *c->synopsis)
			bk_buf_printf(&left, " %s", c->synopsis);
		add_row(b, bk_buf_str(&left), c->help);
	}
	add_row(b, "help [COMMAND]", "show this help, or that of a command");
	add_row(b, "completion SHELL", "print a completion script for bash, zsh or fish");
}

static void help_program(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	const struct bk_cli_opt *own = single_opts(prog);
	const char *synopsis = prog->synopsis;

	if (!synopsis && prog->cmds)
		synopsis = "COMMAND [ARGUMENT...]";
	if (!synopsis && prog->self)
		synopsis = prog->self->synopsis;
	bk_buf_printf(b, "Usage: %s [OPTION...]%s%s\n\n%s\n", prog->name, synopsis ? " " : "",
		      synopsis ? synopsis : "", prog->summary);
	if (prog->cmds)
		add_cmds(b, prog);
	bk_buf_adds(b, "\nOptions:\n");
	add_opts(b, own);
	add_opts(b, prog->globals);
	add_row(b, help_row(prog->globals, own), "show this help");
	if (prog->version)
		add_row(b, version_row(prog->globals, own), "show the version");
	if (prog->cmds)
		bk_buf_printf(
			b,
			"\nOptions of a command stand behind its name: see '%s COMMAND --help'.\n",
			prog->name);
}

void bk_cli_help(const struct bk_cli_prog *prog, const struct bk_cli_cmd *cmd, struct bk_buf *b)
{
	if (!cmd) {
		help_program(prog, b);
		return;
	}
	bk_buf_printf(b, "Usage: %s [OPTION...] %s [OPTION...]", prog->name, cmd->name);
	if (cmd->synopsis && *cmd->synopsis)
		bk_buf_printf(b, " %s", cmd->synopsis);
	bk_buf_printf(b, "\n\n%s\n\nOptions:\n", cmd->help);
	add_opts(b, cmd->opts);
	add_row(b, help_row(NULL, cmd->opts), "show this help");
	if (prog->globals && prog->globals->name)
		bk_buf_printf(b, "\nOptions of all commands stand before '%s': see '%s --help'.\n",
			      cmd->name, prog->name);
}

static void list_opts(struct bk_buf *b, const char *cmd, const struct bk_cli_opt *o)
{
	for (; o && o->name; o++) {
		const char letter[] = { '-', o->short_name, '\0' };

		bk_buf_printf(b, "%s\t--%s\t%s\t", cmd, o->name, o->short_name ? letter : "");
		if (bk_cli_takes_value(o))
			add_metavar(b, o);
		bk_buf_addc(b, '\n');
	}
}

void bk_cli_list(const struct bk_cli_prog *prog, struct bk_buf *b)
{
	const struct bk_cli_opt *own = single_opts(prog);

	list_opts(b, "", own);
	list_opts(b, "", prog->globals);
	bk_buf_printf(b, "\t--help\t%s\t\n", *help_row(prog->globals, own) == '-' ? "-h" : "");
	if (prog->version)
		bk_buf_printf(b, "\t--version\t%s\t\n",
			      *version_row(prog->globals, own) == '-' ? "-v" : "");
	for (const struct bk_cli_cmd *c = prog->cmds; c && c->name; c++) {
		bk_buf_printf(b, "%s\t\t\t%s\n", c->name, c->synopsis ? c->synopsis : "");
		list_opts(b, c->name, c->opts);
	}
}
