/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_manager.h"
#include "container/container_create.h"
#include "init/init_trace.h"
#include "ns/ns.h"
#include "sys/sys_words.h"

#define PLAN_TEXT_MAX ((size_t)4 << 20)

int cmd_root(const struct bk_cli_call *call, bool make, struct container_root *ret,
	     struct bk_err **err)
{
	const struct cmd_globals *g = call->globals;

	int rc = container_root_open(g->root, make, ret, err);

	if (rc < 0 && g->root_is_default && !g->root_is_xdg && (geteuid() != 0 || ns_in_userns()))
		rc = bk_err_hint(err, rc, "a user's state folder is in $XDG_RUNTIME_DIR, which is not set: set it as a login "
				 "does, or name a folder with --root");
	ret->timeout_ms = g->timeout_ms;
	/* the sticky bit keeps it from who tidies the runtime directory up */
	if (rc == 0 && make && g->root_is_xdg)
		(void)fchmod(ret->fd, 0700 | S_ISVTX);
	return rc;
}

int cmd_open(const struct bk_cli_call *call, const struct container_root *root, bool lock,
	     struct container *ret, struct bk_err **err)
{
	int rc = container_open(root, call->args[0], lock, ret, err);

	return rc < 0 ? bk_err_wrap(err, rc, "container '%s'", call->args[0]) : 0;
}

const struct cgroup_manager *cmd_cgroup_manager(const struct bk_cli_call *call)
{
	const struct cmd_globals *g = call->globals;

	if (g->systemd_cgroup || g->cgroup_manager == CMD_CGROUP_SYSTEMD)
		return &cgroup_manager_systemd;
	return g->cgroup_manager == CMD_CGROUP_DISABLED ? NULL : &cgroup_manager_fs;
}

int cmd_create_params(const struct bk_cli_call *call, const struct container_root *root,
		      struct container_create *ret, struct bk_err **err)
{
	const struct cmd_globals *g = call->globals;
	const struct cmd_create_opts *o = call->opts;

	*ret = (struct container_create){
		.root = root,
		.id = call->args[0],
		.bundle = o->bundle,
		.config_path = o->config,
		.console_socket = o->console_socket,
		.pid_file = o->pid_file,
		.pidfd_socket = o->pidfd_socket,
		.preserve_fds = o->preserve_fds,
		.no_new_keyring = o->no_new_keyring,
		.manager = cmd_cgroup_manager(call),
		.cgroup_needed = g->rootless == CMD_ROOTLESS_FALSE,
		.cgroup_optional = g->rootless == CMD_ROOTLESS_TRUE,
		.no_pivot = o->no_pivot,
	};
	return container_service_read(&ret->service, err);
}

int cmd_trace(const struct bk_cli_call *call, const char *command, const char *path,
	      struct init_trace *trace, struct init_trace **ret_use, struct bk_err **err)
{
	int rc = path ? init_trace_open(path, command, call->args[0], trace, err) : 0;

	*ret_use = path && rc == 0 ? trace : NULL;
	return rc;
}

int cmd_print(const struct bk_buf *b, struct bk_err **err)
{
	int rc = bk_fd_write_all(STDOUT_FILENO, b->data, b->len);

	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "write to stdout") : 0;
}

void cmd_warn(const struct bk_cli_call *call, char **warnings)
{
	for (char **w = warnings; w && *w; w++)
		bk_log_msg(call->log, BK_LOG_WARNING, "%s", *w);
	bk_strv_free(warnings);
}

int cmd_dry_run(const struct bk_cli_call *call, bool wait_start, struct bk_err **err)
{
	struct container_created r = CONTAINER_CREATED_INIT;
	const struct cmd_globals *g = call->globals;
	const struct container_root root = { .path = g->root, .fd = -1 };
	struct container_create p;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(PLAN_TEXT_MAX);
	int rc;

	rc = cmd_create_params(call, &root, &p, err);
	p.wait_start = wait_start;
	if (rc == 0)
		rc = container_plan(&p, &r, err);
	if (rc == 0) {
		init_plan_print(&r.plan, &b);
		rc = bk_buf_check(&b, "the plan", err);
	}
	if (rc == 0)
		rc = cmd_print(&b, err);
	container_created_done(&r);
	return rc;
}
