/* SPDX-License-Identifier: Apache-2.0 */
/* bock-runc: an OCI runtime. */
#include <string.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "base/bk_num.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "ns/ns.h"
#include "oci/oci_runtime.h"
#include "sec/sec_seccomp.h"

#define TIMEOUT_MAX_MS (INT32_MAX / 2)	/* poll(2) counts in an int, and waits are added */

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const rootless[] = { "auto", "true", "false", NULL };
static const char *const cgroup_managers[] = { "cgroupfs", "disabled", "systemd", NULL };

static const struct bk_cli_opt globals[] = {
	{ "root", 0, BK_CLI_STR, offsetof(struct cmd_globals, root), "DIR",
	  "state folder (default: /run/bock-runc; for a user $XDG_RUNTIME_DIR/bock-runc)", BK_CLI_DIR,
	  NULL },
	{ "log", 0, BK_CLI_STR, offsetof(struct cmd_globals, log), "[file:]FILE",
	  "append messages to FILE too", BK_CLI_PATH, NULL },
	{ "log-format", 0, BK_CLI_CHOICE, offsetof(struct cmd_globals, log_format), "FORMAT",
	  "of the log file: text or json", 0, log_formats },
	{ "log-level", 0, BK_CLI_CHOICE, offsetof(struct cmd_globals, log_level), "LEVEL",
	  "how much is logged: error, warning (the default), info or debug", 0, log_levels },
	{ "debug", 0, BK_CLI_FLAG, offsetof(struct cmd_globals, debug), NULL,
	  "log more: as --log-level debug", 0, NULL },
	{ "rootless", 0, BK_CLI_CHOICE, offsetof(struct cmd_globals, rootless), "WORD",
	  "run without a cgroup where none may be made: true, false or auto (for users)", 0,
	  rootless },
	{ "cgroup-manager", 0, BK_CLI_CHOICE, offsetof(struct cmd_globals, cgroup_manager), "NAME",
	  "who makes the cgroup: cgroupfs (we do), systemd, or disabled (nobody)", 0, cgroup_managers },
	{ "systemd-cgroup", 0, BK_CLI_FLAG, offsetof(struct cmd_globals, systemd_cgroup), NULL,
	  "let systemd make the cgroup: the same as --cgroup-manager systemd", 0, NULL },
	{ "timeout", 0, BK_CLI_STR, offsetof(struct cmd_globals, timeout), "TIME",
	  "the longest that each thing is waited for (30, 500ms, 2m; 0: for ever)", 0, NULL },
	BK_CLI_END,
};

static const struct bk_cli_cmd *const cmds_list[] = {
	&cmd_checkpoint, &cmd_create,  &cmd_delete, &cmd_events,  &cmd_exec,  &cmd_features, &cmd_kill,
	&cmd_list,	 &cmd_mounts,  &cmd_pause,  &cmd_ps,	  &cmd_restore, &cmd_resume, &cmd_run,
	&cmd_spec,	 &cmd_start,   &cmd_state,  &cmd_update,  &cmd_validate,
};

/*
 * Root of a user namespace keeps its state with the user who made that, as runc does. Engines give their monitors
 * no USER.
 */
static bool is_user(void)
{
	const char *user = getenv("USER");

	return geteuid() != 0 || ((!user || !bk_streq(user, "root")) && ns_in_userns());
}

static char *default_root(bool *ret_xdg)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	*ret_xdg = xdg && *xdg && is_user();
	return *ret_xdg ? bk_asprintf("%s/bock-runc", xdg) : bk_strdup("/run/bock-runc");
}

static char *owned_root; /* lives as long as the program */

/* crun's forms: a file's name may have a prefix; other places than files are refused by theirs. */
static int open_log(const struct cmd_globals *g, struct bk_log *log, struct bk_err **err)
{
	const char *path = bk_skip_prefix(g->log, "file:");

	if (bk_skip_prefix(g->log, "journald:") || bk_skip_prefix(g->log, "syslog:"))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "--log: '%s': only a file can be the log",
				  g->log);
	return bk_log_open(log, path ? path : g->log, (enum bk_log_format)g->log_format, err);
}

static int read_timeout(struct cmd_globals *g, struct bk_err **err)
{
	uint64_t ms;
	int rc = bk_num_duration_ms(g->timeout, &ms, err);

	if (rc == 0 && ms > TIMEOUT_MAX_MS)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is longer than 12 days", g->timeout);
	if (rc < 0)
		return bk_err_wrap(err, rc, "--timeout");
	g->timeout_ms = ms ? (int)ms : -1;
	return 0;
}

static int setup(void *globals_struct, struct bk_log *log, struct bk_err **err)
{
	struct cmd_globals *g = globals_struct;

	bk_autofree char *clean = NULL;

	log->level = g->debug ? BK_LOG_DEBUG : (enum bk_log_level)g->log_level;
	if (g->log && *g->log) {
		int rc = open_log(g, log, err);

		if (rc < 0)
			return rc;
	}
	if (g->timeout) {
		int rc = read_timeout(g, err);

		if (rc < 0)
			return rc;
	}
	g->root_is_default = !g->root || !*g->root;
	if (g->root_is_default)
		g->root = owned_root = default_root(&g->root_is_xdg);
	clean = bk_path_clean(g->root);
	if (bk_streq(clean, "/"))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--root: '%s' can't be the state folder",
				  g->root);
	return 0;
}

static void version(void)
{
	char seccomp[32];

	printf("bock-runc version %s\ncommit: %s\nspec: %s\nlibseccomp: %s\n", PACKAGE_VERSION,
	       PACKAGE_VERSION, OCI_RUNTIME_VERSION, sec_seccomp_version(seccomp, sizeof(seccomp)));
}

int main(int argc, char **argv)
{
	struct bk_cli_cmd cmds[BK_ARRAY_SIZE(cmds_list) + 1] = { { .name = NULL } };
	const struct bk_cli_prog prog = {
		.name = "bock-runc",
		.summary = "run containers according to the OCI runtime specification",
		.globals = globals,
		.globals_size = sizeof(struct cmd_globals),
		.globals_defaults = &(struct cmd_globals){ .log_level = BK_LOG_WARNING },
		.cmds = cmds,
		.setup = setup,
		.version = version,
	};
	int status, rc;

	rc = bk_fd_fix_stdio();
	if (rc < 0) {
		fprintf(stderr, "bock-runc: look at the standard descriptors: %s\n", bk_errno_text(-rc));
		return 1;
	}
	/* a caller that ignores it would have the kernel reap our children before we know their end */
	(void)signal(SIGCHLD, SIG_DFL);
	for (size_t i = 0; i < BK_ARRAY_SIZE(cmds_list); i++)
		cmds[i] = *cmds_list[i];
	status = bk_cli_main(&prog, argc, argv);
	free(owned_root);
	return status;
}
