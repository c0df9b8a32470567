/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_signature.h"

#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "registry/registry_manifest.h"
#include "registry/registry_pull.h"
#include "registry/registry_push.h"
#include "registry/registry_referrers.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_referrers.h"
#include "trust/trust_payload.h"

struct found {
	struct registry *r;
	const char *repo;
	struct bk_arena *arena;
	struct trust_signature *list;
	size_t n;
};

static const char *signature_of(const struct oci_descriptor *layer)
{
	if (!bk_streq(layer->media_type, TRUST_PAYLOAD_MEDIA) || layer->size < 0 ||
	    layer->size > (int64_t)TRUST_PAYLOAD_MAX)
		return NULL;
	return bk_doc_pair_get(layer->annotations, layer->n_annotations, TRUST_SIGNATURE_KEY);
}

/* A small blob of the registry, whose digest is checked. */
static int read_blob(struct found *f, const struct oci_descriptor *d, struct bk_err **err)
{
	const struct registry_scope scope = { .repo = f->repo, .actions = "pull" };
	bk_autofree char *path = bk_asprintf("/v2/%s/blobs/%s", f->repo, d->digest);
	const struct bk_http_req req = { .method = "GET", .max_body = TRUST_PAYLOAD_MAX };
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	char digest[BK_DIGEST_TEXT_SIZE];
	enum bk_digest_alg alg;
	struct trust_signature *s;
	int rc = bk_digest_parse(d->digest, &alg, NULL, err);

	if (rc == 0)
		rc = registry_do(f->r, &scope, path, &req, &resp, err);
	if (rc == 0 && resp.status != 200)
		rc = registry_failed(&resp, err);
	if (rc < 0)
		return rc;
	bk_digest_of(alg, bk_buf_str(&resp.body), resp.body.len, digest);
	if (!bk_streq(digest, d->digest))
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "blob %s has the digest %s", d->digest,
				  digest);
	f->list = bk_arena_grow(f->arena, f->list, f->n, sizeof(*f->list));
	s = &f->list[f->n++];
	s->payload = bk_arena_strndup(f->arena, bk_buf_str(&resp.body), resp.body.len);
	s->payload_len = resp.body.len;
	s->signature = signature_of(d);
	return 0;
}

/* Of the manifest under a tag or digest. subject: what it must have as its subject; NULL: anything. */
static int take_manifest(struct found *f, const char *reference, const char *subject,
			 struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	struct oci_descriptor d;
	struct oci_manifest m;
	int rc = registry_manifest_read(f->r, f->repo, reference, NULL, &text, f->arena, &d, err);

	if (rc == 0 && oci_media_kind_of(d.media_type) != OCI_MEDIA_KIND_MANIFEST)
		return 0;
	if (rc == 0)
		rc = bk_json_decode(&oci_manifest_type, reference, bk_buf_str(&text), text.len,
				    &bk_doc_limits_oci, f->arena, &m, err);
	if (rc < 0 || (subject && (!m.subject || !bk_streq(m.subject->digest, subject))))
		return rc;
	for (size_t i = 0; rc == 0 && i < m.n_layers && f->n < TRUST_SIGNATURES_MAX; i++)
		if (signature_of(&m.layers[i]))
			rc = read_blob(f, &m.layers[i], err);
	return rc;
}

int registry_signatures(struct registry *r, const char *repo, const char *digest,
			struct bk_arena *arena, struct trust_signature **ret, size_t *ret_n,
			struct bk_err **err)
{
	struct found f = { .r = r, .repo = repo, .arena = arena };
	struct oci_descriptor *list = NULL;
	char tag[REGISTRY_DIGEST_TAG_SIZE];
	struct bk_err *why = NULL;
	size_t n = 0;
	int rc;

	registry_digest_tag(digest, TRUST_TAG_SUFFIX, tag);
	rc = take_manifest(&f, tag, NULL, &why);
	if (rc == -BK_ERR_NOT_FOUND)
		bk_err_clear(&why);
	else if (rc < 0)
		bk_err_move(err, why);
	if (rc == 0 || rc == -BK_ERR_NOT_FOUND)
		rc = registry_referrers(r, repo, digest, TRUST_ARTIFACT_TYPE, arena, &list, &n, err);
	for (size_t i = 0; rc == 0 && i < n && f.n < TRUST_SIGNATURES_MAX; i++)
		rc = take_manifest(&f, list[i].digest, digest, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "signatures of %s", digest);
	*ret = f.list;
	*ret_n = f.n;
	return 0;
}

/* ---- of the store -------------------------------------------------------------------------------- */

int registry_signatures_stored(const struct store *s, const char *digest, struct bk_arena *arena,
			       struct oci_descriptor **ret, size_t *ret_n, struct bk_err **err)
{
	struct oci_descriptor *list = NULL, *layers = NULL;
	size_t n = 0, n_layers = 0;
	int rc = store_referrers(s, digest, TRUST_ARTIFACT_TYPE, arena, &list, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct oci_manifest m = { .n_layers = 0 };

		if (oci_media_kind_of(list[i].media_type) != OCI_MEDIA_KIND_MANIFEST)
			continue;
		rc = store_manifest_read(s, &list[i], arena, &m, err);
		for (size_t k = 0; rc == 0 && k < m.n_layers && n_layers < TRUST_SIGNATURES_MAX; k++) {
			if (!signature_of(&m.layers[k]))
				continue;
			layers = bk_arena_grow(arena, layers, n_layers, sizeof(*layers));
			layers[n_layers++] = m.layers[k];
		}
	}
	if (rc < 0)
		return rc;
	*ret = layers;
	*ret_n = n_layers;
	return 0;
}

int registry_signatures_read(const struct store *s, const struct oci_descriptor *layers, size_t n,
			     struct bk_arena *arena, struct trust_signature **ret, struct bk_err **err)
{
	struct trust_signature *list = bk_arena_alloc(arena, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		bk_autobuf struct bk_buf text = BK_BUF_INIT(TRUST_PAYLOAD_MAX);
		int rc = store_blob_read(s, &layers[i], &text, err);

		if (rc < 0)
			return rc;
		list[i].payload = bk_arena_strndup(arena, bk_buf_str(&text), text.len);
		list[i].payload_len = text.len;
		list[i].signature = signature_of(&layers[i]);
	}
	*ret = list;
	return 0;
}

/* ---- the tag ------------------------------------------------------------------------------------- */

static bool has_layer(const struct oci_descriptor *list, size_t n, const struct oci_descriptor *d)
{
	for (size_t i = 0; i < n; i++)
		if (bk_streq(list[i].digest, d->digest) &&
		    bk_streq0(signature_of(&list[i]), signature_of(d)))
			return true;
	return false;
}

/* The layers that the tag has by now, in s. */
static int get_tag(struct registry *r, const char *repo, const char *tag, struct store *s,
		   struct bk_arena *arena, struct oci_manifest *ret, struct bk_err **err)
{
	const struct registry_pull_opts po = { .all_platforms = true };
	struct oci_descriptor d, image;
	struct bk_err *why = NULL;
	int rc = registry_pull(r, repo, tag, s, &po, arena, &d, &image, NULL, &why);

	*ret = (struct oci_manifest){ .n_layers = 0 };
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	if (oci_media_kind_of(d.media_type) != OCI_MEDIA_KIND_MANIFEST)
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "it is no manifest: something else has the tag");
	return store_manifest_read(s, &d, arena, ret, err);
}

static int tag_add(struct registry *r, const char *repo, const char *tag, struct store *s,
		   const struct oci_descriptor *layers, size_t n, struct bk_arena *arena,
		   struct bk_err **err)
{
	const struct registry_push_opts po = { 0 };
	struct oci_image_rootfs rootfs = { .type = (char *)(uintptr_t) "layers" };
	char empty[1] = "";
	const struct oci_image_config config = { .architecture = empty, .os = empty, .rootfs = &rootfs };
	char *const tags[] = { (char *)(uintptr_t)tag, NULL };
	struct oci_descriptor *all = NULL, d;
	struct oci_manifest m;
	size_t n_all = 0, had;
	int rc = get_tag(r, repo, tag, s, arena, &m, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < m.n_layers + n; i++) {
		const struct oci_descriptor *l = i < m.n_layers ? &m.layers[i] :
								  &layers[i - m.n_layers];

		if (i >= m.n_layers && has_layer(all, n_all, l))
			continue;
		all = bk_arena_grow(arena, all, n_all, sizeof(*all));
		all[n_all++] = *l;
	}
	had = m.n_layers;
	if (n_all == had)
		return 0;
	for (size_t i = 0; i < n_all; i++)
		bk_doc_strv_add(arena, &rootfs.diff_ids, all[i].digest);
	rc = store_image_put(s, NULL, &config, all, n_all, m.annotations, m.n_annotations, arena, &d,
			     err);
	return rc < 0 ? rc : registry_push(r, repo, tags, s, &d, &po, err);
}

int registry_signatures_tag_add(struct registry *r, const char *repo, const char *digest,
				struct store *s, const struct oci_descriptor *layers, size_t n,
				struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char tag[REGISTRY_DIGEST_TAG_SIZE];
	int rc;

	registry_digest_tag(digest, TRUST_TAG_SUFFIX, tag);
	rc = tag_add(r, repo, tag, s, layers, n, arena, err);
	return rc < 0 ? bk_err_wrap(err, rc, "signatures %s/%s:%s", registry_domain(r), repo, tag) : 0;
}

bool registry_signatures_any(const struct store *s, const struct oci_descriptor *d)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_descriptor *layers;
	struct oci_index index = { .n_manifests = 0 };
	size_t n = 0;

	if (registry_signatures_stored(s, d->digest, arena, &layers, &n, NULL) == 0 && n > 0)
		return true;
	if (oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_INDEX ||
	    store_manifests_read(s, d, arena, &index, NULL) < 0)
		return false;
	for (size_t i = 0; i < index.n_manifests; i++)
		if (registry_signatures_stored(s, index.manifests[i].digest, arena, &layers, &n,
					       NULL) == 0 &&
		    n > 0)
			return true;
	return false;
}

/* Those of one manifest or index. */
static int push_of(struct registry *r, const char *repo, const struct store *s, const char *digest,
		   struct store *other, struct bk_arena *arena, struct bk_err **err)
{
	struct oci_descriptor *layers;
	size_t n;
	int rc = registry_signatures_stored(s, digest, arena, &layers, &n, err);

	if (rc < 0 || n == 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		bk_autoclose int fd = -1;

		rc = store_blob_open(s, layers[i].digest, layers[i].size, &fd, NULL, err);
		if (rc == 0)
			rc = store_blob_add_fd(other, fd, layers[i].digest, layers[i].size, NULL, NULL,
					       err);
	}
	return rc < 0 ? rc : registry_signatures_tag_add(r, repo, digest, other, layers, n, err);
}

int registry_signatures_push(struct registry *r, const char *repo, const struct store *s,
			     const struct oci_descriptor *d, struct store *other, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_index index = { .n_manifests = 0 };
	int rc = push_of(r, repo, s, d->digest, other, arena, err);

	if (rc == 0 && oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_INDEX)
		rc = store_manifests_read(s, d, arena, &index, err);
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
		rc = push_of(r, repo, s, index.manifests[i].digest, other, arena, err);
	return rc;
}
