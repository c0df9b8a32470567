/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_str.h"
#include "bundle/bundle_repack.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_transfer.h"
#include "codec/bk_time.h"
#include "ref/ref.h"
#include "store/store_index.h"

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

/* The same bytes by their name in an OCI manifest, which names no layers of Docker's. */
static void name_as_oci(struct oci_descriptor *layer, struct bk_arena *arena)
{
	if (bk_streq(layer->media_type, OCI_MEDIA_DOCKER_LAYER_GZIP))
		layer->media_type = bk_arena_strdup(arena, OCI_MEDIA_LAYER_GZIP);
	else if (bk_streq(layer->media_type, OCI_MEDIA_DOCKER_LAYER))
		layer->media_type = bk_arena_strdup(arena, OCI_MEDIA_LAYER);
}

/* The image with one layer more. */
static int put_image(struct store *s, const char *name, const struct bundle_repacked *r,
		     const struct cmd_repack_opts *o, struct bk_arena *arena, struct oci_descriptor *ret,
		     struct bk_err **err)
{
	const struct oci_manifest *m = &r->image->manifest;
	size_t n = m->n_layers, n_history = r->image->config.n_history;
	struct oci_descriptor *layers = bk_arena_alloc(arena, (n + 1) * sizeof(*layers));
	char **ids = bk_arena_alloc(arena, (n + 2) * sizeof(*ids));
	struct oci_image_history *history = bk_arena_alloc(arena, (n_history + 1) * sizeof(*history));
	struct oci_image_config config = r->image->config;
	struct oci_image_rootfs rootfs = *config.rootfs;
	char created[BK_TIME_SIZE];
	struct timespec now;
	bool set;
	int rc = bk_time_source_date(&now, &set, err);

	if (rc < 0)
		return rc;
	if (n >= STORE_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the image has %d layers already, as many as one can have",
				  STORE_LAYERS_MAX);
	now.tv_nsec = 0;
	(void)bk_time_print(&now, created);
	for (size_t i = 0; i < n; i++) {
		layers[i] = m->layers[i];
		name_as_oci(&layers[i], arena);
		ids[i] = rootfs.diff_ids[i];
	}
	layer_info_descriptor(&r->layer, arena, &layers[n]);
	ids[n] = bk_arena_strdup(arena, r->layer.diff_id);
	if (n_history > 0)
		memcpy(history, config.history, n_history * sizeof(*history));
	history[n_history] = (struct oci_image_history){
		.created = created,
		.created_by = bk_arena_strdup(arena, o->created_by ? o->created_by : "bock-image repack"),
		.author = o->author ? bk_arena_strdup(arena, o->author) : NULL,
		.comment = o->message ? bk_arena_strdup(arena, o->message) : NULL,
	};
	rootfs.diff_ids = ids;
	config.rootfs = &rootfs;
	config.history = history;
	config.n_history = n_history + 1;
	config.created = created;
	if (o->author)
		config.author = history[n_history].author;
	return store_image_put(s, name, &config, layers, n + 1, m->annotations, m->n_annotations, arena, ret, err);
}

static int name_image(struct store *s, const struct bk_cli_call *call, const struct bundle_repacked *r,
		      struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	if (r->changed)
		return put_image(s, call->args[1], r, call->opts, arena, ret, err);
	bk_log_msg(call->log, BK_LOG_WARNING, "nothing was changed in '%s': '%s' is the image that it was made of",
		   call->args[0], call->args[1]);
	*ret = r->image->desc;
	return store_name_set(s, call->args[1], ret, err);
}

int cmd_repack_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	const struct cmd_repack_opts *o = call->opts;
	struct warnings w = { .log = call->log };
	const struct bundle_repack_opts opts = {
		.compression = o->compression == 0 ? OCI_MEDIA_GZIP : OCI_MEDIA_PLAIN,
		.mask = o->mask,
		.warn = warn,
		.ctx = &w,
	};
	struct bundle_repacked r = { 0 };
	bk_autostore struct store *s = NULL;
	struct oci_descriptor desc;
	int rc = ref_check(call->args[1], err);

	(void)ret_status;
	if (rc == 0)
		rc = cmd_open_store(call, STORE_WRITE, &s, err);
	if (rc < 0)
		return rc;
	rc = bundle_repack(s, call->args[0], &opts, &r, err);
	if (w.n > WARNINGS_MAX)
		bk_log_msg(call->log, BK_LOG_WARNING, "%llu more of these",
			   (unsigned long long)(w.n - WARNINGS_MAX));
	if (rc == 0)
		rc = name_image(s, call, &r, arena, &desc, err);
	if (rc < 0) {
		store_image_free(r.image);
		return bk_err_wrap(err, rc, "repack '%s'", call->args[0]);
	}
	cmd_out_text(&out, call->args[1]);
	bk_buf_printf(&out, " %s\n", desc.digest);
	store_image_free(r.image);
	return o->quiet ? 0 : cmd_out_flush(&out, err);
}
