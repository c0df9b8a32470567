/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of bock-runc, one file each: parse (by table), call one function, print. A new command
 * is a file, a row in main.c, and a page in man/.
 */
#ifndef CMD_H
#define CMD_H

#include "base/bk_cli.h"
#include "container/container.h"

struct cmd_globals {
	const char *root;
	const char *log;
	const char *timeout;
	int timeout_ms;		/* what it says, as in container_root */
	int log_format;		/* enum bk_log_format */
	int log_level;		/* enum bk_log_level */
	int rootless;		/* enum cmd_rootless */
	int cgroup_manager;	/* enum cmd_cgroup_manager */
	bool debug;
	bool systemd_cgroup;
	bool root_is_default;	/* not given */
	bool root_is_xdg;	/* and then it is in $XDG_RUNTIME_DIR */
};

/* In the order of main.c's choices. */
enum cmd_rootless { CMD_ROOTLESS_AUTO, CMD_ROOTLESS_TRUE, CMD_ROOTLESS_FALSE };
enum cmd_cgroup_manager { CMD_CGROUPFS, CMD_CGROUP_DISABLED, CMD_CGROUP_SYSTEMD };

extern const struct bk_cli_cmd cmd_create, cmd_start, cmd_run, cmd_state, cmd_kill, cmd_delete,
	cmd_list, cmd_spec, cmd_features, cmd_mounts, cmd_pause, cmd_resume, cmd_ps, cmd_exec,
	cmd_validate;
extern const struct bk_cli_cmd cmd_events, cmd_update, cmd_checkpoint, cmd_restore;

/* Options that create and run share, so that their tables and meaning can't drift. */
struct cmd_create_opts {
	const char *bundle;
	const char *config;
	const char *console_socket;
	const char *pid_file;
	const char *pidfd_socket;
	uint32_t preserve_fds;
	const char *trace;
	bool no_new_keyring;
	bool no_pivot;
	bool no_subreaper;	/* we never are one: see the man page */
	bool dry_run;
	/* run */
	bool detach;
	bool keep;
};

/* The state folder of the call. */
int cmd_root(const struct bk_cli_call *call, bool make, struct container_root *ret,
	     struct bk_err **err);

/* Opens the container named by the first argument; the error names it. */
int cmd_open(const struct bk_cli_call *call, const struct container_root *root, bool lock,
	     struct container *ret, struct bk_err **err);

/* Compiles and prints the plan (--dry-run); wait_start: of `create`. */
int cmd_dry_run(const struct bk_cli_call *call, bool wait_start, struct bk_err **err);

/* Who makes cgroups, by the global options; NULL: nobody. */
struct cgroup_manager;
const struct cgroup_manager *cmd_cgroup_manager(const struct bk_cli_call *call);

/* Fills what create and run have in common; refuses what is asked for and not there. */
struct container_create;
int cmd_create_params(const struct bk_cli_call *call, const struct container_root *root,
		      struct container_create *ret, struct bk_err **err);

/*
 * Begins the trace into path (NULL: there is none, and *ret_use is NULL) of a command whose first argument
 * is the id; the caller closes it by init_trace_close.
 */
struct init_trace;
int cmd_trace(const struct bk_cli_call *call, const char *command, const char *path,
	      struct init_trace *trace, struct init_trace **ret_use, struct bk_err **err);
#define CMD_TRACE_OPT(type)                                                                      \
	{ "trace", 0, BK_CLI_STR, offsetof(type, trace), "FILE",                                  \
	  "append each phase with its microseconds to FILE", BK_CLI_PATH, NULL }

/* Logs and frees warnings. */
void cmd_warn(const struct bk_cli_call *call, char **warnings);

/* Writes a buffer to stdout; a failed write is an error. */
int cmd_print(const struct bk_buf *b, struct bk_err **err);

#define CMD_CREATE_OPTS                                                                               \
	{ "bundle", 'b', BK_CLI_STR, offsetof(struct cmd_create_opts, bundle), "DIR",             \
	  "the bundle (default: the current directory)", BK_CLI_DIR, NULL },                      \
	{ "config", 'f', BK_CLI_STR, offsetof(struct cmd_create_opts, config), "FILE",            \
	  "the configuration (default: config.json in the bundle)", BK_CLI_PATH, NULL },          \
	{ "console-socket", 0, BK_CLI_STR, offsetof(struct cmd_create_opts, console_socket),     \
	  "SOCKET", "a unix socket that receives the terminal's master", BK_CLI_PATH, NULL },    \
	{ "pid-file", 0, BK_CLI_STR, offsetof(struct cmd_create_opts, pid_file), "FILE",          \
	  "write the pid of the container's first process to FILE", BK_CLI_PATH, NULL },         \
	{ "pidfd-socket", 0, BK_CLI_STR, offsetof(struct cmd_create_opts, pidfd_socket),         \
	  "SOCKET", "a unix socket that receives a pidfd of the first process", BK_CLI_PATH, NULL }, \
	{ "preserve-fds", 0, BK_CLI_U32, offsetof(struct cmd_create_opts, preserve_fds), "N",     \
	  "pass N further file descriptors on, from 3", 0, NULL },                                \
	{ "no-new-keyring", 0, BK_CLI_FLAG, offsetof(struct cmd_create_opts, no_new_keyring),     \
	  NULL, "keep the caller's session keyring", 0, NULL },                                   \
	{ "no-subreaper", 0, BK_CLI_FLAG, offsetof(struct cmd_create_opts, no_subreaper), NULL,   \
	  "adopt no orphans of the container, which never happens", 0, NULL },                    \
	{ "no-pivot", 0, BK_CLI_FLAG, offsetof(struct cmd_create_opts, no_pivot), NULL,           \
	  "move the root over the old one in place of pivot_root(2)", 0, NULL },                      \
	CMD_TRACE_OPT(struct cmd_create_opts),                                                    \
	{ "dry-run", 0, BK_CLI_FLAG, offsetof(struct cmd_create_opts, dry_run), NULL,             \
	  "print what would be done, and do nothing", 0, NULL }

#endif
