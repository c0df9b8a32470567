/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_unpack_opts.h"

#include "cmd/cmd_transfer.h"

#define WARNINGS_MAX 20 /* shown one by one; the rest is counted */

static void warn(void *ctx, const char *message)
{
	struct cmd_warnings *w = ctx;

	if (++w->n <= WARNINGS_MAX)
		bk_log_msg(w->log, BK_LOG_WARNING, "%s", message);
}

int cmd_unpack_read(const struct bk_cli_call *call, struct cmd_warnings *w, struct bk_arena *arena, struct bundle_opts *bo,
		    struct layer_opts *lo, struct bk_err **err)
{
	const struct cmd_unpack_opts *o = call->opts;
	int rc;

	*bo = (struct bundle_opts){ 0 };
	*lo = (struct layer_opts){ .warn = warn, .ctx = w };
	rc = cmd_container_read(&o->container, arena, bo, err);
	bo->cmd = call->n_args > 2 ? call->args + 2 : NULL;
	bo->warn = warn;
	bo->ctx = w;
	lo->rootless = bo->rootless;
	lo->ids = &bo->ids;
	return rc < 0 ? rc : cmd_bounds_read(&o->bounds, lo, err);
}

void cmd_warnings_end(const struct cmd_warnings *w)
{
	if (w->n > WARNINGS_MAX)
		bk_log_msg(w->log, BK_LOG_WARNING, "%llu more of these", (unsigned long long)(w->n - WARNINGS_MAX));
}
