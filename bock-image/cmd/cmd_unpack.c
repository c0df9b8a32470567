/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "bundle/bundle_kept.h"
#include "cmd/cmd.h"
#include "cmd/cmd_transfer.h"

#define WARNINGS_MAX 20 /* shown one by one; the rest is counted */

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

int cmd_unpack_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	const struct cmd_unpack_opts *o = call->opts;
	struct warnings w = { .log = call->log };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bundle_opts bo = { 0 };
	struct layer_opts lo = {
		.warn = warn,
		.ctx = &w,
	};
	struct layer_stats stats;
	int rc;

	(void)ret_status;
	rc = cmd_container_read(&o->container, arena, &bo, err);
	bo.cmd = call->n_args > 2 ? call->args + 2 : NULL;
	bo.warn = warn;
	bo.ctx = &w;
	lo.rootless = bo.rootless;
	lo.ids = &bo.ids;
	if (rc == 0)
		rc = cmd_bounds_read(&o->bounds, &lo, err);
	if (rc == 0)
		rc = cmd_open_store(call, o->mode == BUNDLE_COPY ? 0 : STORE_WRITE, &s, err);
	if (rc == 0)
		rc = store_image_open(s, call->args[0], &image, err);
	if (rc < 0)
		return rc;
	rc = bundle_unpack_mode(s, image, call->args[1], (enum bundle_mode)o->mode, &bo, &lo, &stats, err);
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
