/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "container/container_exec.h"
#include "init/init_trace.h"
#include "sys/sys_kernel.h"

#define EXIT_NOT_EXECUTED 255	/* as runc: an error of ours is none of the program's statuses */

struct opts {
	const char *trace;
	const char *console_socket, *pid_file, *pidfd_socket, *cgroup, *process;
	const char *cwd, *user, *label, *apparmor;
	char **env, **gids, **caps;
	uint32_t preserve_fds;
	bool detach, tty, no_new_privs, ignore_paused;
};

static int check(const struct bk_cli_call *call, const struct opts *o, struct bk_err **err)
{
	if (!o->process && call->n_args < 2)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "what to execute is missing: give a command, or --process FILE");
	return 0;
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	struct init_trace trace = INIT_TRACE_INIT;
	struct container_root root = { .fd = -1 };
	char **warnings = NULL;
	struct container_exec p = {
		.root = &root,
		.id = call->args[0],
		.process_path = o->process,
		.changes = {
			.args = call->args + 1,
			.cwd = o->cwd,
			.user = o->user,
			.env = o->env,
			.gids = o->gids,
			.caps = o->caps,
			.apparmor = o->apparmor,
			.label = o->label,
			.no_new_privs = o->no_new_privs,
			.terminal = o->tty,
		},
		.console_socket = o->console_socket,
		.pid_file = o->pid_file,
		.pidfd_socket = o->pidfd_socket,
		.cgroup = o->cgroup,
		.preserve_fds = o->preserve_fds,
		.detach = o->detach,
		.ignore_paused = o->ignore_paused,
		.warnings = &warnings,
	};
	int rc = check(call, o, err);

	if (rc == 0)
		rc = cmd_trace(call, "exec", o->trace, &trace, &p.trace, err);
	if (rc == 0)
		rc = cmd_root(call, false, &root, err);
	if (rc == 0) {
		rc = container_exec(&p, ret_status, err);
		if (rc < 0)
			rc = bk_err_wrap(err, sys_kernel_explain(rc, err), "exec in '%s'", p.id);
	}
	cmd_warn(call, warnings);
	container_root_done(&root);
	init_trace_close(&trace);
	return rc;
}

static const struct bk_cli_opt opts[] = {
	{ "process", 'p', BK_CLI_STR, offsetof(struct opts, process), "FILE",
	  "the process, as config.json describes one", BK_CLI_PATH, NULL },
	{ "cwd", 0, BK_CLI_STR, offsetof(struct opts, cwd), "DIR",
	  "the working directory in the container", 0, NULL },
	{ "env", 'e', BK_CLI_STRV, offsetof(struct opts, env), "NAME=VALUE",
	  "set a variable; may be repeated", 0, NULL },
	{ "tty", 't', BK_CLI_FLAG, offsetof(struct opts, tty), NULL, "give it a terminal", 0, NULL },
	{ "user", 'u', BK_CLI_STR, offsetof(struct opts, user), "UID[:GID]",
	  "the user, by number", 0, NULL },
	{ "additional-gids", 'g', BK_CLI_STRV, offsetof(struct opts, gids), "GID",
	  "one more group, by number; may be repeated", 0, NULL },
	{ "cap", 'c', BK_CLI_STRV, offsetof(struct opts, caps), "CAP",
	  "one more capability; may be repeated", 0, NULL },
	{ "no-new-privs", 0, BK_CLI_FLAG, offsetof(struct opts, no_new_privs), NULL,
	  "no program gives it more rights", 0, NULL },
	{ "apparmor", 0, BK_CLI_STR, offsetof(struct opts, apparmor), "PROFILE",
	  "the AppArmor profile", 0, NULL },
	{ "process-label", 0, BK_CLI_STR, offsetof(struct opts, label), "LABEL",
	  "the SELinux label", 0, NULL },
	{ "detach", 'd', BK_CLI_FLAG, offsetof(struct opts, detach), NULL,
	  "leave it running in the background", 0, NULL },
	{ "console-socket", 0, BK_CLI_STR, offsetof(struct opts, console_socket), "SOCKET",
	  "a unix socket that receives the terminal's master", BK_CLI_PATH, NULL },
	{ "pid-file", 0, BK_CLI_STR, offsetof(struct opts, pid_file), "FILE",
	  "write its pid to FILE", BK_CLI_PATH, NULL },
	{ "pidfd-socket", 0, BK_CLI_STR, offsetof(struct opts, pidfd_socket), "SOCKET",
	  "a unix socket that receives a pidfd of the process", BK_CLI_PATH, NULL },
	{ "preserve-fds", 0, BK_CLI_U32, offsetof(struct opts, preserve_fds), "N",
	  "pass N further file descriptors on, from 3", 0, NULL },
	{ "cgroup", 0, BK_CLI_STR, offsetof(struct opts, cgroup), "PATH",
	  "run it in this cgroup below the container's", 0, NULL },
	{ "ignore-paused", 0, BK_CLI_FLAG, offsetof(struct opts, ignore_paused), NULL,
	  "even in a paused container: it begins when that is resumed", 0, NULL },
	CMD_TRACE_OPT(struct opts),
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_exec = {
	.name = "exec",
	.synopsis = "ID [COMMAND [ARGUMENT...]]",
	.help = "run a further process in a container",
	.min_args = 1,
	.max_args = -1,
	.flags = BK_CLI_STOP_AT_ARG,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
	.fail_status = EXIT_NOT_EXECUTED,
};
