/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of fsck, for the command and for its --repair, which is the helper's.
 *
 * Uses: store. Used by: cmd, main.c.
 */
#ifndef CMD_FSCK_H
#define CMD_FSCK_H

#include "cmd/cmd.h"
#include "cmd/cmd_transfer.h"

/* fsck without --repair. */
int cmd_fsck_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
/*
 * Checks s and prints what there is to say; repaired (strv, NULL: none) are digests for the JSON object. *ret_status: 1 where
 * there are problems.
 */
int cmd_fsck_check(const struct store *s, const struct cmd_fsck_opts *o, char **repaired,
		   int *ret_status, struct bk_err **err);

#endif
