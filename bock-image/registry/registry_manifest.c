/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_manifest.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "registry/registry_header.h"
#include "store/store_blob.h"

static const char *const accept_headers[] = {
	"Accept: " OCI_MEDIA_INDEX,	      "Accept: " OCI_MEDIA_MANIFEST,
	"Accept: " OCI_MEDIA_DOCKER_INDEX,    "Accept: " OCI_MEDIA_DOCKER_MANIFEST,
	NULL,
};

/* What a document says of its own type, whatever else it is. */
struct typed {
	char *media_type;
	int32_t schema;
	char *manifests, *layers;
};
static const struct bk_doc_field typed_fields[] = {
	BK_DOC_STR_F(struct typed, media_type, "mediaType", 0),
	BK_DOC_NUM_F(struct typed, schema, "schemaVersion", BK_DOC_I32, 0),
	BK_DOC_RAW_F(struct typed, manifests, "manifests", 0),
	BK_DOC_RAW_F(struct typed, layers, "layers", 0),
	BK_DOC_END,
};
static const struct bk_doc_type typed_type = BK_DOC_TYPE(struct typed, typed_fields);

/* A Content-Type that says nothing. */
static bool is_vague(const char *type)
{
	return !*type || bk_streq(type, "application/json") || bk_streq(type, "text/plain") ||
	       bk_streq(type, "application/octet-stream");
}

static int media_type_of(const struct bk_http_resp *resp, struct bk_arena *arena, char **ret,
			 struct bk_err **err)
{
	const char *header = bk_http_header(resp, "content-type");
	char *type = bk_arena_strndup(arena, header ? header : "",
				      header ? strcspn(header, "; \t") : 0);
	struct typed doc;
	int rc = bk_json_decode(&typed_type, "manifest", bk_buf_str(&resp->body), resp->body.len,
				&bk_doc_limits_oci, arena, &doc, err);

	if (rc < 0)
		return rc;
	if (doc.schema == 1)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "a manifest of schema 1, which registries have given up");
	if (doc.media_type && !is_vague(type) && !bk_streq(type, doc.media_type))
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "the registry says that it is '%.100s', the manifest '%.100s'", type,
				  doc.media_type);
	if (is_vague(type))
		type = doc.media_type;
	if (!type && doc.manifests && !doc.layers)
		type = bk_arena_strdup(arena, OCI_MEDIA_INDEX);
	if (!type && doc.layers && !doc.manifests)
		type = bk_arena_strdup(arena, OCI_MEDIA_MANIFEST);
	if (!type || (oci_media_kind_of(type) != OCI_MEDIA_KIND_INDEX &&
		      oci_media_kind_of(type) != OCI_MEDIA_KIND_MANIFEST))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "'%.100s' is no manifest or index",
				  type ? type : "");
	*ret = type;
	return 0;
}

/* The digests that the content must have: what was asked for, what the header says, what led here. */
static int check_digest(const char *asked, const struct bk_http_resp *resp,
			char ret[BK_DIGEST_TEXT_SIZE], struct bk_err **err)
{
	const char *said = bk_http_header(resp, "docker-content-digest");
	const char *const must[] = { asked, said };
	enum bk_digest_alg alg = BK_DIGEST_SHA256;
	char digest[BK_DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < BK_ARRAY_SIZE(must); i++) {
		int rc = must[i] ? bk_digest_parse(must[i], &alg, NULL, err) : 0;

		if (rc < 0)
			return rc;
		if (!must[i])
			continue;
		bk_digest_of(alg, bk_buf_str(&resp->body), resp->body.len, digest);
		if (!bk_streq(digest, must[i]))
			return bk_err_set(err, BK_ERR_REGISTRY, 0,
					  "the manifest has the digest %s, not %s", digest, must[i]);
	}
	alg = BK_DIGEST_SHA256;
	if (asked)
		(void)bk_digest_parse(asked, &alg, NULL, NULL);
	bk_digest_of(alg, bk_buf_str(&resp->body), resp->body.len, ret);
	return 0;
}

static int store_text(struct store *s, const struct bk_buf *text, const char *digest,
		      struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	int rc = store_writer_new(s, digest, (int64_t)text->len, &w, err);

	if (rc == 0)
		rc = store_writer_write(w, bk_buf_str(text), text->len, err);
	return rc < 0 ? rc : store_writer_commit(w, NULL, NULL, err);
}

static int get(struct registry *r, const char *repo, const char *reference, const char *method,
	       struct bk_http_resp *ret, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = repo, .actions = "pull" };
	bk_autofree char *path = bk_asprintf("/v2/%s/manifests/%s", repo, reference);
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = {
		.method = method,
		.headers = (char *const *)(uintptr_t)accept_headers,
		.max_body = STORE_MANIFEST_MAX,
	};
	int rc = registry_do(r, &scope, path, &req, &resp, err);

	if (rc < 0)
		return rc;
	if (resp.status != 200)
		return registry_failed(&resp, err);
	*ret = resp;
	resp = (struct bk_http_resp)BK_HTTP_RESP_INIT;
	return 0;
}

static int take(const struct bk_http_resp *resp, const char *asked, struct bk_arena *arena,
		struct oci_descriptor *ret, struct bk_err **err)
{
	char digest[BK_DIGEST_TEXT_SIZE];
	char *type = NULL;
	int rc = check_digest(asked, resp, digest, err);

	if (rc == 0)
		rc = media_type_of(resp, arena, &type, err);
	if (rc < 0)
		return rc;
	*ret = (struct oci_descriptor){
		.media_type = type,
		.digest = bk_arena_strdup(arena, digest),
		.size = (int64_t)resp->body.len,
	};
	return 0;
}

static const char *asked_digest(const char *reference)
{
	return strchr(reference, ':') ? reference : NULL;
}

/* The answer, and what it is: checked against all that is known of it. */
static int fetch(struct registry *r, const char *repo, const char *reference,
		 const struct oci_descriptor *expect, struct bk_http_resp *resp, struct bk_arena *arena,
		 struct oci_descriptor *ret, struct bk_err **err)
{
	struct oci_descriptor d = { .media_type = NULL };
	int rc = get(r, repo, reference, "GET", resp, err);

	if (rc == 0)
		rc = take(resp, asked_digest(reference), arena, &d, err);
	if (rc == 0 && expect && expect->size != d.size)
		rc = bk_err_set(err, BK_ERR_REGISTRY, 0,
				"it has %" PRId64 " bytes, its descriptor says %" PRId64, d.size,
				expect->size);
	if (rc == 0 && expect && !bk_streq(expect->media_type, d.media_type))
		rc = bk_err_set(err, BK_ERR_REGISTRY, 0,
				"it is '%.100s', its descriptor says '%.100s'", d.media_type,
				expect->media_type);
	if (rc < 0)
		return bk_err_wrap(err, rc, "manifest '%s' of %s/%s", reference,
				   registry_domain(r), repo);
	*ret = d;
	return 0;
}

int registry_manifest_get(struct registry *r, const char *repo, const char *reference,
			  const struct oci_descriptor *expect, struct store *s,
			  struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	struct oci_descriptor d;
	int rc = fetch(r, repo, reference, expect, &resp, arena, &d, err);

	if (rc == 0)
		rc = store_text(s, &resp.body, d.digest, err);
	if (rc < 0)
		return rc;
	*ret = d;
	return 0;
}

int registry_manifest_read(struct registry *r, const char *repo, const char *reference,
			   const struct oci_descriptor *expect, struct bk_buf *text,
			   struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	int rc = fetch(r, repo, reference, expect, &resp, arena, ret, err);

	if (rc == 0)
		bk_buf_add(text, bk_buf_str(&resp.body), resp.body.len);
	return rc < 0 ? rc : bk_buf_check(text, "a manifest", err);
}

static int head(struct registry *r, const char *repo, const char *reference, struct bk_arena *arena,
		struct oci_descriptor *ret, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const char *digest, *type, *length;
	int64_t size = 0;
	int rc = get(r, repo, reference, "HEAD", &resp, err);

	if (rc < 0)
		return rc;
	digest = bk_http_header(&resp, "docker-content-digest");
	type = bk_http_header(&resp, "content-type");
	length = bk_http_header(&resp, "content-length");
	if (!digest || !type || !length ||
	    bk_num_i64(length, 0, (int64_t)STORE_MANIFEST_MAX, &size, NULL) < 0) {
		bk_http_resp_done(&resp);
		rc = get(r, repo, reference, "GET", &resp, err);
		return rc < 0 ? rc : take(&resp, asked_digest(reference), arena, ret, err);
	}
	rc = bk_digest_parse(digest, NULL, NULL, err);
	if (rc < 0)
		return rc;
	*ret = (struct oci_descriptor){
		.media_type = bk_arena_strndup(arena, type, strcspn(type, "; \t")),
		.digest = bk_arena_strdup(arena, digest),
		.size = size,
	};
	return 0;
}

int registry_manifest_head(struct registry *r, const char *repo, const char *reference,
			   struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	int rc = head(r, repo, reference, arena, ret, err);

	return rc < 0 ? bk_err_wrap(err, rc, "manifest '%s' of %s/%s", reference,
				    registry_domain(r), repo) :
			0;
}

/* ---- tags ---------------------------------------------------------------------------------------- */

struct tags {
	char **tags;
};
static const struct bk_doc_field tags_fields[] = {
	BK_DOC_STRV_F(struct tags, tags, "tags", 0),
	BK_DOC_END,
};
static const struct bk_doc_type tags_type = BK_DOC_TYPE(struct tags, tags_fields);

/* One page; url is that of the next, or empty at the end. */
static int tags_page(struct registry *r, const struct registry_scope *scope, struct bk_url *url,
		     char ***tags, bool *ret_more, struct bk_err **err)
{
	const struct bk_http_req req = { .method = "GET", .max_body = REGISTRY_PAGE_BYTES_MAX };
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *next = NULL;
	struct bk_url to = BK_URL_INIT;
	const char *link;
	struct tags page;
	int rc = registry_do_url(r, scope, url, &req, &resp, err);

	if (rc < 0)
		return rc;
	if (resp.status != 200)
		return registry_failed(&resp, err);
	rc = bk_json_decode(&tags_type, "list of tags", bk_buf_str(&resp.body), resp.body.len,
			    &bk_doc_limits_oci, arena, &page, err);
	if (rc < 0)
		return rc;
	for (char **t = page.tags; t && *t; t++)
		bk_strv_add(tags, *t);
	link = bk_http_header(&resp, "link");
	next = link ? registry_link_next(link) : NULL;
	*ret_more = next != NULL;
	if (!next)
		return 0;
	rc = bk_url_resolve(&resp.url, next, &to, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "link to the next page");
	if (!bk_url_same_origin(&resp.url, &to)) {
		bk_url_done(&to);
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "the next page is on another server, which is not followed");
	}
	bk_url_done(url);
	*url = to;
	return 0;
}

int registry_tags(struct registry *r, const char *repo, char ***ret, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = repo, .actions = "pull" };
	bk_autofree char *path = bk_asprintf("/v2/%s/tags/list", repo);
	bk_autourl struct bk_url url = BK_URL_INIT;
	bk_autostrv char **tags = NULL;
	bool more = true;
	int rc = registry_url(r, path, &url, err);

	for (size_t pages = 0; rc == 0 && more; pages++) {
		size_t before = tags ? bk_strv_len(tags) : 0;

		rc = tags_page(r, &scope, &url, &tags, &more, err);
		if (rc == 0 && more &&
		    ((tags ? bk_strv_len(tags) : 0) == before || pages >= REGISTRY_PAGES_MAX ||
		     before > REGISTRY_TAGS_MAX))
			rc = bk_err_set(err, BK_ERR_REGISTRY, 0,
					"its pages of tags have no end");
	}
	if (rc < 0)
		return bk_err_wrap(err, rc, "tags of %s/%s", registry_domain(r), repo);
	*ret = bk_steal_ptr(&tags);
	return 0;
}
