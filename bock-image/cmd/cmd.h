/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of bock-image: one function each, listed in main.c's table.
 *
 * Uses / used by: everything below / main.c.
 */
#ifndef CMD_H
#define CMD_H

#include "base/bk_cli.h"
#include "store/store.h"

/* Global options. */
struct cmd_globals {
	const char *root;	/* NULL: store_default_path */
	const char *log;
	int log_format;		/* enum bk_log_format */
	bool debug;
};

/* Opens the store that the global options name; flags as for store_open. */
int cmd_open_store(const struct bk_cli_call *call, unsigned int flags, struct store **ret,
		   struct bk_err **err);

/* What rm and untag are: delete for each name; one that fails is said, makes the status 1, and the others go on. */
int cmd_each_name(const struct bk_cli_call *call,
		  int (*delete)(struct store *s, const char *name, struct bk_err **err),
		  int *ret_status, struct bk_err **err);

/* The commands of the small program; each table of options is beside its function. The others: cmd_transfer.h. */
extern const struct bk_cli_cmd cmd_df, cmd_gc, cmd_history, cmd_inspect, cmd_list, cmd_ls, cmd_rm, cmd_save, cmd_tag, cmd_tree,
	cmd_untag;

#endif
