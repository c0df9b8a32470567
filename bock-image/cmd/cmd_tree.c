/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"

struct tree_opts {
	bool ascii;
	bool no_trunc;
};

static const struct bk_cli_opt tree_opts[] = {
	{ "ascii", 0, BK_CLI_FLAG, offsetof(struct tree_opts, ascii), NULL,
	  "draw with ASCII only (default where the locale is not UTF-8)", 0, NULL },
	{ "no-trunc", 0, BK_CLI_FLAG, offsetof(struct tree_opts, no_trunc), NULL,
	  "print digests in full", 0, NULL },
	BK_CLI_END
};

/* What the branches are drawn with. */
struct glyphs {
	const char *branch, *last, *down, *none;
};
static const struct glyphs utf8 = { "\xe2\x94\x9c\xe2\x94\x80 ", "\xe2\x94\x94\xe2\x94\x80 ",
				    "\xe2\x94\x82  ", "   " };
static const struct glyphs ascii = { "|- ", "`- ", "|  ", "   " };

struct drawing {
	const struct store *s;
	const struct tree_opts *opts;
	const struct glyphs *glyphs;
	struct bk_buf *out;
	char indent[(STORE_NESTING_MAX + 2) * 8];
};

/* As setlocale would find it, which a static program can't ask. */
static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < BK_ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
	}
	return false;
}

static void add_digest(const struct drawing *d, const char *digest)
{
	int len;
	const char *text = cmd_out_short(digest, &len);

	if (d->opts->no_trunc)
		cmd_out_text(d->out, digest);
	else
		bk_buf_printf(d->out, "%.*s", len, text);
}

/* "KIND DIGEST SIZE TYPE", without the end of the line. */
static void add_line(const struct drawing *d, bool last, const char *kind,
		     const struct oci_descriptor *desc)
{
	char human[32];

	bk_buf_adds(d->out, d->indent);
	bk_buf_adds(d->out, last ? d->glyphs->last : d->glyphs->branch);
	bk_buf_printf(d->out, "%s ", kind);
	add_digest(d, desc->digest);
	bk_buf_printf(d->out, "  %8s", bk_num_human((uint64_t)desc->size, human, sizeof(human)));
}

static const char *layer_kind(const char *media_type)
{
	switch (oci_media_compression_of(media_type)) {
	case OCI_MEDIA_GZIP:
		return "gzip";
	case OCI_MEDIA_ZSTD:
		return "zstd";
	case OCI_MEDIA_PLAIN:
		break;
	}
	return oci_media_kind_of(media_type) == OCI_MEDIA_KIND_LAYER ? "tar" : media_type;
}

/* The n-th step of the history that made a layer; NULL where it doesn't tell. */
static const char *made_by(const struct oci_image_config *c, size_t n)
{
	for (size_t i = 0; c && i < c->n_history; i++)
		if (!c->history[i].empty_layer && n-- == 0)
			return c->history[i].created_by;
	return NULL;
}

static void end_line(const struct drawing *d, const struct oci_descriptor *desc)
{
	if (!store_blob_has(d->s, desc->digest, desc->size))
		bk_buf_adds(d->out, "  (not in the store)");
	bk_buf_addc(d->out, '\n');
}

static void draw_manifest(const struct drawing *d, const struct oci_manifest *m,
			  struct bk_arena *arena)
{
	struct oci_image_config config, *known = NULL;

	if (oci_media_kind_of(m->config->media_type) == OCI_MEDIA_KIND_CONFIG &&
	    store_config_read(d->s, m->config, arena, &config, NULL) == 0)
		known = &config;
	add_line(d, m->n_layers == 0, "config", m->config);
	if (!known) {
		bk_buf_adds(d->out, "  ");
		cmd_out_text(d->out, m->config->media_type);
	}
	end_line(d, m->config);
	for (size_t i = 0; i < m->n_layers; i++) {
		const char *by = made_by(known, i);

		add_line(d, i + 1 == m->n_layers, "layer ", &m->layers[i]);
		bk_buf_adds(d->out, "  ");
		cmd_out_text(d->out, layer_kind(m->layers[i].media_type));
		if (by && *by) {
			bk_buf_adds(d->out, "  ");
			cmd_out_text(d->out, by);
		}
		end_line(d, &m->layers[i]);
	}
}

static void add_platform(struct bk_buf *out, const struct oci_platform *p)
{
	bk_buf_adds(out, "  ");
	cmd_out_text(out, p->os);
	bk_buf_addc(out, '/');
	cmd_out_text(out, p->architecture);
	if (p->variant) {
		bk_buf_addc(out, '/');
		cmd_out_text(out, p->variant);
	}
}

static int draw(struct drawing *d, const struct oci_descriptor *desc, unsigned int depth,
		struct bk_err **err);

static int draw_index(struct drawing *d, const struct oci_index *index, unsigned int depth,
		      struct bk_err **err)
{
	const size_t len = strlen(d->indent);

	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct oci_descriptor *m = &index->manifests[i];
		bool last = i + 1 == index->n_manifests;
		int rc = 0;

		add_line(d, last,
			 oci_media_kind_of(m->media_type) == OCI_MEDIA_KIND_INDEX ? "index"
										  : "manifest",
			 m);
		if (m->platform)
			add_platform(d->out, m->platform);
		end_line(d, m);
		(void)snprintf(d->indent + len, sizeof(d->indent) - len, "%s",
			       last ? d->glyphs->none : d->glyphs->down);
		if (store_blob_has(d->s, m->digest, m->size))
			rc = draw(d, m, depth + 1, err);
		d->indent[len] = '\0';
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What is below a descriptor whose own line is there. */
static int draw(struct drawing *d, const struct oci_descriptor *desc, unsigned int depth,
		struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum oci_media_kind kind = oci_media_kind_of(desc->media_type);
	struct oci_manifest m;
	struct oci_index index;
	int rc;

	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
				  STORE_NESTING_MAX);
	if (kind == OCI_MEDIA_KIND_INDEX) {
		rc = store_manifests_read(d->s, desc, arena, &index, err);
		return rc < 0 ? rc : draw_index(d, &index, depth, err);
	}
	if (kind != OCI_MEDIA_KIND_MANIFEST)
		return 0;
	rc = store_manifest_read(d->s, desc, arena, &m, err);
	if (rc == 0)
		draw_manifest(d, &m, arena);
	return rc;
}

static int draw_image(struct drawing *d, const struct oci_descriptor *desc, struct bk_err **err)
{
	const char *name = store_index_name(desc);

	if (name) {
		cmd_out_text(d->out, name);
		bk_buf_adds(d->out, "  ");
	}
	add_digest(d, desc->digest);
	if (desc->platform)
		add_platform(d->out, desc->platform);
	bk_buf_addc(d->out, '\n');
	return draw(d, desc, 0, err);
}

static int run_tree(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autostore struct store *s = NULL;
	const struct tree_opts *o = call->opts;
	struct drawing d = {
		.opts = o,
		.glyphs = o->ascii || !locale_is_utf8() ? &ascii : &utf8,
		.out = &out,
	};
	struct oci_index index = { 0 };
	struct oci_descriptor one;
	int rc = cmd_open_store(call, 0, &s, err);

	(void)ret_status;
	if (rc < 0)
		return rc;
	d.s = s;
	if (call->n_args == 0)
		rc = store_index_read(s, arena, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		rc = draw_image(&d, &index.manifests[i], err);
	for (int i = 0; rc == 0 && i < call->n_args; i++) {
		rc = store_name_find(s, call->args[i], arena, &one, err);
		if (rc == 0)
			rc = draw_image(&d, &one, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "image '%s'", call->args[i]);
	}
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_tree = {
	.name = "tree",
	.synopsis = "[NAME...]",
	.help = "draw what images consist of",
	.max_args = -1,
	.opts = tree_opts,
	.opts_size = sizeof(struct tree_opts),
	.run = run_tree,
};
