/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "container/container_create.h"
#include "init/init_trace.h"
#include "sys/sys_kernel.h"

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct cmd_create_opts *o = call->opts;
	struct container_created r = CONTAINER_CREATED_INIT;
	struct container_root root = { .fd = -1 };
	struct init_trace trace = INIT_TRACE_INIT;
	struct container_create p;
	char **warnings = NULL;
	int rc;

	(void)ret_status;
	if (o->dry_run)
		return cmd_dry_run(call, true, err);
	rc = cmd_create_params(call, &root, &p, err);
	if (rc == 0)
		rc = cmd_trace(call, "create", o->trace, &trace, &p.trace, err);
	if (rc == 0)
		rc = cmd_root(call, true, &root, err);
	if (rc < 0) {
		init_trace_close(&trace);
		return rc;
	}
	p.wait_start = true;
	p.warnings = &warnings;
	rc = container_prepare(&p, &r, err);
	if (rc == 0)
		rc = container_create(&p, &r, err);
	cmd_warn(call, warnings);
	if (rc < 0)
		rc = bk_err_wrap(err, sys_kernel_explain(rc, err), "create '%s'", p.id);
	else
		container_created_done(&r);
	container_root_done(&root);
	init_trace_close(&trace);
	return rc;
}

static const struct bk_cli_opt opts[] = { CMD_CREATE_OPTS, BK_CLI_END };

const struct bk_cli_cmd cmd_create = {
	.name = "create",
	.synopsis = "ID",
	.help = "make a container that waits for start",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct cmd_create_opts),
	.run = run,
};
