/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of unpack that say how the container is run, and what they mean for config.json.
 *
 * Uses: bk_cli, bundle. Used by: cmd_transfer, cmd_unpack.
 */
#ifndef CMD_UNPACK_CONFIG_H
#define CMD_UNPACK_CONFIG_H

#include "base/bk_cli.h"
#include "bundle/bundle_opts.h"

struct cmd_container_opts {
	const char *entrypoint;
	char **env;
	const char *user;
	const char *cwd;
	const char *hostname;
	const char *memory;
	const char *cpus;
	const char *pids_limit;
	const char *net;
	const char *resolv_conf;
	const char *hosts;
	char **mount;
	char **uid_map;
	char **gid_map;
	int volumes;
	bool tty;
	bool readonly;
	bool rootless;
};

/* Rows of a table of options whose struct has a member `container`. */
#define CONTAINER_ROWS(type)                                                                      \
	{ "entrypoint", 0, BK_CLI_STR, offsetof(type, container.entrypoint), "WORD",              \
	  "instead of the image's entrypoint and command; empty: none", 0, NULL },                \
	{ "env", 'e', BK_CLI_STRV, offsetof(type, container.env), "NAME=VALUE",                   \
	  "set a variable, over the image's", 0, NULL },                                          \
	{ "user", 'u', BK_CLI_STR, offsetof(type, container.user), "USER[:GROUP]",                \
	  "instead of the image's user", 0, NULL },                                               \
	{ "cwd", 'w', BK_CLI_STR, offsetof(type, container.cwd), "DIR",                           \
	  "instead of the image's working directory", 0, NULL },                                  \
	{ "hostname", 0, BK_CLI_STR, offsetof(type, container.hostname), "NAME",                  \
	  "host name of the container", 0, NULL },                                                \
	{ "tty", 't', BK_CLI_FLAG, offsetof(type, container.tty), NULL,                           \
	  "the container gets a terminal", 0, NULL },                                             \
	{ "read-only", 0, BK_CLI_FLAG, offsetof(type, container.readonly), NULL,                  \
	  "the container's root is mounted read-only", 0, NULL },                                 \
	{ "rootless", 0, BK_CLI_FLAG, offsetof(type, container.rootless), NULL,                   \
	  "all files are the caller's, who is root in the container (default unless root)", 0,    \
	  NULL },                                                                                 \
	{ "uid-map", 0, BK_CLI_STRV, offsetof(type, container.uid_map), "CONTAINER:HOST:SIZE",    \
	  "users of a user namespace, and owners of the files", 0, NULL },                        \
	{ "gid-map", 0, BK_CLI_STRV, offsetof(type, container.gid_map), "CONTAINER:HOST:SIZE",    \
	  "its groups (default: as --uid-map)", 0, NULL },                                        \
	{ "mount", 0, BK_CLI_STRV, offsetof(type, container.mount), "MOUNT",                      \
	  "one more mount: type=bind,source=,target= or type=tmpfs,target=", 0, NULL },           \
	{ "volumes", 0, BK_CLI_CHOICE, offsetof(type, container.volumes), "HOW",                  \
	  "the image's volumes: dir, tmpfs or none", 0, cmd_container_volumes },                  \
	{ "net", 0, BK_CLI_STR, offsetof(type, container.net), "HOW",                             \
	  "network: none, host, or the path of a namespace", 0, NULL },                           \
	{ "resolv-conf", 0, BK_CLI_STR, offsetof(type, container.resolv_conf), "FILE",            \
	  "the container's /etc/resolv.conf is a copy of FILE", BK_CLI_PATH, NULL },              \
	{ "hosts", 0, BK_CLI_STR, offsetof(type, container.hosts), "FILE",                        \
	  "the container's /etc/hosts is a copy of FILE", BK_CLI_PATH, NULL },                    \
	{ "memory", 'm', BK_CLI_STR, offsetof(type, container.memory), "SIZE",                    \
	  "limit of memory (512m, 2g)", 0, NULL },                                                \
	{ "cpus", 0, BK_CLI_STR, offsetof(type, container.cpus), "N",                             \
	  "limit of CPU time, in CPUs (0.5)", 0, NULL },                                          \
	{ "pids-limit", 0, BK_CLI_STR, offsetof(type, container.pids_limit), "N",                 \
	  "limit of processes; -1: none", 0, NULL }

extern const char *const cmd_container_volumes[];

/*
 * Fills ret but for what stands behind '--'; memory is the arena's, and what o points to must live as long. An option
 * that is malformed, or does not go with another, is an error that names it.
 */
int cmd_container_read(const struct cmd_container_opts *o, struct bk_arena *arena,
		       struct bundle_opts *ret, struct bk_err **err);

#endif
