/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/bk_num.h"
#include "cmd/cmd.h"
#include "cmd/cmd_fsck.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_transfer.h"
#include "codec/bk_json.h"
#include "store/store_fsck.h"
#include "store/store_gc.h"

struct problem {
	char *image;
	char *digest;
	char *what;
};

static const struct bk_doc_field problem_fields[] = {
	BK_DOC_STR_F(struct problem, image, "image", 0),
	BK_DOC_STR_F(struct problem, digest, "digest", 0),
	BK_DOC_STR_F(struct problem, what, "problem", 0), BK_DOC_END
};
static const struct bk_doc_type problem_type = BK_DOC_TYPE(struct problem, problem_fields);

struct report {
	uint64_t images, blobs, bytes, layers, garbage, garbage_bytes;
	struct problem *problems;
	size_t n_problems;
	char **repaired;
	struct bk_arena *arena;
};

static const struct bk_doc_field report_fields[] = {
	BK_DOC_NUM_F(struct report, images, "images", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct report, blobs, "blobs", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct report, bytes, "bytes", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct report, layers, "unpackedLayers", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct report, garbage, "garbage", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct report, garbage_bytes, "garbageBytes", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_STRV_F(struct report, repaired, "repaired", 0),
	BK_DOC_OBJV_F(struct report, problems, n_problems, "problems", BK_DOC_ALWAYS, problem_type),
	BK_DOC_END
};
static const struct bk_doc_type report_type = BK_DOC_TYPE(struct report, report_fields);

static char *copy0(struct bk_arena *arena, const char *s)
{
	return s ? bk_arena_strdup(arena, s) : NULL;
}

static void add_problem(void *ctx, const struct store_fsck_problem *p)
{
	struct report *r = ctx;

	r->problems = bk_arena_grow(r->arena, r->problems, r->n_problems, sizeof(*r->problems));
	r->problems[r->n_problems++] = (struct problem){
		.image = copy0(r->arena, p->image),
		.digest = copy0(r->arena, p->digest),
		.what = copy0(r->arena, p->what),
	};
}

static void print_text(const struct report *r, struct bk_buf *out)
{
	char all[32], garbage[32];

	for (size_t i = 0; i < r->n_problems; i++) {
		const struct problem *p = &r->problems[i];

		if (p->image) {
			bk_buf_adds(out, "image '");
			cmd_out_text(out, p->image);
			bk_buf_adds(out, p->digest ? "': " : "'");
		}
		if (p->digest)
			bk_buf_printf(out, "blob %s", p->digest);
		if (p->image || p->digest)
			bk_buf_adds(out, ": ");
		cmd_out_text(out, p->what);
		bk_buf_addc(out, '\n');
	}
	bk_buf_printf(out, "%" PRIu64 " images, %" PRIu64 " blobs, %s: %zu problems\n", r->images,
		      r->blobs, bk_num_human(r->bytes, all, sizeof(all)), r->n_problems);
	if (r->layers > 0)
		bk_buf_printf(out, "%" PRIu64 " unpacked layers\n", r->layers);
	if (r->garbage > 0)
		bk_buf_printf(out, "%" PRIu64 " blobs, %s, are garbage (see gc)\n", r->garbage,
			      bk_num_human(r->garbage_bytes, garbage, sizeof(garbage)));
}

/* In a store whose documents are damaged nobody can tell what is garbage: then it is not counted. */
static void count_garbage(const struct store *s, struct report *r)
{
	const struct store_gc_opts all = { 0 };
	struct store_gc_result gc;

	if (store_gc_count(s, &all, &gc, NULL) == 0) {
		r->garbage = gc.removed;
		r->garbage_bytes = gc.removed_bytes;
	}
}

int cmd_fsck_check(const struct store *s, const struct cmd_fsck_opts *o, char **repaired,
		   int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	struct report r = { .arena = arena, .repaired = repaired };
	const struct store_fsck_opts go = { .quick = o->quick, .problem = add_problem, .ctx = &r };
	struct store_fsck_result result;
	int rc = store_fsck(s, &go, &result, err);

	if (rc < 0)
		return rc;
	*ret_status = result.problems ? 1 : 0;
	if (o->quiet)
		return 0;
	r.images = result.images;
	r.blobs = result.blobs;
	r.bytes = result.bytes;
	r.layers = result.layers;
	count_garbage(s, &r);
	if (o->json)
		rc = bk_json_encode(&report_type, &r, BK_JSON_PRETTY | BK_JSON_NEWLINE, &out, err);
	else
		print_text(&r, &out);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}

int cmd_fsck_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autostore struct store *s = NULL;
	int rc = cmd_open_store(call, 0, &s, err);

	return rc < 0 ? rc : cmd_fsck_check(s, call->opts, NULL, ret_status, err);
}
