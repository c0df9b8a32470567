/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "bus/bus_prop.h"
#include "bus/bus_unit.h"
#include "cmd/cmd.h"

static int connect_bus(const struct bk_cli_call *call, struct bus *ret, struct bk_err **err)
{
	const struct cmd_globals *g = call->globals;

	return bus_open(g->user, g->timeout_ms, ret, err);
}

static int print_line(const char *line, struct bk_err **err)
{
	bk_autofree char *text = bk_asprintf("%s\n", line);
	int rc = bk_fd_write_all(STDOUT_FILENO, text, strlen(text));

	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "write to stdout") : 0;
}

static int read_pid(const struct bk_cli_call *call, pid_t *ret, struct bk_err **err)
{
	uint32_t pid;
	int rc = bk_num_u32(call->args[1], INT32_MAX, &pid, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "PID");
	*ret = (pid_t)pid;
	return 0;
}

/* Before systemd is bothered. */
static int check_properties(char *const *words, struct bk_err **err)
{
	struct bus_prop p;
	int rc = 0;

	for (; rc == 0 && *words; words++)
		rc = bus_prop_parse(*words, &p, err);
	return rc;
}

static int run_start(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bus_auto struct bus b = { .sd = NULL };
	bk_autofree char *cgroup = NULL;
	pid_t pid = 0;
	int rc = read_pid(call, &pid, err);

	(void)ret_status;
	if (rc == 0)
		rc = check_properties(call->args + 2, err);
	if (rc == 0)
		rc = connect_bus(call, &b, err);
	if (rc == 0)
		rc = bus_unit_start(&b, call->args[0], pid, call->args + 2, &cgroup, err);
	return rc < 0 ? rc : print_line(cgroup, err);
}

const struct bk_cli_cmd cmd_start = {
	.name = "start",
	.synopsis = "UNIT PID [PROPERTY...]",
	.help = "start a scope around a process, and print its cgroup",
	.min_args = 2,
	.max_args = -1,
	.run = run_start,
};

static int run_attach(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bus_auto struct bus b = { .sd = NULL };
	pid_t pid = 0;
	int rc = read_pid(call, &pid, err);

	(void)ret_status;
	if (rc == 0)
		rc = connect_bus(call, &b, err);
	return rc < 0 ? rc : bus_unit_attach(&b, call->args[0], call->args[2] ? call->args[2] : "", pid, err);
}

const struct bk_cli_cmd cmd_attach = {
	.name = "attach",
	.synopsis = "UNIT PID [CGROUP]",
	.help = "move a process into a unit, or a cgroup below the unit's (/NAME)",
	.min_args = 2,
	.max_args = 3,
	.run = run_attach,
};

static int run_set(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bus_auto struct bus b = { .sd = NULL };
	int rc = check_properties(call->args + 1, err);

	(void)ret_status;
	if (rc == 0)
		rc = connect_bus(call, &b, err);
	return rc < 0 ? rc : bus_unit_set(&b, call->args[0], call->args + 1, err);
}

const struct bk_cli_cmd cmd_set = {
	.name = "set",
	.synopsis = "UNIT PROPERTY...",
	.help = "change properties of a unit until the next boot",
	.min_args = 2,
	.max_args = -1,
	.run = run_set,
};

static int run_where(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bus_auto struct bus b = { .sd = NULL };
	bk_autofree char *cgroup = NULL;
	int rc = connect_bus(call, &b, err);

	(void)ret_status;
	if (rc == 0)
		rc = bus_unit_where(&b, call->args[0], &cgroup, err);
	return rc < 0 ? rc : print_line(cgroup, err);
}

const struct bk_cli_cmd cmd_where = {
	.name = "where",
	.synopsis = "UNIT",
	.help = "print the cgroup of a scope",
	.min_args = 1,
	.max_args = 1,
	.run = run_where,
};

static int run_manager(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bus_auto struct bus b = { .sd = NULL };
	bk_autofree char *cgroup = NULL, *line = NULL;
	int rc = connect_bus(call, &b, err);

	(void)ret_status;
	if (rc == 0)
		rc = bus_get_string(&b, BUS_MANAGER_PATH, BUS_MANAGER, "ControlGroup", &cgroup, err);
	if (rc < 0)
		return rc;
	line = bk_asprintf("%u %s", b.version, cgroup);
	return print_line(line, err);
}

const struct bk_cli_cmd cmd_manager = {
	.name = "manager",
	.synopsis = "",
	.help = "print the version of systemd and the cgroup of its root slice",
	.min_args = 0,
	.max_args = 0,
	.run = run_manager,
};

struct stop_opts {
	const char *description;
};

static int run_stop(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct stop_opts *o = call->opts;
	bus_auto struct bus b = { .sd = NULL };
	int rc = connect_bus(call, &b, err);

	(void)ret_status;
	return rc < 0 ? rc : bus_unit_stop(&b, call->args[0], o->description, err);
}

static const struct bk_cli_opt stop_opts[] = {
	{ "description", 0, BK_CLI_STR, offsetof(struct stop_opts, description), "TEXT",
	  "leave a unit alone that has another description", 0, NULL },
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_stop = {
	.name = "stop",
	.synopsis = "UNIT",
	.help = "stop a unit and forget how it ended",
	.min_args = 1,
	.max_args = 1,
	.opts = stop_opts,
	.opts_size = sizeof(struct stop_opts),
	.run = run_stop,
};
