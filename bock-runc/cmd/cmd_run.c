/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "container/container_run.h"
#include "init/init_trace.h"
#include "sys/sys_kernel.h"

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct cmd_create_opts *o = call->opts;
	struct container_root root = { .fd = -1 };
	struct init_trace trace = INIT_TRACE_INIT;
	struct container_create p;
	char **warnings = NULL;
	int rc;

	if (o->dry_run)
		return cmd_dry_run(call, false, err);
	rc = cmd_create_params(call, &root, &p, err);
	if (rc == 0)
		rc = cmd_trace(call, "run", o->trace, &trace, &p.trace, err);
	if (rc == 0)
		rc = cmd_root(call, true, &root, err);
	if (rc < 0) {
		init_trace_close(&trace);
		return rc;
	}
	p.warnings = &warnings;
	rc = container_run(&p, o->detach, o->keep, ret_status, &warnings, err);
	cmd_warn(call, warnings);
	if (rc < 0)
		rc = bk_err_wrap(err, sys_kernel_explain(rc, err), "run '%s'", p.id);
	container_root_done(&root);
	init_trace_close(&trace);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	CMD_CREATE_OPTS,
	{ "detach", 'd', BK_CLI_FLAG, offsetof(struct cmd_create_opts, detach), NULL,
	  "leave the container running in the background", 0, NULL },
	{ "keep", 0, BK_CLI_FLAG, offsetof(struct cmd_create_opts, keep), NULL,
	  "don't delete the container when it has ended", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_run = {
	.name = "run",
	.synopsis = "ID",
	.help = "make a container, start it, wait for its end and delete it",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct cmd_create_opts),
	.run = run,
};
