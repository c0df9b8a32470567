/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cmd/cmd_criu.h"
#include "container/container_run.h"

struct opts {
	struct cmd_criu_opts common;
	const char *bundle, *console_socket, *pid_file, *lsm_profile, *lsm_mount_context;
	bool tcp_close, detach, no_subreaper, no_pivot;
};

static int fill(const struct opts *o, struct container_criu_opts *ret, struct bk_err **err)
{
	int rc = cmd_criu_fill(&o->common, ret, err);

	ret->tcp_close = o->tcp_close;
	ret->lsm_profile = o->lsm_profile;
	ret->lsm_mount_context = o->lsm_mount_context;
	return rc;
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	struct container_root root = { .fd = -1 };
	struct container_criu_opts criu;
	char **warnings = NULL;
	struct container_create p = {
		.root = &root,
		.id = call->args[0],
		.bundle = o->bundle,
		.console_socket = o->console_socket,
		.pid_file = o->pid_file,
		.manager = cmd_cgroup_manager(call),
		.no_pivot = o->no_pivot,
		.restore = &criu,
		.warnings = &warnings,
	};
	int rc = fill(o, &criu, err);

	if (rc == 0)
		rc = cmd_root(call, true, &root, err);
	if (rc == 0) {
		rc = container_run(&p, o->detach, false, ret_status, &warnings, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "restore '%s'", p.id);
	}
	cmd_warn(call, warnings);
	container_root_done(&root);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "bundle", 'b', BK_CLI_STR, offsetof(struct opts, bundle), "DIR",
	  "the bundle (default: the current directory)", BK_CLI_DIR, NULL },
	CMD_CRIU_OPTS(struct opts),
	{ "tcp-close", 0, BK_CLI_FLAG, offsetof(struct opts, tcp_close), NULL,
	  "restore TCP connections as closed ones", 0, NULL },
	{ "console-socket", 0, BK_CLI_STR, offsetof(struct opts, console_socket), "SOCKET",
	  "a unix socket that receives the terminal's master", BK_CLI_PATH, NULL },
	{ "pid-file", 0, BK_CLI_STR, offsetof(struct opts, pid_file), "FILE",
	  "write the pid of the container's first process to FILE", BK_CLI_PATH, NULL },
	{ "detach", 'd', BK_CLI_FLAG, offsetof(struct opts, detach), NULL,
	  "leave the container running in the background", 0, NULL },
	{ "lsm-profile", 0, BK_CLI_STR, offsetof(struct opts, lsm_profile), "TYPE:NAME",
	  "another security profile than that of the images: apparmor or selinux", 0, NULL },
	{ "lsm-mount-context", 0, BK_CLI_STR, offsetof(struct opts, lsm_mount_context), "CONTEXT",
	  "another SELinux context for mounts", 0, NULL },
	{ "no-subreaper", 0, BK_CLI_FLAG, offsetof(struct opts, no_subreaper), NULL,
	  "adopt no orphans of the container, which never happens", 0, NULL },
	{ "no-pivot", 0, BK_CLI_FLAG, offsetof(struct opts, no_pivot), NULL,
	  "taken for create's sake: criu restores the root as it was", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_restore = {
	.name = "restore",
	.synopsis = "ID",
	.help = "make a container of the images of a checkpoint, by criu",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.opts_defaults = &(const struct opts){ .common = CMD_CRIU_DEFAULTS },
	.run = run,
};
