/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <unistd.h>

#include "base/bk_num.h"
#include "cmd/cmd.h"
#include "container/container_update.h"

#define INTERVAL_DEFAULT_MS 5000

struct opts {
	const char *interval;
	bool stats;
};

static int interval(const char *text, int *ret_ms, struct bk_err **err)
{
	uint64_t ms = INTERVAL_DEFAULT_MS;
	int rc = text ? bk_num_duration_ms(text, &ms, err) : 0;

	if (rc == 0 && (ms == 0 || ms > INT_MAX))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "duration interval must be greater than 0");
	if (rc < 0)
		return bk_err_wrap(err, rc, "--interval");
	*ret_ms = (int)ms;
	return 0;
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	struct container_events p = { .once = o->stats };
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	int rc = interval(o->interval, &p.interval_ms, err);

	(void)ret_status;
	if (rc == 0)
		rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, false, &c, err);
	if (rc == 0) {
		rc = container_events(&c, &p, STDOUT_FILENO, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "events of '%s'", call->args[0]);
	}
	container_root_done(&root);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "interval", 0, BK_CLI_STR, offsetof(struct opts, interval), "TIME",
	  "between two statistics (default 5s)", 0, NULL },
	{ "stats", 0, BK_CLI_FLAG, offsetof(struct opts, stats), NULL, "print the statistics once", 0,
	  NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_events = {
	.name = "events",
	.synopsis = "ID",
	.help = "print what a container uses, and when memory runs out, as JSON",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
