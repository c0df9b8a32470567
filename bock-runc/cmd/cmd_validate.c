/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "cmd/cmd.h"
#include "container/container_validate.h"

struct opts {
	const char *bundle;
	const char *config;
};

static void print(const char *text, void *ctx)
{
	bk_buf_printf(ctx, "%s\n", text);
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	char **warnings = NULL;
	size_t n;
	int rc;

	(void)ret_status;
	n = container_validate(cmd_cgroup_manager(call), o->bundle, o->config, print, &out, &warnings);
	cmd_warn(call, warnings);
	rc = bk_buf_check(&out, "the problems", err);
	if (rc == 0)
		rc = cmd_print(&out, err);
	if (rc == 0 && n)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "validate: %zu problem%s", n, n == 1 ? "" : "s");
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "bundle", 'b', BK_CLI_STR, offsetof(struct opts, bundle), "DIR",
	  "the bundle (default: the current directory)", BK_CLI_DIR, NULL },
	{ "config", 'f', BK_CLI_STR, offsetof(struct opts, config), "FILE",
	  "the configuration (default: config.json in the bundle)", BK_CLI_PATH, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_validate = {
	.name = "validate",
	.synopsis = "",
	.help = "print what stands against running a bundle here",
	.min_args = 0,
	.max_args = 0,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
