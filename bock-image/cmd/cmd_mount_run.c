/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/cmd_mount.h"
#include "cmd/cmd_out.h"
#include "layer/layer_mount.h"
#include "oci/oci_media.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_platform.h"

static void warn(void *ctx, const char *message)
{
	const struct bk_cli_call *call = ctx;

	bk_log_msg(call->log, BK_LOG_WARNING, "%s", message);
}

/* The image for that platform, of an index; another image must be for it. */
static int open_platform(const struct store *s, const char *name, const char *platform, struct store_image **ret,
			 struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct oci_descriptor *best;
	struct oci_platform want;
	struct oci_descriptor d;
	struct oci_index index;
	int rc = store_platform_parse(platform, arena, &want, err);

	if (rc == 0)
		rc = store_name_find(s, name, arena, &d, err);
	for (int depth = 0; rc == 0 && oci_media_kind_of(d.media_type) == OCI_MEDIA_KIND_INDEX; depth++) {
		rc = store_manifests_read(s, &d, arena, &index, err);
		if (rc < 0)
			return rc;
		best = store_platform_choose(&want, index.manifests, index.n_manifests);
		if (!best || depth > STORE_NESTING_MAX)
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "it has no image for %s", platform);
		d = *best;
	}
	if (rc == 0)
		rc = store_image_open_desc(s, &d, ret, err);
	if (rc == 0) {
		const struct oci_image_config *c = &(*ret)->config;
		const struct oci_platform have = { .os = c->os, .architecture = c->architecture, .variant = c->variant };

		if (store_platform_fit(&want, &have) == 0)
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "it is for %s/%s, not for %s", c->os,
					  c->architecture, platform);
	}
	return rc;
}

int cmd_mount_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	bk_autofree char *path = NULL;
	const struct cmd_mount_opts *o = call->opts;
	const struct layer_opts lo = { .warn = warn, .ctx = (void *)call };
	const char *name = call->args[0];
	int rc;

	if (call->n_args == 0)
		return cmd_mount_list(call, ret_status, err);
	if (o->json || o->no_header)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--json and --no-header are for the list, without a name");
	/* before the store is asked: who may not mount may not be able to read root's either */
	rc = layer_mount_may(err);
	if (rc == 0)
		rc = cmd_open_store(call, STORE_WRITE, &s, err);
	if (rc == 0)
		rc = o->platform ? open_platform(s, name, o->platform, &image, err)
				 : store_image_open(s, name, &image, err);
	if (rc == 0)
		rc = layer_mount_image(s, image, name, call->n_args > 1 ? call->args[1] : NULL, o->mode == 1, &lo,
				       &path, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "mount '%s'", name);
	bk_buf_printf(&out, "%s\n", path);
	return cmd_out_flush(&out, err);
}
