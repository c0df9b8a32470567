/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "codec/bk_json.h"
#include "store/store_gc.h"
#include "store/store_index.h"

struct df_opts {
	bool json;
	bool no_header;
};

static const struct bk_cli_opt df_opts[] = {
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct df_opts, json), NULL, "print an object", 0,
	  NULL },
	{ "no-header", 0, BK_CLI_FLAG, offsetof(struct df_opts, no_header), NULL,
	  "no line of column names", 0, NULL },
	BK_CLI_END
};

struct usage {
	uint64_t images;
	uint64_t blobs, bytes;		 /* all of them */
	uint64_t garbage, garbage_bytes; /* of these */
};

static const struct bk_doc_field usage_fields[] = {
	BK_DOC_NUM_F(struct usage, images, "images", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct usage, blobs, "blobs", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct usage, bytes, "bytes", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct usage, garbage, "garbage", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct usage, garbage_bytes, "garbageBytes", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_END
};
static const struct bk_doc_type usage_type = BK_DOC_TYPE(struct usage, usage_fields);

static void add_row(struct cmd_table *t, const char *what, uint64_t count, uint64_t bytes,
		    uint64_t free_bytes)
{
	char size[32], reclaimable[32];

	cmd_table_text(t, what);
	cmd_table_add(t, bk_asprintf("%" PRIu64, count));
	cmd_table_text(t, bk_num_human(bytes, size, sizeof(size)));
	cmd_table_text(t, bk_num_human(free_bytes, reclaimable, sizeof(reclaimable)));
}

static void print_table(const struct usage *u, bool header, struct bk_buf *out)
{
	static const char *const names[] = { "TYPE", "COUNT", "SIZE", "RECLAIMABLE" };
	cmd_autotable struct cmd_table t = { .columns = BK_ARRAY_SIZE(names) };

	if (header)
		cmd_table_names(&t, names);
	add_row(&t, "images", u->images, u->bytes - u->garbage_bytes, 0);
	add_row(&t, "blobs", u->blobs, u->bytes, u->garbage_bytes);
	cmd_table_print(&t, out);
}

static int run_df(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct df_opts *o = call->opts;
	const struct store_gc_opts all = { 0 };
	struct store_gc_result gc = { 0 };
	struct oci_index index = { 0 };
	struct usage u = { 0 };
	int rc = cmd_open_store(call, 0, &s, err);

	(void)ret_status;
	if (rc == 0)
		rc = store_index_read(s, arena, &index, err);
	if (rc == 0)
		rc = store_gc_count(s, &all, &gc, err);
	if (rc < 0)
		return rc;
	u.images = index.n_manifests;
	u.blobs = gc.kept + gc.removed;
	u.bytes = gc.kept_bytes + gc.removed_bytes;
	u.garbage = gc.removed;
	u.garbage_bytes = gc.removed_bytes;
	if (o->json)
		rc = bk_json_encode(&usage_type, &u, BK_JSON_PRETTY | BK_JSON_NEWLINE, &out, err);
	else
		print_table(&u, !o->no_header, &out);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_df = {
	.name = "df",
	.synopsis = "",
	.help = "show what the store takes, and what gc would free",
	.max_args = 0,
	.opts = df_opts,
	.opts_size = sizeof(struct df_opts),
	.run = run_df,
};
