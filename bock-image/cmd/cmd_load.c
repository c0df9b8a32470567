/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_transfer.h"
#include "store/store_load.h"

static void loaded(void *ctx, const char *name, const char *digest)
{
	struct bk_buf *out = ctx;

	cmd_out_text(out, name);
	bk_buf_printf(out, " %s\n", digest);
}

int cmd_load_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct cmd_load_opts *o = call->opts;
	const struct store_load_opts lo = {
		.name = o->name,
		.replace = o->replace,
		.loaded = o->quiet ? NULL : loaded,
		.ctx = &out,
	};
	int rc = cmd_open_store(call, STORE_CREATE, &s, err);

	(void)ret_status;
	if (rc == 0)
		rc = store_load(s, call->args[0], &lo, err);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}
