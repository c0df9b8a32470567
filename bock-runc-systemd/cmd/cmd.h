/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of bock-runc-systemd: each parses, calls one function of bus/, and prints. */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bk_cli.h"

struct cmd_globals {
	bool user;
	uint32_t timeout_ms;
};

extern const struct bk_cli_cmd cmd_attach, cmd_manager, cmd_set, cmd_start, cmd_stop, cmd_where;

#endif
