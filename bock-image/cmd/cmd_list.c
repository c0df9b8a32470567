/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "codec/bk_json.h"
#include "oci/oci_media.h"
#include "store/store_facts.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_referrers.h"

struct list_opts {
	bool json;
	bool quiet;
	bool no_header;
};

static const struct bk_cli_opt list_opts[] = {
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct list_opts, json), NULL,
	  "print an array of objects", 0, NULL },
	{ "quiet", 'q', BK_CLI_FLAG, offsetof(struct list_opts, quiet), NULL, "print digests only",
	  0, NULL },
	{ "no-header", 0, BK_CLI_FLAG, offsetof(struct list_opts, no_header), NULL,
	  "no line of column names", 0, NULL },
	BK_CLI_END
};

/* A row, and an object of --json. */
struct row {
	char *name;
	char *digest;
	char *media_type;
	char *id; /* of the configuration: Docker's image ID */
	char *platform;
	char *created;
	uint64_t size; /* of all its blobs */
	char *problem; /* why the image can't be read */
};

static const struct bk_doc_field row_fields[] = {
	BK_DOC_STR_F(struct row, name, "name", BK_DOC_ALWAYS | BK_DOC_NULL),
	BK_DOC_STR_F(struct row, digest, "digest", 0),
	BK_DOC_STR_F(struct row, media_type, "mediaType", 0),
	BK_DOC_STR_F(struct row, id, "id", 0),
	BK_DOC_STR_F(struct row, platform, "platform", 0),
	BK_DOC_STR_F(struct row, created, "created", 0),
	BK_DOC_NUM_F(struct row, size, "size", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_STR_F(struct row, problem, "problem", 0),
	BK_DOC_END
};
static const struct bk_doc_type row_type = BK_DOC_TYPE(struct row, row_fields);

static char *platform_text(struct bk_arena *arena, const struct oci_image_config *c)
{
	return bk_arena_printf(arena, "%s/%s%s%s", c->os, c->architecture, c->variant ? "/" : "",
			       c->variant ? c->variant : "");
}

/* What is attached to an image is listed by `referrers`. */
static bool is_attached(const struct oci_descriptor *d)
{
	return !store_index_name(d) && d->artifact_type &&
	       oci_media_kind_of(d->artifact_type) != OCI_MEDIA_KIND_CONFIG;
}

/* A manifest that is no image's: its type stands in place of a platform. */
static bool fill_artifact(const struct store *s, const struct oci_descriptor *d,
			  struct bk_arena *arena, struct row *row)
{
	struct oci_descriptor described;
	const char *subject;
	struct oci_manifest m;

	if (store_manifest_read(s, d, arena, &m, NULL) < 0 ||
	    oci_media_kind_of(m.config->media_type) == OCI_MEDIA_KIND_CONFIG ||
	    store_referrer_read(s, d, arena, &described, &subject, NULL) < 0)
		return false;
	row->platform = described.artifact_type;
	row->size = (uint64_t)d->size + (uint64_t)m.config->size;
	for (size_t i = 0; i < m.n_layers; i++)
		row->size += (uint64_t)m.layers[i].size;
	return true;
}

/* What its documents say; false: they are not an image's, or can't be read, and *why says so. */
static bool read_image(const struct store *s, const struct oci_descriptor *d, struct store_facts *facts,
		       struct bk_arena *arena, struct store_fact *ret, struct bk_err **why)
{
	bk_autostoreimage struct store_image *image = NULL;

	if (store_image_open_desc(s, d, &image, why) < 0)
		return false;
	*ret = (struct store_fact){
		.id = bk_arena_strdup(arena, image->manifest.config->digest),
		.platform = platform_text(arena, &image->config),
		.created = image->config.created ? bk_arena_strdup(arena, image->config.created) : NULL,
		.size = (uint64_t)image->desc.size + (uint64_t)image->manifest.config->size,
	};
	for (size_t i = 0; i < image->manifest.n_layers; i++)
		ret->size += (uint64_t)image->manifest.layers[i].size;
	store_facts_add(facts, d, image, ret);
	return true;
}

static void fill_row(const struct store *s, const struct oci_descriptor *d, struct store_facts *facts,
		     struct bk_arena *arena, struct row *row)
{
	const char *name = store_index_name(d);
	struct store_fact fact;
	struct bk_err *why = NULL;
	char text[BK_ERR_MSG_MAX];

	*row = (struct row){
		.name = name ? bk_arena_strdup(arena, name) : NULL,
		.digest = bk_arena_strdup(arena, d->digest),
		.media_type = bk_arena_strdup(arena, d->media_type),
	};
	if (!store_facts_find(facts, d, &fact) && !read_image(s, d, facts, arena, &fact, &why)) {
		if (!fill_artifact(s, d, arena, row))
			row->problem =
				bk_arena_strdup(arena, bk_err_print(why, text, sizeof(text)));
		bk_err_clear(&why);
		return;
	}
	row->id = fact.id;
	row->platform = fact.platform;
	row->created = fact.created;
	row->size = fact.size;
}

static void print_table(const struct row *rows, size_t n, bool header, struct bk_buf *out)
{
	static const char *const names[] = { "NAME", "DIGEST", "PLATFORM", "CREATED", "SIZE" };
	cmd_autotable struct cmd_table t = { .columns = BK_ARRAY_SIZE(names) };

	if (header)
		cmd_table_names(&t, names);
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		char human[32];

		cmd_table_text(&t, r->name ? r->name : "<none>");
		cmd_table_digest(&t, r->digest);
		cmd_table_text(&t, r->problem ? "damaged" : r->platform);
		cmd_table_time(&t, r->created);
		cmd_table_text(&t, r->problem ? NULL : bk_num_human(r->size, human, sizeof(human)));
	}
	cmd_table_print(&t, out);
}

/* Rows of what is an image or an artifact by itself; *ret_n of them. */
static struct row *make_rows(const struct store *s, const struct oci_index *index, struct store_facts *facts,
			     struct bk_arena *arena, size_t *ret_n)
{
	struct row *rows = bk_arena_alloc(arena, (index->n_manifests + 1) * sizeof(*rows));

	for (size_t i = 0; i < index->n_manifests; i++)
		if (!is_attached(&index->manifests[i]))
			fill_row(s, &index->manifests[i], facts, arena, &rows[(*ret_n)++]);
	return rows;
}

static void print_digests(const struct oci_index *index, struct bk_buf *out)
{
	for (size_t i = 0; i < index->n_manifests; i++)
		if (!is_attached(&index->manifests[i]))
			bk_buf_printf(out, "%s\n", index->manifests[i].digest);
}

static int print_rows(const struct list_opts *o, const struct row *rows, size_t n, struct bk_buf *out,
		      struct bk_err **err)
{
	if (o->json)
		return bk_json_encode_array(&row_type, rows, n, BK_JSON_PRETTY | BK_JSON_NEWLINE, out, err);
	print_table(rows, n, !o->no_header, out);
	return 0;
}

static int run_list(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	bk_autostorefacts struct store_facts *facts = NULL;
	const struct list_opts *o = call->opts;
	struct oci_index index = { 0 };
	struct bk_err *why = NULL;
	struct timespec now;
	struct row *rows;
	size_t n = 0;
	int rc = cmd_open_store(call, 0, &s, &why);

	(void)ret_status;
	/* A store that nobody has made yet is one without images. */
	if (rc == -BK_ERR_NOT_FOUND)
		bk_err_clear(&why);
	else if (rc < 0)
		bk_err_move(err, why);
	else
		rc = store_index_read(s, arena, &index, err);
	if (rc < 0 && rc != -BK_ERR_NOT_FOUND)
		return rc;
	rc = 0;
	if (o->quiet) {
		print_digests(&index, &out);
	} else if (s) {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		facts = store_facts_open(s, now);
		rows = make_rows(s, &index, facts, arena, &n);
		store_facts_save(facts);
		rc = print_rows(o, rows, n, &out, err);
	} else {
		rc = print_rows(o, NULL, 0, &out, err);
	}
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_list = {
	.name = "list",
	.synopsis = "",
	.help = "list images",
	.max_args = 0,
	.opts = list_opts,
	.opts_size = sizeof(struct list_opts),
	.run = run_list,
};

const struct bk_cli_cmd cmd_ls = {
	.name = "ls",
	.synopsis = "",
	.help = "the same as list",
	.max_args = 0,
	.opts = list_opts,
	.opts_size = sizeof(struct list_opts),
	.run = run_list,
};
