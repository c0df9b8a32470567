/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "container/container_service.h"
#include "init/init_trace.h"

struct opts {
	const char *trace;
};

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	struct init_trace trace = INIT_TRACE_INIT, *use;
	struct container_root root = { .fd = -1 };
	struct container_service service = { 0 };
	char **warnings = NULL;
	bk_autocontainer struct container c = CONTAINER_INIT;
	int rc;

	(void)ret_status;
	rc = cmd_trace(call, "start", o->trace, &trace, &use, err);
	if (rc < 0)
		return rc;
	rc = container_service_read(&service, err);
	if (rc == 0)
		rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, true, &c, err);
	if (rc == 0) {
		c.trace = use;
		rc = container_start(&c, service.notify, &warnings, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "start '%s'", call->args[0]);
	}
	cmd_warn(call, warnings);
	container_root_done(&root);
	init_trace_close(&trace);
	return rc;
}

static const struct bk_cli_opt opts[] = { CMD_TRACE_OPT(struct opts), BK_CLI_END };

const struct bk_cli_cmd cmd_start = {
	.name = "start",
	.synopsis = "ID",
	.help = "let a created container run",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
