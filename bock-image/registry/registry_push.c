/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_push.h"

#include <string.h>

#include "base/bk_map.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "ref/ref.h"
#include "registry/registry_referrers.h"
#include "registry/registry_upload.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_platform.h"
#include "store/store_referrers.h"

struct push {
	struct registry *r;
	const char *repo;
	const struct store *s;
	const struct registry_push_opts *opts;
	struct bk_arena *arena;
	struct bk_map *seen;	/* digests that were collected, now or before */
	struct bk_map *sources; /* digest -> repository of the same registry, in the arena */
	struct registry_upload *blobs;
	struct oci_descriptor *manifests; /* each behind those that it leads to */
	size_t n_blobs, n_manifests;
};

/* ---- where blobs could be mounted from ---------------------------------------------------------- */

static void note_sources(struct push *p, const struct oci_descriptor *d, char *repo, unsigned int depth)
{
	struct oci_manifest m;
	struct oci_index index;

	if (depth > STORE_NESTING_MAX || !store_blob_has(p->s, d->digest, d->size))
		return;
	if (oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_INDEX) {
		if (store_manifests_read(p->s, d, p->arena, &index, NULL) < 0)
			return;
		for (size_t i = 0; i < index.n_manifests; i++)
			note_sources(p, &index.manifests[i], repo, depth + 1);
		return;
	}
	if (store_manifest_read(p->s, d, p->arena, &m, NULL) < 0)
		return;
	(void)bk_map_set(p->sources, m.config->digest, repo);
	for (size_t i = 0; i < m.n_layers; i++)
		(void)bk_map_set(p->sources, m.layers[i].digest, repo);
}

/* Other repositories of the registry whose images are here: it had their blobs once. */
static void find_sources(struct push *p)
{
	struct oci_index index;

	if (store_index_read(p->s, p->arena, &index, NULL) < 0)
		return;
	for (size_t i = 0; i < index.n_manifests; i++) {
		const char *name = store_index_name(&index.manifests[i]);
		bk_autoref struct ref ref = REF_INIT;

		if (name && ref_parse(name, &ref, NULL) == 0 &&
		    bk_streq(ref.domain, registry_domain(p->r)) && !bk_streq(ref.path, p->repo))
			note_sources(p, &index.manifests[i], bk_arena_strdup(p->arena, ref.path), 0);
	}
}

/* ---- what is to be sent -------------------------------------------------------------------------- */

/* d is the arena's. */
static void add_blob(struct push *p, const struct oci_descriptor *d)
{
	const char *from = p->opts->mount_from;

	if (bk_map_has(p->seen, d->digest))
		return;
	(void)bk_map_set(p->seen, d->digest, NULL);
	p->blobs = bk_arena_grow(p->arena, p->blobs, p->n_blobs, sizeof(*p->blobs));
	p->blobs[p->n_blobs++] = (struct registry_upload){
		.desc = d,
		.from = from ? from : bk_map_get(p->sources, d->digest),
	};
}

static void add_manifest(struct push *p, const struct oci_descriptor *d)
{
	p->manifests =
		bk_arena_grow(p->arena, p->manifests, p->n_manifests, sizeof(*p->manifests));
	p->manifests[p->n_manifests++] = *d;
}

static int collect(struct push *p, const struct oci_descriptor *d, unsigned int depth,
		   struct bk_err **err);

static int collect_index(struct push *p, const struct oci_descriptor *d, unsigned int depth,
			 struct bk_err **err)
{
	struct oci_index index;
	int rc = store_manifests_read(p->s, d, p->arena, &index, err);

	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
		const struct oci_descriptor *m = &index.manifests[i];

		rc = collect(p, m, depth + 1, err);
		if (rc == 0)
			add_manifest(p, m);
	}
	return rc;
}

/* All that d leads to, not d itself. */
static int collect(struct push *p, const struct oci_descriptor *d, unsigned int depth,
		   struct bk_err **err)
{
	struct oci_manifest m;
	int rc;

	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
				  STORE_NESTING_MAX);
	if (oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_INDEX)
		return collect_index(p, d, depth, err);
	rc = store_manifest_read(p->s, d, p->arena, &m, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < m.n_layers; i++)
		if (!oci_media_is_foreign(m.layers[i].media_type))
			add_blob(p, &m.layers[i]);
	add_blob(p, m.config);
	return 0;
}

/* ---- manifests ----------------------------------------------------------------------------------- */

/* What refers to another manifest is listed there, by the registry (OCI-Subject says so) or by us. */
static int note_subject(struct push *p, const struct oci_descriptor *d, const struct bk_buf *text,
			const struct bk_http_resp *resp, struct bk_err **err)
{
	struct oci_descriptor described;
	const char *subject = NULL;
	int rc = store_referrer_describe(d, bk_buf_str(text), text->len, p->arena, &described,
					 &subject, err);

	if (rc < 0 || !subject || bk_http_header(resp, "oci-subject"))
		return rc;
	return registry_referrers_tag_add(p->r, p->repo, subject, &described, err);
}

/* PUT of a manifest under reference; query: more of the URL, NULL: none. */
static int put_manifest(struct push *p, const struct oci_descriptor *d, const char *reference,
			const char *query, struct bk_http_resp *ret, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = p->repo, .actions = "pull,push" };
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	bk_autofree char *type = bk_asprintf("Content-Type: %s", d->media_type);
	bk_autofree char *path = bk_asprintf("/v2/%s/manifests/%s%s%s", p->repo, reference,
					     query ? "?" : "", query ? query : "");
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	char *const headers[] = { type, NULL };
	struct bk_http_req req = { .method = "PUT", .headers = headers };
	const char *said;
	int rc = store_blob_read(p->s, d, &text, err);

	if (rc < 0)
		return rc;
	req.body = text.data;
	req.body_len = text.len;
	rc = registry_do(p->r, &scope, path, &req, &resp, err);
	if (rc == 0 && resp.status != 201)
		rc = registry_failed(&resp, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "manifest '%s' of %s/%s", reference,
				   registry_domain(p->r), p->repo);
	said = bk_http_header(&resp, "docker-content-digest");
	if (said && !bk_streq(said, d->digest))
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "manifest '%s': the registry took it for %.150s, not %s", reference,
				  said, d->digest);
	rc = note_subject(p, d, &text, &resp, err);
	if (rc < 0)
		return rc;
	if (ret) {
		*ret = resp;
		resp = (struct bk_http_resp)BK_HTTP_RESP_INIT;
	}
	return 0;
}

/* What was collected, blobs first: a registry refuses a manifest of what it has not. */
static int send_collected(struct push *p, struct bk_err **err)
{
	const struct registry_upload_opts uo = {
		.repo = p->repo,
		.chunk = p->opts->chunk,
		.jobs = p->opts->jobs,
		.progress = p->opts->progress,
	};
	int rc = registry_upload(p->r, p->s, p->blobs, p->n_blobs, &uo, err);

	for (size_t i = 0; rc == 0 && i < p->n_manifests; i++)
		rc = put_manifest(p, &p->manifests[i], p->manifests[i].digest, NULL, NULL, err);
	p->n_blobs = p->n_manifests = 0;
	p->blobs = NULL;
	p->manifests = NULL;
	return rc;
}

/* ---- tags ---------------------------------------------------------------------------------------- */

static bool confirmed(const struct bk_http_resp *resp, const char *tag)
{
	for (char **h = resp->headers; h && *h; h++) {
		const char *value = bk_skip_prefix(*h, "oci-tag:");
		bk_autostrv char **tags = value ? bk_strv_split(value, ", \t") : NULL;

		if (bk_strv_has(tags, tag))
			return true;
	}
	return false;
}

/* Several tags by one request where the registry can (OCI-Tag says so), else one by one. */
static int put_tags(struct push *p, const struct oci_descriptor *d, char *const *tags,
		    struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	bk_autobuf struct bk_buf query = BK_BUF_INIT(BK_BUF_SMALL);
	size_t n = tags ? bk_strv_len(tags) : 0;
	int rc = 0;

	if (n == 0)
		return put_manifest(p, d, d->digest, NULL, NULL, err);
	for (size_t i = 0; n > 1 && i < n; i++)
		bk_buf_printf(&query, "%stag=%s", i ? "&" : "", tags[i]);
	if (n > 1)
		rc = put_manifest(p, d, d->digest, bk_buf_str(&query), &resp, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!confirmed(&resp, tags[i]))
			rc = put_manifest(p, d, tags[i], NULL, NULL, err);
	return rc;
}

/* ---- referrers ----------------------------------------------------------------------------------- */

static int collect_referrers(struct push *p, const struct oci_descriptor *d, unsigned int depth,
			     struct bk_err **err);

/* Those of one manifest or index. */
static int collect_referrers_of(struct push *p, const char *digest, unsigned int depth,
				struct bk_err **err)
{
	struct oci_descriptor *list;
	size_t n;
	int rc = store_referrers(p->s, digest, NULL, p->arena, &list, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (bk_map_has(p->seen, list[i].digest))
			continue;
		(void)bk_map_set(p->seen, list[i].digest, NULL);
		rc = collect(p, &list[i], 0, err);
		if (rc < 0)
			return rc;
		add_manifest(p, &list[i]);
		rc = collect_referrers(p, &list[i], depth + 1, err);
	}
	return rc;
}

/* What refers to d, or to a manifest of it. */
static int collect_referrers(struct push *p, const struct oci_descriptor *d, unsigned int depth,
			     struct bk_err **err)
{
	struct oci_index index;
	int rc;

	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "referrers of referrers, deeper than %d",
				  STORE_NESTING_MAX);
	rc = collect_referrers_of(p, d->digest, depth, err);
	if (rc < 0 || oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_INDEX)
		return rc;
	rc = store_manifests_read(p->s, d, p->arena, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		if (store_blob_has(p->s, index.manifests[i].digest, -1))
			rc = collect_referrers(p, &index.manifests[i], depth + 1, err);
	return rc;
}

/* ---- what of an index ---------------------------------------------------------------------------- */

static int choose_platform(const struct store *s, const struct oci_index *index,
			   const struct oci_platform *platform, struct bk_arena *arena,
			   struct oci_descriptor *ret, struct bk_err **err)
{
	const struct oci_descriptor *best =
		store_platform_choose(platform, index->manifests, index->n_manifests);
	bk_autofree char *text = store_platform_text(platform);

	if (!best || !store_blob_has(s, best->digest, best->size))
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "its image for %s is not in the store",
				  text);
	return registry_push_choose(s, best, platform, arena, ret, err);
}

int registry_push_choose(const struct store *s, const struct oci_descriptor *d,
			 const struct oci_platform *platform, struct bk_arena *arena,
			 struct oci_descriptor *ret, struct bk_err **err)
{
	const struct oci_descriptor *only = NULL;
	struct oci_index index;
	size_t here = 0;
	int rc;

	*ret = *d;
	if (oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_INDEX)
		return 0;
	rc = store_manifests_read(s, d, arena, &index, err);
	if (rc < 0)
		return rc;
	if (platform)
		return choose_platform(s, &index, platform, arena, ret, err);
	for (size_t i = 0; i < index.n_manifests; i++) {
		if (!store_blob_has(s, index.manifests[i].digest, index.manifests[i].size))
			continue;
		only = &index.manifests[i];
		here++;
	}
	if (here == index.n_manifests)
		return 0;
	if (here == 1)
		return registry_push_choose(s, only, NULL, arena, ret, err);
	rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0,
			"of the %zu images of the index only %zu are in the store",
			index.n_manifests, here);
	return bk_err_hint(err, rc, "name one by --platform, or pull --all-platforms");
}

int registry_push(struct registry *r, const char *repo, char *const *tags, const struct store *s,
		  const struct oci_descriptor *d, const struct registry_push_opts *opts,
		  struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_automap struct bk_map *seen = bk_map_new(NULL);
	bk_automap struct bk_map *sources = bk_map_new(NULL);
	struct push p = {
		.r = r,
		.repo = repo,
		.s = s,
		.opts = opts,
		.arena = arena,
		.seen = seen,
		.sources = sources,
	};
	int rc;

	find_sources(&p);
	rc = collect(&p, d, 0, err);
	if (rc == 0)
		rc = send_collected(&p, err);
	if (rc == 0)
		rc = put_tags(&p, d, tags, err);
	if (rc < 0 || !opts->referrers)
		return rc;
	rc = collect_referrers(&p, d, 0, err);
	return rc < 0 ? rc : send_collected(&p, err);
}
