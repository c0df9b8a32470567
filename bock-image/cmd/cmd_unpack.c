/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_kept.h"
#include "cmd/cmd.h"
#include "cmd/cmd_transfer.h"
#include "cmd/cmd_unpack_opts.h"

int cmd_unpack_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	const struct cmd_unpack_opts *o = call->opts;
	struct cmd_warnings w = { .log = call->log };
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bundle_opts bo;
	struct layer_opts lo;
	struct layer_stats stats;
	int rc = cmd_unpack_read(call, &w, arena, &bo, &lo, err);

	(void)ret_status;
	if (rc == 0)
		rc = cmd_open_store(call, o->mode == BUNDLE_COPY ? 0 : STORE_WRITE, &s, err);
	if (rc == 0)
		rc = store_image_open(s, call->args[0], &image, err);
	if (rc < 0)
		return rc;
	rc = bundle_unpack_mode(s, image, call->args[1], (enum bundle_mode)o->mode, &bo, &lo, &stats, err);
	cmd_warnings_end(&w);
	if (rc < 0)
		return bk_err_wrap(err, rc, "unpack '%s'", call->args[0]);
	bk_log_msg(call->log, BK_LOG_DEBUG, "%llu entries, %llu whiteouts, %llu bytes of tar",
		   (unsigned long long)stats.entries, (unsigned long long)stats.whiteouts,
		   (unsigned long long)stats.bytes);
	return 0;
}
