/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that the helper bock-image-transfer carries out: their options, and their rows of the
 * table, which the small program needs too, for help, completion and to refuse a mistake by itself.
 * main.c gives the rows their functions: these here in the helper, in the small program the one that
 * executes the helper.
 *
 * Uses: bk_cli. Used by: cmd, main.c.
 */
#ifndef CMD_TRANSFER_H
#define CMD_TRANSFER_H

#include "base/bk_cli.h"

struct cmd_import_opts {
	char **cmd;
	char **env;
	const char *user;
	const char *workdir;
	const char *arch;
	int compression;
	bool quiet;
};

struct cmd_load_opts {
	const char *name;
	bool replace;
	bool quiet;
};

struct cmd_unpack_opts {
	const char *entrypoint;
	char **env;
	const char *user;
	const char *cwd;
	const char *hostname;
	bool tty;
	bool readonly;
	bool rootless;
	uint32_t max_ratio;
};

extern const struct bk_cli_cmd cmd_import, cmd_load, cmd_unpack;

/* What the rows do, in the helper. */
int cmd_import_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_load_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_unpack_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);

#endif
