/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "base/bk_num.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "store/store_gc.h"
#include "store/store_index.h"

static int run_rm(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	return cmd_each_name(call, store_name_delete, ret_status, err);
}

const struct bk_cli_cmd cmd_rm = {
	.name = "rm",
	.synopsis = "NAME...",
	.help = "remove images' names; gc then frees what nothing names",
	.min_args = 1,
	.max_args = -1,
	.run = run_rm,
};

struct gc_opts {
	const char *grace;
	const char *wait;
	bool dry_run;
	bool layers;
	bool quiet;
};

static const struct bk_cli_opt gc_opts[] = {
	{ "grace", 0, BK_CLI_STR, offsetof(struct gc_opts, grace), "DURATION",
	  "keep blobs younger than this (90s, 1h; default: 0)", 0, NULL },
	{ "wait", 0, BK_CLI_STR, offsetof(struct gc_opts, wait), "DURATION",
	  "wait for other commands that use the store (0s, 5m; default: 10s)", 0, NULL },
	{ "dry-run", 'n', BK_CLI_FLAG, offsetof(struct gc_opts, dry_run), NULL,
	  "only say what would go", 0, NULL },
	{ "layers", 0, BK_CLI_FLAG, offsetof(struct gc_opts, layers), NULL,
	  "remove unpacked layers that no bundle or mount uses", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct gc_opts, quiet), NULL, "print nothing", 0,
	  NULL },
	BK_CLI_END
};

static void removed(void *ctx, const char *digest, int64_t size)
{
	char human[32];

	bk_buf_printf(ctx, "%s %s\n", digest, bk_num_human((uint64_t)size, human, sizeof(human)));
}

static int wait_of(const char *text, int *ret_ms, struct bk_err **err)
{
	uint64_t ms;
	int rc = bk_num_duration_ms(text, &ms, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "--wait");
	if (ms > INT_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--wait '%s': at most %d days", text,
				  INT_MAX / 86400000);
	*ret_ms = ms > 0 ? (int)ms : -1;
	return 0;
}

static int run_gc(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct gc_opts *o = call->opts;
	struct store_gc_opts go = { .dry_run = o->dry_run, .all_layers = o->layers, .removed = removed, .ctx = &out };
	struct store_gc_result r;
	char freed[32], kept[32];
	int rc = o->grace ? bk_num_duration_ms(o->grace, &go.grace_ms, err) : 0;

	(void)ret_status;
	if (rc < 0)
		return bk_err_wrap(err, rc, "--grace");
	rc = o->wait ? wait_of(o->wait, &go.wait_ms, err) : 0;
	if (rc == 0)
		rc = cmd_open_store(call, STORE_WRITE, &s, err);
	if (rc == 0)
		rc = store_gc(s, &go, &r, err);
	if (rc == -BK_ERR_IO && err && bk_err_errno(*err) == EBUSY)
		rc = bk_err_hint(err, rc, "--wait DURATION waits longer for them");
	if (rc < 0 || o->quiet)
		return rc;
	bk_buf_printf(&out, "%s %" PRIu64 " blobs, %s; kept %" PRIu64 " blobs, %s\n",
		      o->dry_run ? "would remove" : "removed", r.removed,
		      bk_num_human(r.removed_bytes, freed, sizeof(freed)), r.kept,
		      bk_num_human(r.kept_bytes, kept, sizeof(kept)));
	if (r.layers_removed + r.layers_kept > 0)
		bk_buf_printf(&out, "%s %" PRIu64 " unpacked layers; kept %" PRIu64 "\n",
			      o->dry_run ? "would remove" : "removed", r.layers_removed, r.layers_kept);
	if (r.young > 0)
		bk_buf_printf(&out, "%" PRIu64 " of these are garbage younger than %s\n", r.young,
			      o->grace);
	return cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_gc = {
	.name = "gc",
	.synopsis = "",
	.help = "free what no image needs",
	.max_args = 0,
	.opts = gc_opts,
	.opts_size = sizeof(struct gc_opts),
	.run = run_gc,
};
