/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_format.h"
#include "cmd/cmd_out.h"
#include "codec/bk_json.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"

#define LABEL_WIDTH 12

struct inspect_opts {
	bool json;
	bool raw;
	bool config;
	const char *format;
};

static const struct bk_cli_opt inspect_opts[] = {
	{ "format", 'f', BK_CLI_STR, offsetof(struct inspect_opts, format), "TEMPLATE",
	  "print by a template over the object of --json, as {{.Digest}}", 0, NULL },
	{ "json", 'j', BK_CLI_FLAG, offsetof(struct inspect_opts, json), NULL,
	  "print name, digest, manifest and configuration as one object", 0, NULL },
	{ "raw", 0, BK_CLI_FLAG, offsetof(struct inspect_opts, raw), NULL,
	  "print the manifest (or index) that the name stands for, byte for byte", 0, NULL },
	{ "config", 0, BK_CLI_FLAG, offsetof(struct inspect_opts, config), NULL,
	  "print the image configuration, byte for byte", 0, NULL },
	BK_CLI_END
};

static void label(struct bk_buf *out, const char *name)
{
	bk_buf_printf(out, "%-*s ", LABEL_WIDTH, name);
}

static void line(struct bk_buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	label(out, name);
	cmd_out_text(out, value);
	bk_buf_addc(out, '\n');
}

/* Words as a list that shows where each ends. */
static void words(struct bk_buf *out, const char *name, char *const *v)
{
	if (!v || !*v)
		return;
	label(out, name);
	for (char *const *p = v; *p; p++) {
		if (p > v)
			bk_buf_addc(out, ' ');
		bk_json_quote(out, *p);
	}
	bk_buf_addc(out, '\n');
}

/* One a line, the name before the first. */
static void each(struct bk_buf *out, const char *name, char *const *v)
{
	for (; v && *v; v++) {
		label(out, name);
		cmd_out_text(out, *v);
		bk_buf_addc(out, '\n');
		name = "";
	}
}

static void print_exec(const struct oci_image_exec *e, struct bk_buf *out)
{
	words(out, "Entrypoint", e->entrypoint);
	words(out, "Cmd", e->cmd);
	line(out, "User", e->user);
	line(out, "WorkingDir", e->working_dir);
	line(out, "StopSignal", e->stop_signal);
	each(out, "Env", e->env);
	each(out, "Ports", e->exposed_ports);
	each(out, "Volumes", e->volumes);
	for (size_t i = 0; i < e->n_labels; i++) {
		label(out, i == 0 ? "Labels" : "");
		cmd_out_text(out, e->labels[i].key);
		bk_buf_addc(out, '=');
		cmd_out_text(out, e->labels[i].value);
		bk_buf_addc(out, '\n');
	}
}

static void print_layers(const struct store_image *i, struct bk_buf *out)
{
	char human[32];

	for (size_t k = 0; k < i->manifest.n_layers; k++) {
		const struct oci_descriptor *d = &i->manifest.layers[k];

		label(out, k == 0 ? "Layers" : "");
		bk_buf_printf(out, "%s %s ", d->digest,
			      bk_num_human((uint64_t)d->size, human, sizeof(human)));
		cmd_out_text(out, d->media_type);
		bk_buf_addc(out, '\n');
	}
	for (size_t k = 0; k < i->config.n_history; k++) {
		const struct oci_image_history *h = &i->config.history[k];

		label(out, k == 0 ? "History" : "");
		cmd_out_text(out, h->created_by ? h->created_by : h->comment);
		bk_buf_adds(out, h->empty_layer ? " (no layer)\n" : "\n");
	}
}

static void print_table(const struct store_image *i, const struct oci_descriptor *named,
			struct bk_buf *out)
{
	const struct oci_image_config *c = &i->config;
	uint64_t size = (uint64_t)i->desc.size + (uint64_t)i->manifest.config->size;
	char human[32];

	for (size_t k = 0; k < i->manifest.n_layers; k++)
		size += (uint64_t)i->manifest.layers[k].size;
	line(out, "Name", i->name);
	line(out, "Digest", named->digest);
	if (!bk_streq(named->digest, i->desc.digest))
		line(out, "Manifest", i->desc.digest);
	line(out, "MediaType", named->media_type);
	line(out, "ID", i->manifest.config->digest);
	label(out, "Platform");
	cmd_out_text(out, c->os);
	bk_buf_addc(out, '/');
	cmd_out_text(out, c->architecture);
	if (c->variant) {
		bk_buf_addc(out, '/');
		cmd_out_text(out, c->variant);
	}
	bk_buf_addc(out, '\n');
	line(out, "Created", c->created);
	line(out, "Author", c->author);
	line(out, "Size", bk_num_human(size, human, sizeof(human)));
	if (c->config)
		print_exec(c->config, out);
	print_layers(i, out);
}

/* Documents were parsed before: their text is JSON, and can stand in JSON. */
static void print_json(const struct store_image *i, const struct oci_descriptor *named,
		       const struct bk_buf *manifest, const struct bk_buf *config,
		       struct bk_buf *out)
{
	bk_buf_adds(out, "{\"name\":");
	if (i->name)
		bk_json_quote(out, i->name);
	else
		bk_buf_adds(out, "null");
	bk_buf_adds(out, ",\"digest\":");
	bk_json_quote(out, named->digest);
	bk_buf_adds(out, ",\"mediaType\":");
	bk_json_quote(out, named->media_type);
	bk_buf_adds(out, ",\"id\":");
	bk_json_quote(out, i->manifest.config->digest);
	bk_buf_adds(out, ",\"manifestDigest\":");
	bk_json_quote(out, i->desc.digest);
	bk_buf_adds(out, ",\"layers\":[");
	for (size_t k = 0; k < i->manifest.n_layers; k++) {
		bk_buf_adds(out, k > 0 ? "," : "");
		bk_json_quote(out, i->manifest.layers[k].digest);
	}
	bk_buf_adds(out, "],\"manifest\":");
	bk_buf_add(out, manifest->data, manifest->len);
	bk_buf_adds(out, ",\"config\":");
	bk_buf_add(out, config->data, config->len);
	bk_buf_adds(out, "}\n");
}

/* The template over the object that --json prints; a line of its own. */
static int print_format(const char *format, const struct bk_buf *json, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_doc_value v;
	int rc = bk_buf_check(json, "the image's documents", err);

	if (rc == 0)
		rc = bk_json_parse("the image's documents", json->data, json->len,
				   &bk_doc_limits_oci, arena, &v, err);
	if (rc == 0)
		rc = cmd_format(format, &v, &out, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "--format");
	bk_buf_addc(&out, '\n');
	return cmd_out_flush(&out, err);
}

static int run_inspect(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf manifest = BK_BUF_INIT(STORE_MANIFEST_MAX);
	bk_autobuf struct bk_buf config = BK_BUF_INIT(STORE_CONFIG_MAX);
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostoreimage struct store_image *image = NULL;
	bk_autostore struct store *s = NULL;
	const struct inspect_opts *o = call->opts;
	struct oci_descriptor named;
	int rc;

	(void)ret_status;
	if (o->json + o->raw + o->config + (o->format != NULL) > 1)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--format, --json, --raw and --config exclude each other");
	rc = cmd_open_store(call, 0, &s, err);
	if (rc == 0)
		rc = store_name_find(s, call->args[0], arena, &named, err);
	if (rc < 0)
		return rc;
	if (o->raw) {
		rc = store_blob_read(s, &named, &manifest, err);
		return rc < 0 ? rc : cmd_out_flush(&manifest, err);
	}
	rc = store_image_open(s, call->args[0], &image, err);
	if (rc == 0)
		rc = store_blob_read(s, &image->desc, &manifest, err);
	if (rc == 0)
		rc = store_blob_read(s, image->manifest.config, &config, err);
	if (rc < 0)
		return rc;
	if (o->config)
		return cmd_out_flush(&config, err);
	if (o->json || o->format)
		print_json(image, &named, &manifest, &config, &out);
	if (o->format)
		return print_format(o->format, &out, err);
	if (!o->json)
		print_table(image, &named, &out);
	return cmd_out_flush(&out, err);
}

const struct bk_cli_cmd cmd_inspect = {
	.name = "inspect",
	.synopsis = "NAME",
	.help = "show an image",
	.min_args = 1,
	.max_args = 1,
	.opts = inspect_opts,
	.opts_size = sizeof(struct inspect_opts),
	.run = run_inspect,
};
