/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bk_cli share: bk_cli.c (the program), _parse.c, _help.c and _complete.c. */
#ifndef BK_CLI_PRIV_H
#define BK_CLI_PRIV_H

#include "base/bk_buf.h"
#include "base/bk_cli.h"

/* A table and the struct that it fills. opts may be NULL: an empty table. */
struct bk_cli_table {
	const struct bk_cli_opt *opts;
	void *base;
};

struct bk_cli_parse {
	struct bk_cli_table tables[2];	/* the first that knows a name has it */
	const char *cmd;		/* for messages; NULL: none */
	const struct bk_cli_opt *globals; /* NULL, or options that would be understood further ahead */
	unsigned int cmd_flags;
	int min_args;
	bool take_version;		/* --version is an option here */
	/* results */
	int n_args;
	bool help, version;
};

/* As bk_cli_parse(); at --help and --version it stops there. */
int bk_cli_parse_tables(struct bk_cli_parse *p, int argc, char **argv, struct bk_err **err);

static inline bool bk_cli_takes_value(const struct bk_cli_opt *o)
{
	return o->type != BK_CLI_FLAG;
}

/* Any option of a table has that letter. */
bool bk_cli_has_short(const struct bk_cli_opt *opts, char c);
bool bk_cli_has_long(const struct bk_cli_opt *opts, const char *name);

/* The program's help, or that of one command. */
void bk_cli_help(const struct bk_cli_prog *prog, const struct bk_cli_cmd *cmd, struct bk_buf *b);
/* The list that __options prints. */
void bk_cli_list(const struct bk_cli_prog *prog, struct bk_buf *b);
/* A completion script; -BK_ERR_CONFIG for an unknown shell. */
int bk_cli_complete(const struct bk_cli_prog *prog, const char *shell, struct bk_buf *b,
		    struct bk_err **err);

#endif
