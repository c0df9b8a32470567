/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

/*
 * Commands that callers know and this version does not have. Their --help fails too: podman and cri-o
 * run `checkpoint --help`, and conclude from its success that containers can be checkpointed.
 */
#define LATER(word)                                                                              \
	const struct bk_cli_cmd cmd_##word = {                                                   \
		.name = #word,                                                                   \
		.synopsis = "",                                                                  \
		.help = "not supported by this version",                                         \
		.max_args = -1,                                                                  \
		.flags = BK_CLI_CMD_REFUSED,                                                     \
	}

LATER(checkpoint);
LATER(restore);
