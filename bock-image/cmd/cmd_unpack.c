/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "bundle/bundle.h"
#include "cmd/cmd.h"

#define WARNINGS_MAX 20 /* shown one by one; the rest is counted */

struct unpack_opts {
	const char *entrypoint;
	char **env;
	const char *user;
	const char *cwd;
	const char *hostname;
	bool tty;
	bool readonly;
	bool rootless;
	uint32_t max_ratio;
};

static const struct bk_cli_opt unpack_opts[] = {
	{ "entrypoint", 0, BK_CLI_STR, offsetof(struct unpack_opts, entrypoint), "WORD",
	  "instead of the image's entrypoint and command; empty: none", 0, NULL },
	{ "env", 'e', BK_CLI_STRV, offsetof(struct unpack_opts, env), "NAME=VALUE",
	  "set a variable, over the image's", 0, NULL },
	{ "user", 'u', BK_CLI_STR, offsetof(struct unpack_opts, user), "USER[:GROUP]",
	  "instead of the image's user", 0, NULL },
	{ "cwd", 'w', BK_CLI_STR, offsetof(struct unpack_opts, cwd), "DIR",
	  "instead of the image's working directory", 0, NULL },
	{ "hostname", 0, BK_CLI_STR, offsetof(struct unpack_opts, hostname), "NAME",
	  "host name of the container", 0, NULL },
	{ "tty", 't', BK_CLI_FLAG, offsetof(struct unpack_opts, tty), NULL,
	  "the container gets a terminal", 0, NULL },
	{ "read-only", 0, BK_CLI_FLAG, offsetof(struct unpack_opts, readonly), NULL,
	  "the container's root is mounted read-only", 0, NULL },
	{ "rootless", 0, BK_CLI_FLAG, offsetof(struct unpack_opts, rootless), NULL,
	  "all files are the caller's, who is root in the container (default unless root)", 0,
	  NULL },
	{ "max-ratio", 0, BK_CLI_U32, offsetof(struct unpack_opts, max_ratio), "N",
	  "refuse layers that unpack to more than N times their size (default: 250)", 0, NULL },
	BK_CLI_END
};

struct warnings {
	const struct bk_log *log;
	uint64_t n;
};

static void warn(void *ctx, const char *message)
{
	struct warnings *w = ctx;

	if (++w->n <= WARNINGS_MAX)
		bk_log_msg(w->log, BK_LOG_WARNING, "%s", message);
}

static int check_env(char *const *env, struct bk_err **err)
{
	for (; env && *env; env++)
		if (**env == '=' || !strchr(*env, '='))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "--env '%s': not NAME=VALUE",
					  *env);
	return 0;
}

static int run_unpack(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	const struct unpack_opts *o = call->opts;
	struct warnings w = { .log = call->log };
	bool rootless = o->rootless || geteuid() != 0;
	const struct bundle_opts bo = {
		.cmd = call->n_args > 2 ? call->args + 2 : NULL,
		.entrypoint = o->entrypoint,
		.env = o->env,
		.user = o->user,
		.cwd = o->cwd,
		.hostname = o->hostname,
		.tty = o->tty,
		.readonly = o->readonly,
		.rootless = rootless,
	};
	const struct layer_opts lo = {
		.rootless = rootless,
		.max_ratio = o->max_ratio,
		.warn = warn,
		.ctx = &w,
	};
	struct layer_stats stats;
	int rc;

	(void)ret_status;
	rc = check_env(o->env, err);
	if (rc == 0)
		rc = cmd_open_store(call, 0, &s, err);
	if (rc == 0)
		rc = store_image_open(s, call->args[0], &image, err);
	if (rc < 0)
		return rc;
	rc = bundle_unpack(s, image, call->args[1], &bo, &lo, &stats, err);
	if (w.n > WARNINGS_MAX)
		bk_log_msg(call->log, BK_LOG_WARNING, "%llu more of these",
			   (unsigned long long)(w.n - WARNINGS_MAX));
	if (rc < 0)
		return bk_err_wrap(err, rc, "unpack '%s'", call->args[0]);
	bk_log_msg(call->log, BK_LOG_DEBUG, "%llu entries, %llu whiteouts, %llu bytes of tar",
		   (unsigned long long)stats.entries, (unsigned long long)stats.whiteouts,
		   (unsigned long long)stats.bytes);
	return 0;
}

const struct bk_cli_cmd cmd_unpack = {
	.name = "unpack",
	.synopsis = "NAME BUNDLE [-- ARG...]",
	.help = "make a bundle that a runtime can run",
	.min_args = 2,
	.max_args = -1,
	.opts = unpack_opts,
	.opts_size = sizeof(struct unpack_opts),
	.run = run_unpack,
};
