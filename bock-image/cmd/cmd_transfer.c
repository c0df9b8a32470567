/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_transfer.h"

static const char *const compressions[] = { "gzip", "none", NULL };

static const struct bk_cli_opt import_opts[] = {
	{ "cmd", 'c', BK_CLI_STRV, offsetof(struct cmd_import_opts, cmd), "WORD",
	  "word of the image's command (one a use)", 0, NULL },
	{ "env", 'e', BK_CLI_STRV, offsetof(struct cmd_import_opts, env), "NAME=VALUE",
	  "variable of the image's environment", 0, NULL },
	{ "user", 'u', BK_CLI_STR, offsetof(struct cmd_import_opts, user), "USER[:GROUP]",
	  "user of the image", 0, NULL },
	{ "workdir", 'w', BK_CLI_STR, offsetof(struct cmd_import_opts, workdir), "DIR",
	  "working directory of the image", 0, NULL },
	{ "arch", 0, BK_CLI_STR, offsetof(struct cmd_import_opts, arch), "ARCH",
	  "architecture, as Go names it (default: this machine's)", 0, NULL },
	{ "compression", 0, BK_CLI_CHOICE, offsetof(struct cmd_import_opts, compression), "HOW",
	  "how the layer is kept: gzip or none", 0, compressions },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_import_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_import = {
	.name = "import",
	.synopsis = "TAR NAME",
	.help = "make an image of one layer from the tar of a root file system",
	.min_args = 2,
	.max_args = 2,
	.opts = import_opts,
	.opts_size = sizeof(struct cmd_import_opts),
};

static const struct bk_cli_opt load_opts[] = {
	{ "name", 'n', BK_CLI_STR, offsetof(struct cmd_load_opts, name), "NAME",
	  "name of the image, instead of its own", 0, NULL },
	{ "replace", 'r', BK_CLI_FLAG, offsetof(struct cmd_load_opts, replace), NULL,
	  "take over names that other images have", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct cmd_load_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_load = {
	.name = "load",
	.synopsis = "FILE",
	.help = "take images from an OCI layout, oci-archive or docker-archive",
	.min_args = 1,
	.max_args = 1,
	.opts = load_opts,
	.opts_size = sizeof(struct cmd_load_opts),
};

static const struct bk_cli_opt unpack_opts[] = {
	{ "entrypoint", 0, BK_CLI_STR, offsetof(struct cmd_unpack_opts, entrypoint), "WORD",
	  "instead of the image's entrypoint and command; empty: none", 0, NULL },
	{ "env", 'e', BK_CLI_STRV, offsetof(struct cmd_unpack_opts, env), "NAME=VALUE",
	  "set a variable, over the image's", 0, NULL },
	{ "user", 'u', BK_CLI_STR, offsetof(struct cmd_unpack_opts, user), "USER[:GROUP]",
	  "instead of the image's user", 0, NULL },
	{ "cwd", 'w', BK_CLI_STR, offsetof(struct cmd_unpack_opts, cwd), "DIR",
	  "instead of the image's working directory", 0, NULL },
	{ "hostname", 0, BK_CLI_STR, offsetof(struct cmd_unpack_opts, hostname), "NAME",
	  "host name of the container", 0, NULL },
	{ "tty", 't', BK_CLI_FLAG, offsetof(struct cmd_unpack_opts, tty), NULL,
	  "the container gets a terminal", 0, NULL },
	{ "read-only", 0, BK_CLI_FLAG, offsetof(struct cmd_unpack_opts, readonly), NULL,
	  "the container's root is mounted read-only", 0, NULL },
	{ "rootless", 0, BK_CLI_FLAG, offsetof(struct cmd_unpack_opts, rootless), NULL,
	  "all files are the caller's, who is root in the container (default unless root)", 0,
	  NULL },
	{ "max-ratio", 0, BK_CLI_U32, offsetof(struct cmd_unpack_opts, max_ratio), "N",
	  "refuse layers that unpack to more than N times their size (default: 250)", 0, NULL },
	BK_CLI_END
};

const struct bk_cli_cmd cmd_unpack = {
	.name = "unpack",
	.synopsis = "NAME BUNDLE [-- ARG...]",
	.help = "make a bundle that a runtime can run",
	.min_args = 2,
	.max_args = -1,
	.opts = unpack_opts,
	.opts_size = sizeof(struct cmd_unpack_opts),
};
