/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <signal.h>
#include <sys/sysmacros.h>

#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_transfer.h"
#include "codec/bk_json.h"
#include "layer/layer_diff.h"
#include "oci/oci_media.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_platform.h"

#define WARNINGS_MAX 20 /* shown one by one; the rest is counted */

static const struct {
	unsigned int bit;
	const char *name;
} words[] = {
	{ LAYER_CHANGE_TYPE, "type" },	     { LAYER_CHANGE_CONTENT, "content" }, { LAYER_CHANGE_SIZE, "size" },
	{ LAYER_CHANGE_TARGET, "target" },   { LAYER_CHANGE_DEVICE, "device" },	  { LAYER_CHANGE_MODE, "mode" },
	{ LAYER_CHANGE_OWNER, "owner" },     { LAYER_CHANGE_MTIME, "mtime" },	  { LAYER_CHANGE_XATTRS, "xattrs" },
};

struct printing {
	struct bk_buf out;
	bool json;
	uint64_t n;
};

static char letter_of(const struct layer_change *c)
{
	return !c->old ? 'A' : !c->new ? 'D' : 'C';
}

static int print_line(void *ctx, const struct layer_change *c, struct bk_err **err)
{
	struct printing *p = ctx;
	const char *before = " (";

	bk_buf_printf(&p->out, "%c /", letter_of(c));
	if (*c->path)
		cmd_out_text(&p->out, c->path);
	for (size_t i = 0; c->what && i < BK_ARRAY_SIZE(words); i++)
		if (c->what & words[i].bit) {
			bk_buf_printf(&p->out, "%s%s", before, words[i].name);
			before = ", ";
		}
	bk_buf_adds(&p->out, c->what ? ")\n" : "\n");
	return bk_buf_check(&p->out, "the output", err);
}

/* ---- JSON --------------------------------------------------------------------------------------- */

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	default:
		return "file";
	}
}

static void add_file(struct bk_buf *out, const char *name, const struct layer_file *f)
{
	const struct layer_attrs *a = &f->attrs;

	bk_buf_printf(out, ",\"%s\":{\"type\":\"%s\",\"uid\":%u,\"gid\":%u", name, type_name(a->mode),
		      a->uid, a->gid);
	if (!f->link)
		bk_buf_printf(out, ",\"mode\":\"%04o\"", (unsigned int)a->mode & 07777);
	if (!f->implied)
		bk_buf_printf(out, ",\"mtime\":\"%lld.%09ld\"", (long long)a->mtime.tv_sec,
			      a->mtime.tv_nsec);
	if (S_ISREG(a->mode))
		bk_buf_printf(out, ",\"size\":%" PRIu64, f->size);
	if (f->link) {
		bk_buf_adds(out, ",\"target\":");
		bk_json_quote(out, f->link);
	}
	if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		bk_buf_printf(out, ",\"device\":\"%u:%u\"", major(f->rdev), minor(f->rdev));
	for (size_t i = 0; i < a->n_xattrs; i++) {
		bk_buf_adds(out, i ? "," : ",\"xattrs\":[");
		bk_json_quote(out, a->xattrs[i].name);
	}
	bk_buf_adds(out, a->n_xattrs ? "]}" : "}");
}

static int print_object(void *ctx, const struct layer_change *c, struct bk_err **err)
{
	struct printing *p = ctx;
	bk_autofree char *path = bk_asprintf("/%s", c->path);
	const char *before = ",\"what\":[";

	bk_buf_printf(&p->out, "%s{\"change\":\"%c\",\"path\":", p->n++ ? ",\n" : "[", letter_of(c));
	bk_json_quote(&p->out, path);
	for (size_t i = 0; c->what && i < BK_ARRAY_SIZE(words); i++)
		if (c->what & words[i].bit) {
			bk_buf_printf(&p->out, "%s\"%s\"", before, words[i].name);
			before = ",";
		}
	if (c->what)
		bk_buf_addc(&p->out, ']');
	if (c->old)
		add_file(&p->out, "old", c->old);
	if (c->new)
		add_file(&p->out, "new", c->new);
	bk_buf_addc(&p->out, '}');
	return bk_buf_check(&p->out, "the output", err);
}

static int print_end(void *ctx, struct bk_err **err)
{
	struct printing *p = ctx;

	if (p->json)
		bk_buf_adds(&p->out, p->n ? "]\n" : "[]\n");
	/* Nobody who reads is an error like others: a process that is killed by a signal could not tell. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmd_out_flush(&p->out, err);
}

/* ---- the command -------------------------------------------------------------------------------- */

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

/* want: NULL for this machine's. */
static int open_image(const struct store *s, const char *name, const struct oci_platform *want,
		      const char *platform, struct store_image **ret, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	const struct oci_descriptor *best;
	struct oci_descriptor d;
	struct oci_index index;
	int rc;

	if (!want)
		return store_image_open(s, name, ret, err);
	rc = store_name_find(s, name, arena, &d, err);
	if (rc < 0)
		return rc;
	if (oci_media_kind_of(d.media_type) != OCI_MEDIA_KIND_INDEX)
		return store_image_open_desc(s, &d, ret, err);
	rc = store_manifests_read(s, &d, arena, &index, err);
	if (rc < 0)
		return rc;
	best = store_platform_choose(want, index.manifests, index.n_manifests);
	if (!best)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "it has no image for %s", platform);
	if (oci_media_kind_of(best->media_type) == OCI_MEDIA_KIND_INDEX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "its image for %s is an index itself: name that by its digest", platform);
	return store_image_open_desc(s, best, ret, err);
}

static int open_images(const struct store *s, const struct bk_cli_call *call, const char *platform,
		       struct store_image *images[2], struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_platform want;
	int rc = platform ? store_platform_parse(platform, arena, &want, err) : 0;

	if (rc < 0)
		return bk_err_wrap(err, rc, "--platform");
	for (int i = 0; i < 2; i++) {
		rc = open_image(s, call->args[i], platform ? &want : NULL, platform, &images[i], err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "image '%s'", call->args[i]);
	}
	return 0;
}

int cmd_diff_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autostore struct store *s = NULL;
	const struct cmd_diff_opts *o = call->opts;
	struct printing p = { .out = BK_BUF_INIT(CMD_OUT_MAX), .json = o->json };
	struct warnings w = { .log = call->log };
	struct layer_opts lo = {
		.warn = warn,
		.ctx = &w,
	};
	const struct layer_diff_sink sink = {
		.visit = o->json ? print_object : print_line,
		.end = print_end,
		.ctx = &p,
	};
	struct store_image *images[2] = { NULL, NULL };
	uint64_t n = 0;
	int rc = cmd_bounds_read(&o->bounds, &lo, err);

	if (rc == 0)
		rc = cmd_open_store(call, 0, &s, err);
	if (rc == 0)
		rc = open_images(s, call, o->platform, images, err);
	if (rc == 0)
		rc = layer_diff(s, images[0], images[1], &lo, &sink, &n, err);
	if (w.n > WARNINGS_MAX)
		bk_log_msg(call->log, BK_LOG_WARNING, "%llu more of these",
			   (unsigned long long)(w.n - WARNINGS_MAX));
	for (int i = 0; i < 2; i++)
		store_image_free(images[i]);
	bk_buf_done(&p.out);
	if (rc == 0 && o->exit_code && n > 0)
		*ret_status = 1;
	return rc;
}
