/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "base/bk_mem.h"
#include "store/store_index.h"

struct tag_opts {
	bool no_replace;
};

static const struct bk_cli_opt tag_opts[] = {
	{ "no-replace", 0, BK_CLI_FLAG, offsetof(struct tag_opts, no_replace), NULL,
	  "fail where a name means another image already", 0, NULL },
	BK_CLI_END
};

static int run_tag(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostore struct store *s = NULL;
	const struct tag_opts *o = call->opts;
	struct store_naming *names;
	struct oci_descriptor d;
	size_t n = (size_t)call->n_args - 1;
	int rc = cmd_open_store(call, STORE_WRITE, &s, err);

	(void)ret_status;
	if (rc == 0)
		rc = store_name_find(s, call->args[0], arena, &d, err);
	if (rc < 0)
		return rc;
	names = bk_arena_alloc(arena, n * sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = (struct store_naming){ .name = call->args[i + 1], .desc = &d };
	return store_names_set(s, names, n, !o->no_replace, err);
}

const struct bk_cli_cmd cmd_tag = {
	.name = "tag",
	.synopsis = "NAME NEW-NAME...",
	.help = "give an image more names",
	.min_args = 2,
	.max_args = -1,
	.opts = tag_opts,
	.opts_size = sizeof(struct tag_opts),
	.run = run_tag,
};

static int run_untag(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	return cmd_each_name(call, store_name_unset, ret_status, err);
}

const struct bk_cli_cmd cmd_untag = {
	.name = "untag",
	.synopsis = "NAME...",
	.help = "remove names, and keep the images",
	.min_args = 1,
	.max_args = -1,
	.run = run_untag,
};
