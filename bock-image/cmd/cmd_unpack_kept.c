/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_unpack_kept.h"

#include "bundle/bundle_kept.h"
#include "bundle/bundle_overlay.h"
#include "cmd/cmd.h"
#include "cmd/cmd_transfer.h"
#include "cmd/cmd_unpack_opts.h"

static int unpack(const struct bk_cli_call *call, const struct bundle_opts *bo, const struct layer_opts *lo, bool *ret_done,
		  struct bk_err **err)
{
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	int rc = cmd_open_store(call, STORE_WRITE, &s, err);

	if (rc == 0)
		rc = store_image_open(s, call->args[0], &image, err);
	if (rc < 0)
		return rc;
	rc = bundle_overlay(s, image, call->args[1], bo, lo, ret_done, err);
	return rc < 0 ? bk_err_wrap(err, rc, "unpack '%s'", call->args[0]) : 0;
}

int cmd_unpack_kept(const struct bk_cli_call *call, bool *ret_done, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct cmd_unpack_opts *o = call->opts;
	struct cmd_warnings w = { .log = call->log };
	struct bundle_opts bo;
	struct layer_opts lo;
	int rc;

	*ret_done = false;
	/* what goes with no mode but copy is refused by the helper */
	if (o->mode != BUNDLE_OVERLAY || o->container.uid_map || o->container.gid_map)
		return 0;
	rc = cmd_unpack_read(call, &w, arena, &bo, &lo, err);
	if (rc == 0)
		rc = unpack(call, &bo, &lo, ret_done, err);
	cmd_warnings_end(&w);
	return rc;
}
