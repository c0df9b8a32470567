/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "init/init_trace.h"

struct opts {
	bool force;
	const char *trace;
};

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	struct init_trace trace = INIT_TRACE_INIT, *use;
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	char **warnings = NULL;
	int rc;

	(void)ret_status;
	rc = cmd_trace(call, "delete", o->trace, &trace, &use, err);
	if (rc < 0)
		return rc;
	rc = cmd_root(call, false, &root, err);
	if (rc == 0) {
		rc = cmd_open(call, &root, true, &c, err);
		/* engines delete by force after each failed create, whether there is something or not */
		if (rc == -BK_ERR_NOT_FOUND && o->force) {
			bk_err_clear(err);
			container_root_done(&root);
			init_trace_close(&trace);
			return 0;
		}
	}
	if (rc == 0) {
		c.trace = use;
		rc = container_delete(&c, o->force, &warnings, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "delete '%s'", call->args[0]);
	}
	cmd_warn(call, warnings);
	container_root_done(&root);
	init_trace_close(&trace);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "force", 'f', BK_CLI_FLAG, offsetof(struct opts, force), NULL,
	  "kill the container if it runs; no error if there is none", 0, NULL },
	CMD_TRACE_OPT(struct opts),
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_delete = {
	.name = "delete",
	.synopsis = "ID",
	.help = "delete a container and all that was made for it",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
