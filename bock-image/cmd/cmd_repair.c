/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bk_map.h"
#include "base/bk_str.h"
#include "cmd/cmd_fsck.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_registry.h"
#include "store/store_blob.h"
#include "store/store_fsck.h"
#include "store/store_gc.h"
#include "store/store_index.h"
#include "store/store_repair.h"

#define PASSES_MAX 8 /* an index, what it leads to, ... (STORE_NESTING_MAX), and once more */

/* A blob to fetch, or an index whose images to fetch (none), and where from. */
struct wanted {
	struct oci_descriptor d;
	const char *image, *source; /* NULL: not known */
	const char *what;
	bool none;
};

struct repair {
	struct cmd_registry c;
	const struct bk_cli_call *call;
	const struct cmd_fsck_opts *o;
	struct store *s;
	struct bk_arena *arena;
	struct wanted *wanted; /* of this pass */
	size_t n_wanted;
	char **damaged;	      /* strv of digests that nothing need lead to */
	struct bk_map *tried; /* digest and source */
	struct bk_map *done;  /* digests */
	char **repaired;      /* strv of digests */
};

/* Its address is every value of the maps. */
static char present;

static void say(const struct repair *r, const char *text)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);

	if (r->o->quiet || r->o->json)
		return;
	cmd_out_text(&out, text);
	bk_buf_addc(&out, '\n');
	(void)cmd_out_flush(&out, NULL);
}

static void told(void *ctx, const char *what)
{
	say(ctx, what);
}

/* "registry/repository" that the image of this entry comes from: as noted by pull, or as its name has it. */
static const char *source_of(struct repair *r, const struct oci_descriptor *root)
{
	const char *noted = bk_doc_pair_get(root->annotations, root->n_annotations, STORE_SOURCE);
	const char *name = store_index_name(root);
	bk_autoref struct ref ref = REF_INIT;
	bk_autofree char *source = NULL;

	if (noted)
		return bk_arena_strdup(r->arena, noted);
	/* A name that was typed without a registry says nothing of one. */
	if (!name || ref_parse(name, &ref, NULL) < 0 || !bk_skip_prefix(name, ref.domain))
		return NULL;
	source = bk_asprintf("%s/%s", ref.domain, ref.path);
	return bk_arena_strdup(r->arena, source);
}

static void add(void *ctx, const struct store_fsck_problem *p)
{
	struct repair *r = ctx;
	struct wanted *w;

	if (p->kind == STORE_FSCK_OTHER)
		return;
	if (!p->blob) {
		bk_strv_add(&r->damaged, p->digest);
		return;
	}
	r->wanted = bk_arena_grow(r->arena, r->wanted, r->n_wanted, sizeof(*r->wanted));
	w = &r->wanted[r->n_wanted++];
	*w = (struct wanted){
		.image = bk_arena_strdup(r->arena, p->image),
		.source = source_of(r, p->root),
		.what = bk_arena_strdup(r->arena, p->what),
		.none = p->kind == STORE_FSCK_NONE,
		.d.media_type = bk_arena_strdup(r->arena, p->blob->media_type),
		.d.digest = bk_arena_strdup(r->arena, p->blob->digest),
		.d.size = p->blob->size,
	};
	for (char **u = p->blob->urls; u && *u; u++)
		bk_doc_strv_add(r->arena, &w->d.urls, *u);
}

/* From one place. */
static int fetch_from(struct repair *r, const struct registry_endpoint *e, const struct wanted *w,
		      struct bk_err **err)
{
	const struct registry_pull_opts po = { .platform = NULL };
	bk_autostrv char **added = NULL;
	struct oci_descriptor top, image;
	struct registry *reg;
	int rc = registry_open_endpoint(r->c.client, e->domain, e->insecure, &reg, err);

	if (rc < 0)
		return rc;
	if (w->none)
		return registry_pull(reg, e->repo, w->d.digest, r->s, &po, r->arena, &top, &image,
				     &added, err);
	return registry_fetch_again(reg, e->repo, r->s, &w->d, NULL, err);
}

static int fetch(struct repair *r, const struct wanted *w, struct bk_err **err)
{
	struct registry_endpoint *e;
	bk_autoref struct ref ref = REF_INIT;
	size_t n;
	int rc = ref_parse(w->source, &ref, err);

	if (rc == 0)
		rc = registry_conf_resolve(r->c.conf, &ref, true, &e, &n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		bk_err_clear(err);
		rc = fetch_from(r, &e[i], w, err);
		if (rc == 0)
			return 0;
		if (i + 1 < n)
			rc = 0;
	}
	return rc;
}

/* One that fails is said, and the rest is done: *ret_some, whether any was repaired. */
static void fetch_one(struct repair *r, const struct wanted *w, bool *ret_some)
{
	bk_autofree char *key = bk_asprintf("%s %s", w->d.digest, w->source ? w->source : "");
	bk_autofree char *line = NULL;
	char text[BK_ERR_MSG_MAX];
	struct bk_err *why = NULL;

	if (bk_map_has(r->done, w->d.digest) || bk_map_has(r->tried, key))
		return;
	(void)bk_map_set(r->tried, key, &present);
	if (!w->source) {
		line = bk_asprintf(
			"image '%s': blob %s: not repaired: where it was pulled from is not known",
			w->image, w->d.digest);
	} else if (fetch(r, w, &why) < 0) {
		line = bk_asprintf("image '%s': blob %s: not repaired: %s", w->image, w->d.digest,
				   bk_err_print(why, text, sizeof(text)));
		bk_err_clear(&why);
	} else {
		(void)bk_map_set(r->done, w->d.digest, &present);
		bk_strv_add(&r->repaired, w->d.digest);
		line = bk_asprintf("image '%s': blob %s: repaired from %s", w->image, w->d.digest,
				   w->source);
		*ret_some = true;
	}
	say(r, line);
}

/* Whether a blob is known to be damaged that was not repaired yet: of one whose manifest was, too, nobody knew the source. */
static bool damaged_left(const struct repair *r)
{
	for (char **d = r->damaged; d && *d; d++)
		if (!bk_map_has(r->done, *d))
			return true;
	return false;
}

/* What a manifest that was lost leads to is only found when it is there again. */
static int passes(struct repair *r, struct bk_err **err)
{
	for (int i = 0; i < PASSES_MAX; i++) {
		/* Layers are read again only for those that the first time could not place. */
		const struct store_fsck_opts go = {
			.quick = r->o->quick || (i > 0 && !damaged_left(r)),
			.problem = add,
			.ctx = r,
		};
		struct store_fsck_result result;
		bool some = false;
		int rc;

		r->n_wanted = 0;
		r->wanted = NULL;
		rc = store_fsck(r->s, &go, &result, err);
		if (rc < 0)
			return rc;
		for (size_t k = 0; k < r->n_wanted; k++)
			fetch_one(r, &r->wanted[k], &some);
		if (!some)
			return 0;
	}
	return 0;
}

/* Damaged blobs that no image needs would be taken for whole by who comes to need them. */
static void discard(const struct repair *r)
{
	store_gc_discard(r->s, r->damaged);
	for (char **d = r->damaged; d && *d; d++)
		if (!bk_map_has(r->done, *d) && !store_blob_has(r->s, *d, -1)) {
			bk_autofree char *line =
				bk_asprintf("blob %s: damaged, needed by no image, removed", *d);

			say(r, line);
		}
}

static int repair(struct repair *r, int *ret_status, struct bk_err **err)
{
	int rc = cmd_registry_open(&r->c, r->call, &r->o->registry, err);

	if (rc == 0)
		rc = cmd_open_store(r->call, STORE_REPAIR, &r->s, err);
	if (rc == 0)
		rc = store_repair_index(r->s, told, r, err);
	if (rc == 0)
		rc = passes(r, err);
	if (rc < 0)
		return rc;
	discard(r);
	return cmd_fsck_check(r->s, r->o, r->repaired, ret_status, err);
}

int cmd_repair_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	struct repair r = { .call = call, .o = call->opts };
	int rc;

	if (!r.o->repair)
		return cmd_fsck_run(call, ret_status, err);
	r.arena = bk_arena_new();
	r.tried = bk_map_new(NULL);
	r.done = bk_map_new(NULL);
	rc = repair(&r, ret_status, err);
	store_close(r.s);
	cmd_registry_done(&r.c);
	bk_strv_free(r.damaged);
	bk_strv_free(r.repaired);
	bk_map_free(r.tried);
	bk_map_free(r.done);
	bk_arena_free(r.arena);
	return rc;
}
