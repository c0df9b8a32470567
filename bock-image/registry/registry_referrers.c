/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_referrers.h"

#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_image.h"
#include "oci/oci_media.h"
#include "registry/registry_header.h"
#include "registry/registry_manifest.h"
#include "store/store_blob.h"

#define UPDATES_MAX 5 /* of a tag that others change, too */
#define ALG_MAX	    32
#define HEX_MAX	    64

struct list {
	struct bk_arena *arena;
	const char *type;
	struct oci_descriptor *d;
	size_t n;
};

void registry_digest_tag(const char *digest, const char *suffix, char ret[REGISTRY_DIGEST_TAG_SIZE])
{
	const char *colon = strchr(digest, ':');

	(void)snprintf(ret, REGISTRY_DIGEST_TAG_SIZE, "%.*s-%.*s%.20s",
		       (int)(colon - digest < ALG_MAX ? colon - digest : ALG_MAX), digest, HEX_MAX,
		       colon + 1, suffix);
}

static bool has(const struct list *l, const char *digest)
{
	for (size_t i = 0; i < l->n; i++)
		if (bk_streq(l->d[i].digest, digest))
			return true;
	return false;
}

static int decode(const struct bk_http_resp *resp, struct bk_arena *arena, struct oci_index *ret,
		  struct bk_err **err)
{
	int rc = bk_json_decode(&oci_index_type, "list of referrers", bk_buf_str(&resp->body),
				resp->body.len, &bk_doc_limits_oci, arena, ret, err);

	if (rc < 0)
		return rc;
	if (ret->schema_version != 2 || ret->layers || ret->config)
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "list of referrers: it is no index");
	return 0;
}

/* Appends what an index has, filtered here whether or not the registry has done so. */
static int take(struct list *l, const struct oci_index *index, struct bk_err **err)
{
	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct oci_descriptor *d = &index->manifests[i];
		int rc = bk_digest_parse(d->digest, NULL, NULL, err);

		if (rc == 0 && d->size < 0)
			rc = bk_err_set(err, BK_ERR_REGISTRY, 0, "a size below 0");
		if (rc < 0)
			return bk_err_wrap(err, rc, "list of referrers: manifests[%zu]", i);
		if ((l->type && !bk_streq0(d->artifact_type, l->type)) || has(l, d->digest))
			continue;
		if (l->n == REGISTRY_REFERRERS_MAX)
			return bk_err_set(err, BK_ERR_REGISTRY, 0, "more than %d referrers",
					  REGISTRY_REFERRERS_MAX);
		l->d = bk_arena_grow(l->arena, l->d, l->n, sizeof(*l->d));
		l->d[l->n++] = *d;
	}
	return 0;
}

/* ---- the API ------------------------------------------------------------------------------------- */

static bool is_index(const struct bk_http_resp *resp)
{
	const char *type = bk_http_header(resp, "content-type");
	const char *rest = type ? bk_skip_prefix(type, OCI_MEDIA_INDEX) : NULL;

	return rest && (*rest == '\0' || strchr("; \t", *rest));
}

/* The next page, if there is one: *url is its address then. */
static int next_page(const struct bk_http_resp *resp, struct bk_url *url, bool *ret_more,
		     struct bk_err **err)
{
	const char *link = bk_http_header(resp, "link");
	bk_autofree char *next = link ? registry_link_next(link) : NULL;
	struct bk_url to = BK_URL_INIT;
	int rc;

	*ret_more = next != NULL;
	if (!next)
		return 0;
	rc = bk_url_resolve(&resp->url, next, &to, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "link to the next page");
	if (!bk_url_same_origin(&resp->url, &to)) {
		bk_url_done(&to);
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "the next page is on another server, which is not followed");
	}
	bk_url_done(url);
	*url = to;
	return 0;
}

/* One page. *ret_none: the registry knows no such list. */
static int page(struct registry *r, const struct registry_scope *scope, struct bk_url *url,
		struct list *l, bool *ret_none, bool *ret_more, struct bk_err **err)
{
	char *const headers[] = { (char *)(uintptr_t) "Accept: " OCI_MEDIA_INDEX, NULL };
	const struct bk_http_req req = {
		.method = "GET",
		.headers = headers,
		.max_body = STORE_MANIFEST_MAX,
	};
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	struct oci_index index;
	int rc = registry_do_url(r, scope, url, &req, &resp, err);

	if (rc < 0)
		return rc;
	*ret_more = false;
	/* 404 is how the specification has it; others answer what they answer to any path, a web page among that. */
	if (resp.status == 404 || resp.status == 400 || resp.status == 405 || resp.status == 501 ||
	    (resp.status == 200 && !is_index(&resp))) {
		*ret_none = true;
		return 0;
	}
	if (resp.status != 200)
		return registry_failed(&resp, err);
	rc = decode(&resp, l->arena, &index, err);
	if (rc == 0)
		rc = take(l, &index, err);
	return rc < 0 ? rc : next_page(&resp, url, ret_more, err);
}

static int by_api(struct registry *r, const char *repo, const char *digest, struct list *l,
		  bool *ret_none, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = repo, .actions = "pull" };
	bk_autofree char *path = bk_asprintf("/v2/%s/referrers/%s", repo, digest);
	bk_autourl struct bk_url url = BK_URL_INIT;
	bool more = true;
	int rc = registry_url(r, path, &url, err);

	if (rc == 0 && l->type)
		bk_url_query_add(&url, "artifactType", l->type);
	for (int pages = 0; rc == 0 && more; pages++) {
		bool none = false;

		rc = page(r, &scope, &url, l, &none, &more, err);
		if (rc == 0 && none && pages > 0)
			rc = bk_err_set(err, BK_ERR_REGISTRY, 0, "a page of its list is missing");
		if (rc == 0 && more && pages >= REGISTRY_PAGES_MAX)
			rc = bk_err_set(err, BK_ERR_REGISTRY, 0,
					"its pages of referrers have no end");
		*ret_none = none;
	}
	return rc;
}

/* ---- the tag ------------------------------------------------------------------------------------- */

/* The index under the tag, an empty one if there is none; etag: of the answer, in the arena, NULL: none. */
static int get_tag(struct registry *r, const char *repo, const char *tag, struct bk_arena *arena,
		   struct oci_index *ret, char **ret_etag, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = repo, .actions = "pull" };
	bk_autofree char *path = bk_asprintf("/v2/%s/manifests/%s", repo, tag);
	char *const headers[] = { (char *)(uintptr_t) "Accept: " OCI_MEDIA_INDEX, NULL };
	const struct bk_http_req req = {
		.method = "GET",
		.headers = headers,
		.max_body = STORE_MANIFEST_MAX,
	};
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const char *etag;
	int rc = registry_do(r, &scope, path, &req, &resp, err);

	*ret = (struct oci_index){ .schema_version = 2 };
	*ret_etag = NULL;
	if (rc < 0 || resp.status == 404)
		return rc;
	if (resp.status != 200)
		return registry_failed(&resp, err);
	if (!is_index(&resp))
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "it is no index: something else has the tag");
	rc = decode(&resp, arena, ret, err);
	etag = bk_http_header(&resp, "etag");
	if (rc == 0 && etag && !bk_skip_prefix(etag, "W/"))
		*ret_etag = bk_arena_strdup(arena, etag);
	return rc;
}

int registry_referrers(struct registry *r, const char *repo, const char *digest, const char *type,
		       struct bk_arena *arena, struct oci_descriptor **ret, size_t *ret_n,
		       struct bk_err **err)
{
	struct list l = { .arena = arena, .type = type };
	char tag[REGISTRY_DIGEST_TAG_SIZE];
	struct oci_index index;
	bool none = false;
	char *etag;
	int rc = by_api(r, repo, digest, &l, &none, err);

	if (rc == 0 && none) {
		registry_digest_tag(digest, "", tag);
		rc = get_tag(r, repo, tag, arena, &index, &etag, err);
		if (rc == 0)
			rc = take(&l, &index, err);
	}
	if (rc < 0)
		return bk_err_wrap(err, rc, "referrers of %s in %s/%s", digest, registry_domain(r),
				   repo);
	*ret = l.d;
	*ret_n = l.n;
	return 0;
}

/* PUT of the index; *ret_again: another client was faster. */
static int put_tag(struct registry *r, const char *repo, const char *tag, struct oci_index *index,
		   const char *etag, bool *ret_again, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = repo, .actions = "pull,push" };
	bk_autofree char *path = bk_asprintf("/v2/%s/manifests/%s", repo, tag);
	bk_autofree char *match = etag ? bk_asprintf("If-Match: %s", etag) : NULL;
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	char *const headers[] = { (char *)(uintptr_t) "Content-Type: " OCI_MEDIA_INDEX, match, NULL };
	struct bk_http_req req = { .method = "PUT", .headers = headers };
	int rc;

	index->media_type = (char *)(uintptr_t)OCI_MEDIA_INDEX;
	rc = bk_json_encode(&oci_index_type, index, 0, &text, err);
	if (rc == 0)
		rc = bk_buf_check(&text, "list of referrers", err);
	if (rc < 0)
		return rc;
	req.body = text.data;
	req.body_len = text.len;
	rc = registry_do(r, &scope, path, &req, &resp, err);
	if (rc < 0)
		return rc;
	*ret_again = resp.status == 412;
	return resp.status == 201 || *ret_again ? 0 : registry_failed(&resp, err);
}

int registry_referrers_tag_add(struct registry *r, const char *repo, const char *subject,
			       const struct oci_descriptor *d, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char tag[REGISTRY_DIGEST_TAG_SIZE];
	bool again = true;
	int rc = bk_digest_parse(subject, NULL, NULL, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "subject");
	registry_digest_tag(subject, "", tag);
	for (int tries = 0; rc == 0 && again && tries < UPDATES_MAX; tries++) {
		struct list l = { .arena = arena };
		struct oci_index index;
		char *etag;

		again = false;
		rc = get_tag(r, repo, tag, arena, &index, &etag, err);
		if (rc == 0)
			rc = take(&l, &index, err);
		if (rc < 0 || has(&l, d->digest))
			break;
		l.d = bk_arena_grow(arena, l.d, l.n, sizeof(*l.d));
		l.d[l.n++] = *d;
		index.manifests = l.d;
		index.n_manifests = l.n;
		rc = put_tag(r, repo, tag, &index, etag, &again, err);
	}
	if (rc == 0 && again)
		rc = bk_err_set(err, BK_ERR_REGISTRY, 0, "others change it all the time");
	return rc < 0 ? bk_err_wrap(err, rc, "list of referrers %s/%s:%s", registry_domain(r), repo, tag)
		      : 0;
}
