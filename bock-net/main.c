/* SPDX-License-Identifier: Apache-2.0 */
/* bock-net: what containers need of the network, for programs that link no netlink library themselves. */
#include <string.h>
#include <stdio.h>

#include "base/bk_auto.h"
#include "base/bk_cli.h"
#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "cmd/cmd.h"

static void version(void)
{
	printf("bock-net version %s\n", PACKAGE_VERSION);
}

int main(int argc, char **argv)
{
	const struct bk_cli_cmd cmds[] = { cmd_move, { .name = NULL } };
	const struct bk_cli_prog prog = {
		.name = "bock-net",
		.summary = "move network devices into containers",
		.cmds = cmds,
		.version = version,
	};
	int rc;

	rc = bk_fd_fix_stdio();
	if (rc < 0) {
		fprintf(stderr, "bock-net: look at the standard descriptors: %s\n", bk_errno_text(-rc));
		return 1;
	}
	return bk_cli_main(&prog, argc, argv);
}
