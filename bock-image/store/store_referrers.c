/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_referrers.h"

#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_priv.h"

/* What manifests and indexes have in common. */
struct common {
	char *artifact_type;
	struct oci_descriptor *config, *subject;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
};
static const struct bk_doc_field common_fields[] = {
	BK_DOC_STR_F(struct common, artifact_type, "artifactType", 0),
	BK_DOC_OBJ_F(struct common, config, "config", 0, oci_descriptor_type),
	BK_DOC_OBJ_F(struct common, subject, "subject", 0, oci_descriptor_type),
	BK_DOC_STRMAP_F(struct common, annotations, n_annotations, "annotations", 0),
	BK_DOC_END,
};
static const struct bk_doc_type common_type = BK_DOC_TYPE(struct common, common_fields);

static bool is_document(const struct oci_descriptor *d)
{
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);

	return kind == OCI_MEDIA_KIND_MANIFEST || kind == OCI_MEDIA_KIND_INDEX;
}

int store_referrer_describe(const struct oci_descriptor *d, const char *text, size_t len,
			    struct bk_arena *arena, struct oci_descriptor *ret,
			    const char **ret_subject, struct bk_err **err)
{
	struct common doc;
	int rc;

	if (!is_document(d))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%.100s' is no manifest or index",
				  d->media_type);
	rc = bk_json_decode(&common_type, d->digest, text, len, &bk_doc_limits_oci, arena, &doc, err);
	if (rc < 0)
		return rc;
	*ret = (struct oci_descriptor){
		.media_type = bk_arena_strdup(arena, d->media_type),
		.digest = bk_arena_strdup(arena, d->digest),
		.size = d->size,
		.artifact_type = doc.artifact_type,
		.annotations = doc.annotations,
		.n_annotations = doc.n_annotations,
	};
	if ((!ret->artifact_type || !*ret->artifact_type) && doc.config)
		ret->artifact_type = doc.config->media_type;
	*ret_subject = doc.subject ? doc.subject->digest : NULL;
	return 0;
}

int store_referrer_read(const struct store *s, const struct oci_descriptor *d,
			struct bk_arena *arena, struct oci_descriptor *ret,
			const char **ret_subject, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	int rc = store_blob_read(s, d, &text, err);

	return rc < 0 ? rc
		      : store_referrer_describe(d, bk_buf_str(&text), text.len, arena, ret,
						ret_subject, err);
}

static bool is_listed(const struct oci_descriptor *list, size_t n, const char *digest)
{
	for (size_t i = 0; i < n; i++)
		if (bk_streq0(list[i].digest, digest))
			return true;
	return false;
}

int store_referrers(const struct store *s, const char *digest, const char *type,
		    struct bk_arena *arena, struct oci_descriptor **ret, size_t *ret_n,
		    struct bk_err **err)
{
	struct oci_descriptor *list = NULL;
	struct oci_index index;
	size_t n = 0;
	int rc = store_index_read(s, arena, &index, err);

	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
		const struct oci_descriptor *d = &index.manifests[i];
		struct oci_descriptor found = { .media_type = NULL };
		const char *subject = NULL;

		if (!is_document(d) ||
		    store_referrer_read(s, d, arena, &found, &subject, NULL) < 0 ||
		    !bk_streq0(subject, digest) || (type && !bk_streq0(found.artifact_type, type)) ||
		    is_listed(list, n, d->digest))
			continue;
		if (n == STORE_REFERRERS_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d referrers of %s",
					  STORE_REFERRERS_MAX, digest);
		list = bk_arena_grow(arena, list, n, sizeof(*list));
		list[n++] = found;
	}
	if (rc < 0)
		return rc;
	*ret = list;
	*ret_n = n;
	return 0;
}

int store_referrer_add(struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
		       struct bk_err **err)
{
	struct oci_descriptor found;
	const char *subject;
	int rc = store_image_complete(s, d, err);

	if (rc == 0)
		rc = store_referrer_read(s, d, arena, &found, &subject, err);
	if (rc < 0)
		return rc;
	if (!subject)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s refers to nothing: it has no subject",
				  d->digest);
	return store_index_keep_(s, &found, err);
}

/* The empty configuration, which is stored. */
static int put_empty(struct store *s, struct bk_arena *arena, struct oci_descriptor *ret,
		     struct bk_err **err)
{
	return store_blob_add(s, STORE_EMPTY_TYPE, "{}", 2, arena, ret, err);
}

int store_artifact_put(struct store *s, const struct store_artifact *a, struct bk_arena *arena,
		       struct oci_descriptor *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	struct oci_descriptor empty, config, subject = { .media_type = NULL };
	struct oci_manifest m = {
		.schema_version = 2,
		.media_type = bk_arena_strdup(arena, OCI_MEDIA_MANIFEST),
		.artifact_type = bk_arena_strdup(arena, a->type),
		.config = &config,
		.layers = (struct oci_descriptor *)(uintptr_t)a->layers,
		.n_layers = a->n_layers,
		.annotations = (struct bk_doc_pair *)(uintptr_t)a->annotations,
		.n_annotations = a->n_annotations,
	};
	int rc = 0;

	if (a->n_layers > STORE_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%zu files, at most %d are taken",
				  a->n_layers, STORE_LAYERS_MAX);
	if (!a->config || a->n_layers == 0)
		rc = put_empty(s, arena, &empty, err);
	if (rc < 0)
		return rc;
	config = a->config ? *a->config : empty;
	if (a->n_layers == 0) {
		m.layers = &empty;
		m.n_layers = 1;
	}
	if (a->subject) {
		/* The subject itself, whatever else its descriptor says here. */
		subject = (struct oci_descriptor){
			.media_type = a->subject->media_type,
			.digest = a->subject->digest,
			.size = a->subject->size,
		};
		m.subject = &subject;
	}
	rc = bk_json_encode(&oci_manifest_type, &m, 0, &text, err);
	if (rc == 0)
		rc = bk_buf_check(&text, "the artifact's manifest", err);
	return rc < 0 ? rc : store_blob_add(s, OCI_MEDIA_MANIFEST, text.data, text.len, arena, ret, err);
}
