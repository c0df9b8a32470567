/* SPDX-License-Identifier: Apache-2.0 */
/* The options that checkpoint and restore share. */
#ifndef CMD_CRIU_H
#define CMD_CRIU_H

#include "cmd/cmd.h"
#include "container/container_criu.h"

#define CMD_CRIU_TIMEOUT_MAX 86400	/* seconds */

struct cmd_criu_opts {
	const char *image_path, *work_path, *criu;
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
	int cgroups;		/* index into cmd_criu_cgroups; the last: not given */
	int network_lock;	/* index into cmd_criu_locks; the last: not given */
	char **empty_ns;
	uint32_t timeout;
};

#define CMD_CRIU_DEFAULTS { .cgroups = 4, .network_lock = 3 }

/* What the words of the options are; NULL-terminated. */
extern const char *const cmd_criu_cgroups[];
extern const char *const cmd_criu_locks[];

/* Checks, and fills what they have in common. */
int cmd_criu_fill(const struct cmd_criu_opts *o, struct container_criu_opts *ret, struct bk_err **err);

#define CMD_CRIU_OPT(type, name, metavar, kind, member, help, flags, choices) \
	{ name, 0, kind, offsetof(type, common.member), metavar, help, flags, choices }

#define CMD_CRIU_OPTS(type)                                                                              \
	CMD_CRIU_OPT(type, "image-path", "DIR", BK_CLI_STR, image_path,                                    \
		     "the images (default: 'checkpoint' in the current directory)", BK_CLI_DIR, NULL),       \
	CMD_CRIU_OPT(type, "work-path", "DIR", BK_CLI_STR, work_path,                                     \
		     "criu's log and other files (default: the images' folder)", BK_CLI_DIR, NULL),          \
	CMD_CRIU_OPT(type, "tcp-established", NULL, BK_CLI_FLAG, tcp_established,                         \
		     "allow open TCP connections", 0, NULL),                                                 \
	CMD_CRIU_OPT(type, "ext-unix-sk", NULL, BK_CLI_FLAG, ext_unix_sk,                                 \
		     "allow unix sockets whose other end is outside", 0, NULL),                              \
	CMD_CRIU_OPT(type, "shell-job", NULL, BK_CLI_FLAG, shell_job,                                     \
		     "allow a terminal and a session from outside", 0, NULL),                                \
	CMD_CRIU_OPT(type, "file-locks", NULL, BK_CLI_FLAG, file_locks, "keep file locks", 0, NULL),      \
	CMD_CRIU_OPT(type, "lazy-pages", NULL, BK_CLI_FLAG, lazy_pages,                                   \
		     "move memory when it is asked for (userfaultfd)", 0, NULL),                             \
	CMD_CRIU_OPT(type, "auto-dedup", NULL, BK_CLI_FLAG, auto_dedup,                                   \
		     "punch out of older images what newer ones have", 0, NULL),                             \
	CMD_CRIU_OPT(type, "manage-cgroups-mode", "MODE", BK_CLI_CHOICE, cgroups,                         \
		     "cgroups of the container: soft (the default), full, strict or ignore", 0,              \
		     cmd_criu_cgroups),                                                                      \
	CMD_CRIU_OPT(type, "network-lock", "METHOD", BK_CLI_CHOICE, network_lock,                         \
		     "how connections are held meanwhile: iptables, nftables or skip", 0, cmd_criu_locks),   \
	CMD_CRIU_OPT(type, "empty-ns", "NAME", BK_CLI_STRV, empty_ns,                                     \
		     "a namespace whose content is left out: network, which always is", 0, NULL),            \
	CMD_CRIU_OPT(type, "timeout", "SECONDS", BK_CLI_U32, timeout,                                     \
		     "how long criu may do nothing (default 600)", 0, NULL),                                 \
	CMD_CRIU_OPT(type, "criu", "PROGRAM", BK_CLI_STR, criu, "criu (default: the one in PATH)",        \
		     BK_CLI_PATH, NULL)

#endif
