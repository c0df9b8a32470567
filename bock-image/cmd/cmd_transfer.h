/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that the helper bock-image-transfer carries out: their options, and their rows of the
 * table, which the small program needs too, for help, completion and to refuse a mistake by itself.
 * main.c gives the rows their functions: these here in the helper, in the small program the one that
 * executes the helper.
 *
 * Uses: bk_cli. Used by: cmd, main.c.
 */
#ifndef CMD_TRANSFER_H
#define CMD_TRANSFER_H

#include "base/bk_cli.h"
#include "cmd/cmd_bounds.h"
#include "cmd/cmd_unpack_config.h"

struct cmd_import_opts {
	char **cmd;
	char **env;
	const char *user;
	const char *workdir;
	const char *arch;
	int compression;
	const char *policy;
	bool quiet;
};

struct cmd_diff_opts {
	struct cmd_bounds_opts bounds;
	const char *platform;
	bool exit_code;
	bool json;
};

struct cmd_repack_opts {
	const char *author;
	const char *created_by;
	const char *message;
	char **mask;
	int compression;
	bool quiet;
};

struct cmd_load_opts {
	const char *name;
	const char *policy;
	bool replace;
	bool quiet;
};

struct cmd_unpack_opts {
	struct cmd_container_opts container;
	struct cmd_bounds_opts bounds;
	int mode;	/* enum bundle_mode */
};

/* What becomes of layers that are foreign to registries. */
enum cmd_foreign { CMD_FOREIGN_FETCH, CMD_FOREIGN_REFUSE };

/* What all commands have that ask registries. */
struct cmd_registry_opts {
	const char *authfile;
	const char *cert_dir;
	const char *registries_conf;
	const char *timeout;
	uint32_t retries;
	bool tls_verify;
	bool plain_http;
	int foreign_layers;	/* enum cmd_foreign, of commands that fetch layers */
};

struct cmd_pull_opts {
	struct cmd_registry_opts registry;
	const char *policy;
	bool referrers;
	const char *platform;
	uint32_t jobs;
	bool all_platforms;
	bool quiet;
	bool json;
};

struct cmd_push_opts {
	struct cmd_registry_opts registry;
	bool referrers;
	const char *platform;
	const char *chunk;
	uint32_t jobs;
	bool quiet;
	bool json;
};

struct cmd_copy_opts {
	struct cmd_registry_opts registry;
	const char *policy;
	bool referrers;
	const char *platform;
	uint32_t jobs;
	bool all_platforms;
	bool quiet;
};

struct cmd_login_opts {
	struct cmd_registry_opts registry;
	const char *username;
	const char *store;
	bool password_stdin;
};

struct cmd_logout_opts {
	const char *authfile;
	bool all;
};

struct cmd_fsck_opts {
	struct cmd_registry_opts registry;
	bool json;
	bool quick;
	bool quiet;
	bool repair;
};

struct cmd_tags_opts {
	struct cmd_registry_opts registry;
	bool json;
};

struct cmd_digest_opts {
	struct cmd_registry_opts registry;
};

struct cmd_referrers_opts {
	struct cmd_registry_opts registry;
	const char *platform;
	const char *artifact_type;
	bool json;
	bool quiet;
};

struct cmd_attach_opts {
	struct cmd_registry_opts registry;
	const char *platform;
	const char *artifact_type;
	char **annotations;
	bool quiet;
};

struct cmd_sign_opts {
	struct cmd_registry_opts registry;
	const char *key;
	const char *passphrase_file;
	int64_t passphrase_fd;	/* -1: none */
	const char *identity;
	const char *platform;
	int form;
	bool recursive;
	bool quiet;
};

struct cmd_verify_opts {
	struct cmd_registry_opts registry;
	char **keys;
	const char *policy;
	const char *identity;
	const char *platform;
	bool quiet;
};

extern const struct bk_cli_cmd cmd_attach, cmd_copy, cmd_diff, cmd_digest, cmd_fsck, cmd_import, cmd_load, cmd_login, cmd_logout, cmd_pull, cmd_push,
	cmd_referrers, cmd_repack, cmd_sign, cmd_tags, cmd_unpack, cmd_verify;

/* What the rows do, in the helper. */
int cmd_attach_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_sign_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_verify_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_referrers_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_import_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_repack_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
/* fsck --repair; without it cmd_fsck_run. */
int cmd_repair_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_load_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_copy_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_push_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_diff_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_digest_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_login_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_logout_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_pull_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_tags_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);
int cmd_unpack_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err);

#endif
