/* SPDX-License-Identifier: Apache-2.0 */
/* bock-runc-systemd: scopes of containers, for bock-runc, which does not link libsystemd. */
#include <string.h>
#include <stdio.h>

#include "base/bk_auto.h"
#include "base/bk_cli.h"
#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "bus/bus.h"
#include "cmd/cmd.h"

static const struct bk_cli_opt globals[] = {
	{ "user", 0, BK_CLI_FLAG, offsetof(struct cmd_globals, user), NULL,
	  "the calling user's systemd in place of the system's", 0, NULL },
	{ "timeout", 0, BK_CLI_U32, offsetof(struct cmd_globals, timeout_ms), "MILLISECONDS",
	  "for the whole of a command (default: 20000)", 0, NULL },
	BK_CLI_END,
};

static void version(void)
{
	printf("bock-runc-systemd version %s\n", PACKAGE_VERSION);
}

int main(int argc, char **argv)
{
	const struct bk_cli_cmd cmds[] = { cmd_attach, cmd_manager, cmd_set,	   cmd_start,
					   cmd_stop,   cmd_where,   { .name = NULL } };
	const struct bk_cli_prog prog = {
		.name = "bock-runc-systemd",
		.summary = "make, change and stop the scopes of containers",
		.globals = globals,
		.globals_size = sizeof(struct cmd_globals),
		.globals_defaults = &(struct cmd_globals){ .timeout_ms = BUS_TIMEOUT_MS },
		.cmds = cmds,
		.version = version,
	};
	int rc;

	rc = bk_fd_fix_stdio();
	if (rc < 0) {
		fprintf(stderr, "bock-runc-systemd: look at the standard descriptors: %s\n", bk_errno_text(-rc));
		return 1;
	}
	return bk_cli_main(&prog, argc, argv);
}
