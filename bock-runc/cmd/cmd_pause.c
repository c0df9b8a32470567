/* SPDX-License-Identifier: Apache-2.0 */
/* pause and resume. */
#include "cmd/cmd.h"

static int run(const struct bk_cli_call *call, const char *act,
	       int (*change)(const struct container *c, struct bk_err **err), struct bk_err **err)
{
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	int rc;

	rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, true, &c, err);
	if (rc == 0) {
		rc = change(&c, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "%s '%s'", act, call->args[0]);
	}
	container_root_done(&root);
	return rc;
}

static int run_pause(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	(void)ret_status;
	return run(call, "pause", container_pause, err);
}

static int run_resume(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	(void)ret_status;
	return run(call, "resume", container_resume, err);
}

const struct bk_cli_cmd cmd_pause = {
	.name = "pause",
	.synopsis = "ID",
	.help = "stop all processes of a container until resume",
	.min_args = 1,
	.max_args = 1,
	.run = run_pause,
};

const struct bk_cli_cmd cmd_resume = {
	.name = "resume",
	.synopsis = "ID",
	.help = "let the processes of a paused container go on",
	.min_args = 1,
	.max_args = 1,
	.run = run_resume,
};
