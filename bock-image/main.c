/* SPDX-License-Identifier: Apache-2.0 */
/* bock-image: the image store, and bundles from it. */
#include <archive.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "cmd/cmd.h"

static const char *const log_formats[] = { "text", "json", NULL };

static const struct bk_cli_opt globals[] = {
	{ "root", 0, BK_CLI_STR, offsetof(struct cmd_globals, root), "DIR",
	  "image store (default: $BOCK_IMAGE_ROOT, /var/lib/bock/images, or a user's own)",
	  BK_CLI_DIR, NULL },
	{ "log", 0, BK_CLI_STR, offsetof(struct cmd_globals, log), "FILE",
	  "append messages to FILE too", BK_CLI_PATH, NULL },
	{ "log-format", 0, BK_CLI_CHOICE, offsetof(struct cmd_globals, log_format), "FORMAT",
	  "of the log file: text or json", 0, log_formats },
	{ "debug", 0, BK_CLI_FLAG, offsetof(struct cmd_globals, debug), NULL, "log more", 0, NULL },
	BK_CLI_END
};

static const struct bk_cli_cmd *const cmds_list[] = {
	&cmd_gc, &cmd_import, &cmd_inspect, &cmd_list, &cmd_load, &cmd_ls, &cmd_rm, &cmd_unpack,
};

static int setup(void *globals_struct, struct bk_log *log, struct bk_err **err)
{
	const struct cmd_globals *g = globals_struct;

	if (g->debug)
		log->level = BK_LOG_DEBUG;
	if (g->root && !*g->root)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--root: it is empty");
	return g->log ? bk_log_open(log, g->log, (enum bk_log_format)g->log_format, err) : 0;
}

static void version(void)
{
	printf("bock-image version %s\n%s\nzlib: %s\n", PACKAGE_VERSION, archive_version_string(),
	       zlibVersion());
}

int main(int argc, char **argv)
{
	struct bk_cli_cmd cmds[BK_ARRAY_SIZE(cmds_list) + 1] = { { .name = NULL } };
	const struct bk_cli_prog prog = {
		.name = "bock-image",
		.summary = "keep images, and make bundles from them",
		.globals = globals,
		.globals_size = sizeof(struct cmd_globals),
		.cmds = cmds,
		.setup = setup,
		.version = version,
	};

	if (bk_fd_fix_stdio() < 0)
		return 1;
	/* Folders that a layer leaves out get the usual mode, and what it names its own. */
	(void)umask(022);
	for (size_t i = 0; i < BK_ARRAY_SIZE(cmds_list); i++)
		cmds[i] = *cmds_list[i];
	return bk_cli_main(&prog, argc, argv);
}
