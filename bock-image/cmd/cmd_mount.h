/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount: its options, its list, which the small program makes by itself, and what the helper does.
 *
 * Uses: bk_cli, store_mounts; layer_mount in the helper. Used by: cmd, main.c.
 */
#ifndef CMD_MOUNT_H
#define CMD_MOUNT_H

#include "base/bk_cli.h"

struct cmd_mount_opts {
	const char *platform;
	int mode;
	bool json;
	bool no_header;
};

extern const struct bk_cli_cmd cmd_mount, cmd_umount;

/* `mount` without arguments. */
int cmd_mount_list(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
/* With and without; in the helper only. */
int cmd_mount_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);

#endif
