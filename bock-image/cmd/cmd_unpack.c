/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/bk_num.h"
#include "bundle/bundle_kept.h"
#include "cmd/cmd.h"
#include "cmd/cmd_transfer.h"
#include "layer/layer_stream.h"

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

static int read_size(const char *option, const char *text, uint64_t *ret, struct bk_err **err)
{
	int rc = text ? bk_num_size(text, ret, err) : 0;

	return rc < 0 ? bk_err_wrap(err, rc, "--%s", option) : 0;
}

static int read_bounds(const struct cmd_unpack_opts *o, struct layer_opts *lo, struct bk_err **err)
{
	uint64_t pax = 0;
	int rc = read_size("max-size", o->max_size, &lo->max_size, err);

	if (rc == 0)
		rc = read_size("max-file", o->max_file, &lo->max_file, err);
	if (rc == 0)
		rc = read_size("max-pax", o->max_pax, &pax, err);
	if (rc < 0)
		return rc;
	/* What is past these the rest of the program is not made for. */
	if (pax > LAYER_PAX_MAX || o->max_name >= BK_ROOT_PATH_MAX ||
	    o->max_depth > LAYER_DEPTH_MAX || o->threads > LAYER_THREADS_MAX)
		return bk_err_set(
			err, BK_ERR_CONFIG, 0,
			"--max-pax, --max-name, --max-depth and --threads can't be more than %zu, %d, %d and %d",
			LAYER_PAX_MAX, BK_ROOT_PATH_MAX - 1, LAYER_DEPTH_MAX, LAYER_THREADS_MAX);
	lo->max_pax = (size_t)pax;
	lo->max_name = o->max_name;
	lo->max_depth = o->max_depth;
	lo->max_entries = o->max_entries;
	lo->max_ratio = o->max_ratio;
	lo->threads = o->threads;
	lo->confine = (enum layer_confine_how)o->confine;
	return 0;
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
		rc = read_bounds(o, &lo, err);
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
