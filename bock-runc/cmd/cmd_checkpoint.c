/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cmd/cmd_criu.h"
#include "container/container_checkpoint.h"

struct opts {
	struct cmd_criu_opts common;
	const char *parent_path, *page_server;
	bool leave_running, tcp_skip_in_flight, link_remap, pre_dump;
	int64_t status_fd;
};

static int fill(const struct opts *o, struct container_criu_opts *ret, struct bk_err **err)
{
	int rc = cmd_criu_fill(&o->common, ret, err);

	if (rc < 0)
		return rc;
	if (o->status_fd < -1 || o->status_fd > INT32_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--status-fd: %lld is no file descriptor",
				  (long long)o->status_fd);
	ret->parent = o->parent_path;
	ret->page_server = o->page_server;
	ret->leave_running = o->leave_running;
	ret->tcp_skip_in_flight = o->tcp_skip_in_flight;
	ret->link_remap = o->link_remap;
	ret->pre_dump = o->pre_dump;
	ret->status_fd = (int)o->status_fd;
	return 0;
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	struct container_criu_opts o;
	char **warnings = NULL;
	int rc;

	(void)ret_status;
	rc = fill(call->opts, &o, err);
	if (rc == 0)
		rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, true, &c, err);
	if (rc == 0) {
		rc = container_checkpoint(&c, &o, &warnings, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "checkpoint '%s'", call->args[0]);
	}
	cmd_warn(call, warnings);
	container_root_done(&root);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	CMD_CRIU_OPTS(struct opts),
	{ "leave-running", 0, BK_CLI_FLAG, offsetof(struct opts, leave_running), NULL,
	  "let the container go on", 0, NULL },
	{ "tcp-skip-in-flight", 0, BK_CLI_FLAG, offsetof(struct opts, tcp_skip_in_flight), NULL,
	  "leave connections out that are not established yet", 0, NULL },
	{ "link-remap", 0, BK_CLI_FLAG, offsetof(struct opts, link_remap), NULL,
	  "link files that were unlinked, so that they can be opened again", 0, NULL },
	{ "pre-dump", 0, BK_CLI_FLAG, offsetof(struct opts, pre_dump), NULL,
	  "dump the memory alone, for a later checkpoint to be short", 0, NULL },
	{ "parent-path", 0, BK_CLI_STR, offsetof(struct opts, parent_path), "DIR",
	  "images of an earlier pre-dump, relative to the images", BK_CLI_DIR, NULL },
	{ "page-server", 0, BK_CLI_STR, offsetof(struct opts, page_server), "ADDRESS:PORT",
	  "send memory to a page server", 0, NULL },
	{ "status-fd", 0, BK_CLI_I64, offsetof(struct opts, status_fd), "FD",
	  "write a NUL to FD when lazy pages can be asked for", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_checkpoint = {
	.name = "checkpoint",
	.synopsis = "ID",
	.help = "write the processes of a container to a folder of images, by criu",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.opts_defaults = &(const struct opts){ .common = CMD_CRIU_DEFAULTS, .status_fd = -1 },
	.run = run,
};
