/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bock-image: the image store, and bundles from it. Two programs are made of this file: the small one, and with
 * BOCK_IMAGE_TRANSFER its helper, which carries out the commands that need more libraries.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#ifdef BOCK_IMAGE_TRANSFER
#include <archive.h>
#include <zlib.h>
#endif

#include "base/bk_auto.h"
#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "cmd/cmd.h"
#include "cmd/cmd_fsck.h"
#include "cmd/cmd_helper.h"
#include "cmd/cmd_mount.h"
#include "cmd/cmd_transfer.h"
#include "cmd/cmd_unpack_kept.h"
#include "digest/bk_digest.h"

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

#ifdef BOCK_IMAGE_TRANSFER
#define TRANSFER(function) (function)
#define FSCK cmd_repair_run
#define MOUNT cmd_mount_run
#define UNPACK cmd_unpack_run
#else
/* The command line as it was: the parser moves its words about. */
static char **given_argv;

static int run_helper(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	(void)call;
	(void)ret_status;
	return cmd_helper_exec(given_argv, err);
}
#define TRANSFER(function) run_helper

/* Only a repair asks registries. */
static int run_fsck(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct cmd_fsck_opts *o = call->opts;

	return o->repair ? run_helper(call, ret_status, err) : cmd_fsck_run(call, ret_status, err);
}
#define FSCK run_fsck

/* Only what is mounted may have to be unpacked. */
static int run_mount(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	return call->n_args > 0 ? run_helper(call, ret_status, err) : cmd_mount_list(call, ret_status, err);
}
#define MOUNT run_mount

/* Layers that are kept need not be read. */
static int run_unpack(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bool done;
	int rc = cmd_unpack_kept(call, &done, err);

	return rc < 0 || done ? rc : run_helper(call, ret_status, err);
}
#define UNPACK run_unpack
#endif

static const struct {
	const struct bk_cli_cmd *cmd;
	/* NULL: the row's own */
	int (*run)(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
} rows[] = {
	{ &cmd_attach, TRANSFER(cmd_attach_run) },
	{ &cmd_copy, TRANSFER(cmd_copy_run) },
	{ &cmd_df, NULL },
	{ &cmd_diff, TRANSFER(cmd_diff_run) },
	{ &cmd_digest, TRANSFER(cmd_digest_run) },
	{ &cmd_fsck, FSCK },
	{ &cmd_gc, NULL },
	{ &cmd_history, NULL },
	{ &cmd_import, TRANSFER(cmd_import_run) },
	{ &cmd_inspect, NULL },
	{ &cmd_list, NULL },
	{ &cmd_load, TRANSFER(cmd_load_run) },
	{ &cmd_login, TRANSFER(cmd_login_run) },
	{ &cmd_logout, TRANSFER(cmd_logout_run) },
	{ &cmd_ls, NULL },
	{ &cmd_mount, MOUNT },
	{ &cmd_pull, TRANSFER(cmd_pull_run) },
	{ &cmd_push, TRANSFER(cmd_push_run) },
	{ &cmd_referrers, TRANSFER(cmd_referrers_run) },
	{ &cmd_repack, TRANSFER(cmd_repack_run) },
	{ &cmd_rm, NULL },
	{ &cmd_save, NULL },
	{ &cmd_sign, TRANSFER(cmd_sign_run) },
	{ &cmd_tag, NULL },
	{ &cmd_tree, NULL },
	{ &cmd_tags, TRANSFER(cmd_tags_run) },
	{ &cmd_umount, NULL },
	{ &cmd_unpack, UNPACK },
	{ &cmd_untag, NULL },
	{ &cmd_verify, TRANSFER(cmd_verify_run) },
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
	printf("bock-image version %s\n", PACKAGE_VERSION);
#ifdef BOCK_IMAGE_TRANSFER
	printf("%s\nzlib: %s\n", archive_version_string(), zlibVersion());
#endif
}

int main(int argc, char **argv)
{
	struct bk_cli_cmd cmds[BK_ARRAY_SIZE(rows) + 1] = { { .name = NULL } };
	const struct bk_cli_prog prog = {
		.name = "bock-image",
		.summary = "keep images, and make bundles from them",
		.globals = globals,
		.globals_size = sizeof(struct cmd_globals),
		.cmds = cmds,
		.setup = setup,
		.version = version,
	};
	int rc;

	rc = bk_fd_fix_stdio();
	if (rc < 0) {
		fprintf(stderr, "bock-image: look at the standard descriptors: %s\n", bk_errno_text(-rc));
		return 1;
	}
	/* Folders that a layer leaves out get the usual mode, and what it names its own. */
	(void)umask(022);
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		cmds[i] = *rows[i].cmd;
		if (rows[i].run)
			cmds[i].run = rows[i].run;
	}
#ifndef BOCK_IMAGE_TRANSFER
	bk_digest_no_config();
	given_argv = bk_memdup(argv, ((size_t)argc + 1) * sizeof(*argv));
#endif
	return bk_cli_main(&prog, argc, argv);
}
