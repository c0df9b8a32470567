/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	int rc;

	(void)ret_status;
	rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, true, &c, err);
	if (rc == 0) {
		rc = container_start(&c, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "start '%s'", call->args[0]);
	}
	container_root_done(&root);
	return rc;
}

const struct bk_cli_cmd cmd_start = {
	.name = "start",
	.synopsis = "ID",
	.help = "let a created container run",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
