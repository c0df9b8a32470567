/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "store/store_load.h"

struct load_opts {
	const char *name;
	bool replace;
	bool quiet;
};

static const struct bk_cli_opt load_opts[] = {
	{ "name", 'n', BK_CLI_STR, offsetof(struct load_opts, name), "NAME",
	  "name of the image, instead of its own", 0, NULL },
	{ "replace", 'r', BK_CLI_FLAG, offsetof(struct load_opts, replace), NULL,
	  "take over names that other images have", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct load_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

static void loaded(void *ctx, const char *name, const char *digest)
{
	struct bk_buf *out = ctx;

	cmd_out_text(out, name);
	bk_buf_printf(out, " %s\n", digest);
}

static int run_load(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct load_opts *o = call->opts;
	const struct store_load_opts lo = {
		.name = o->name,
		.replace = o->replace,
		.loaded = o->quiet ? NULL : loaded,
		.ctx = &out,
	};
	int rc = cmd_open_store(call, STORE_CREATE, &s, err);

	(void)ret_status;
	if (rc == 0)
		rc = store_load(s, call->args[0], &lo, err);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_load = {
	.name = "load",
	.synopsis = "FILE",
	.help = "take images from an OCI layout, oci-archive or docker-archive",
	.min_args = 1,
	.max_args = 1,
	.opts = load_opts,
	.opts_size = sizeof(struct load_opts),
	.run = run_load,
};
