/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "codec/bk_json.h"
#include "store/store_image.h"

#define BY_WIDTH 60 /* bytes of a step's text in the table, without --no-trunc */

struct history_opts {
	bool json;
	bool no_trunc;
	bool no_header;
};

static const struct bk_cli_opt history_opts[] = {
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct history_opts, json), NULL,
	  "print an array of objects", 0, NULL },
	{ "no-trunc", 0, BK_CLI_FLAG, offsetof(struct history_opts, no_trunc), NULL,
	  "print digests and steps in full", 0, NULL },
	{ "no-header", 0, BK_CLI_FLAG, offsetof(struct history_opts, no_header), NULL,
	  "no line of column names", 0, NULL },
	BK_CLI_END
};

/* A step, the newest first. */
struct row {
	char *created;
	char *created_by;
	char *comment;
	char *author;
	char *layer; /* digest of its blob; NULL for a step without */
	char *diff_id;
	uint64_t size;
	bool empty;
};

static const struct bk_doc_field row_fields[] = {
	BK_DOC_STR_F(struct row, created, "created", 0),
	BK_DOC_STR_F(struct row, created_by, "createdBy", 0),
	BK_DOC_STR_F(struct row, comment, "comment", 0),
	BK_DOC_STR_F(struct row, author, "author", 0),
	BK_DOC_STR_F(struct row, layer, "layer", 0),
	BK_DOC_STR_F(struct row, diff_id, "diffID", 0),
	BK_DOC_NUM_F(struct row, size, "size", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_BOOL_F(struct row, empty, "emptyLayer", 0),
	BK_DOC_END
};
static const struct bk_doc_type row_type = BK_DOC_TYPE(struct row, row_fields);

static void set_layer(const struct store_image *i, size_t at, struct row *row)
{
	row->layer = i->manifest.layers[at].digest;
	row->size = (uint64_t)i->manifest.layers[at].size;
	row->diff_id = i->config.rootfs->diff_ids[at];
}

/*
 * Steps with their layers, the oldest first. The history is optional, and may tell of fewer or more
 * layers than there are: a layer without a step is a row, a step without a layer has none.
 */
static struct row *make_rows(const struct store_image *i, struct bk_arena *arena, size_t *ret_n)
{
	const struct oci_image_config *c = &i->config;
	struct row *rows =
		bk_arena_alloc(arena, (c->n_history + i->manifest.n_layers + 1) * sizeof(*rows));
	size_t n = 0, layer = 0;

	for (size_t k = 0; k < c->n_history; k++) {
		const struct oci_image_history *h = &c->history[k];

		rows[n] = (struct row){
			.created = h->created,
			.created_by = h->created_by,
			.comment = h->comment,
			.author = h->author,
			.empty = h->empty_layer,
		};
		if (!h->empty_layer && layer < i->manifest.n_layers)
			set_layer(i, layer++, &rows[n]);
		n++;
	}
	for (; layer < i->manifest.n_layers; layer++)
		set_layer(i, layer, &rows[n++]);
	for (size_t k = 0; k < n / 2; k++) {
		const struct row swap = rows[k];

		rows[k] = rows[n - 1 - k];
		rows[n - 1 - k] = swap;
	}
	*ret_n = n;
	return rows;
}

static void print_table(const struct row *rows, size_t n, const struct history_opts *o,
			struct bk_buf *out)
{
	static const char *const names[] = { "CREATED", "LAYER", "SIZE", "CREATED BY", "COMMENT" };
	cmd_autotable struct cmd_table t = { .columns = BK_ARRAY_SIZE(names) };
	const size_t most = o->no_trunc ? CMD_OUT_MAX : BY_WIDTH;

	if (!o->no_header)
		cmd_table_names(&t, names);
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		char human[32];

		cmd_table_time(&t, r->created);
		if (o->no_trunc)
			cmd_table_text(&t, r->layer);
		else
			cmd_table_digest(&t, r->layer);
		cmd_table_text(&t, bk_num_human(r->size, human, sizeof(human)));
		cmd_table_cut(&t, r->created_by, most, "...");
		cmd_table_cut(&t, r->comment, most, "...");
	}
	cmd_table_print(&t, out);
}

static int run_history(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	const struct history_opts *o = call->opts;
	struct row *rows;
	size_t n;
	int rc = cmd_open_store(call, 0, &s, err);

	(void)ret_status;
	if (rc == 0)
		rc = store_image_open(s, call->args[0], &image, err);
	if (rc < 0)
		return rc;
	rows = make_rows(image, arena, &n);
	if (o->json)
		rc = bk_json_encode_array(&row_type, rows, n, BK_JSON_PRETTY | BK_JSON_NEWLINE,
					  &out, err);
	else
		print_table(rows, n, o, &out);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_history = {
	.name = "history",
	.synopsis = "NAME",
	.help = "show the steps that made an image",
	.min_args = 1,
	.max_args = 1,
	.opts = history_opts,
	.opts_size = sizeof(struct history_opts),
	.run = run_history,
};
