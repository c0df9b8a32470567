/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "proc/proc_signal.h"

struct opts {
	bool all;
};

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	int sig, rc;

	(void)ret_status;
	rc = proc_signal_parse(call->n_args > 1 ? call->args[1] : "TERM", &sig, err);
	if (rc == 0)
		rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, false, &c, err);
	if (rc == 0) {
		rc = container_kill(&c, sig, o->all, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "kill '%s'", call->args[0]);
	}
	container_root_done(&root);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "all", 'a', BK_CLI_FLAG, offsetof(struct opts, all), NULL,
	  "send it to every process of the container; no error if none is left", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_kill = {
	.name = "kill",
	.synopsis = "ID [SIGNAL]",
	.help = "send a signal (default TERM) to a container's first process",
	.min_args = 1,
	.max_args = 2,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
