/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust_payload.h"

#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"

#define TYPE "cosign container image signature"

struct image {
	char *digest;
};
static const struct bk_doc_field image_fields[] = {
	BK_DOC_STR_F(struct image, digest, "docker-manifest-digest", BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type image_type = BK_DOC_TYPE(struct image, image_fields);

struct identity {
	char *reference;
};
static const struct bk_doc_field identity_fields[] = {
	BK_DOC_STR_F(struct identity, reference, "docker-reference", BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type identity_type = BK_DOC_TYPE(struct identity, identity_fields);

struct critical {
	struct identity *identity;
	struct image *image;
	char *type;
};
static const struct bk_doc_field critical_fields[] = {
	BK_DOC_OBJ_F(struct critical, identity, "identity", BK_DOC_REQUIRED, identity_type),
	BK_DOC_OBJ_F(struct critical, image, "image", BK_DOC_REQUIRED, image_type),
	BK_DOC_STR_F(struct critical, type, "type", BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type critical_type = BK_DOC_TYPE(struct critical, critical_fields);

struct payload {
	struct critical *critical;
	char *optional; /* an object of anything, or null */
};
static const struct bk_doc_field payload_fields[] = {
	BK_DOC_OBJ_F(struct payload, critical, "critical", BK_DOC_REQUIRED, critical_type),
	BK_DOC_RAW_F(struct payload, optional, "optional", 0),
	BK_DOC_END,
};
static const struct bk_doc_type payload_type = BK_DOC_TYPE(struct payload, payload_fields);

void trust_payload_print(struct bk_buf *out, const char *digest, const char *reference)
{
	bk_buf_adds(out, "{\"critical\":{\"identity\":{\"docker-reference\":");
	bk_json_quote(out, reference);
	bk_buf_adds(out, "},\"image\":{\"docker-manifest-digest\":");
	bk_json_quote(out, digest);
	bk_buf_adds(out, "},\"type\":\"" TYPE "\"},\"optional\":null}");
}

int trust_payload_parse(const char *text, size_t len, struct bk_arena *arena,
			struct trust_payload *ret, struct bk_err **err)
{
	struct bk_doc_limits limits = bk_doc_limits_strict;
	struct payload p;
	int rc;

	limits.max_size = TRUST_PAYLOAD_MAX;
	rc = bk_json_decode(&payload_type, "signed text", text, len, &limits, arena, &p, err);
	if (rc == 0 && p.optional && *p.optional != '{')
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "signed text: optional: it is no object");
	if (rc == 0 && !bk_streq(p.critical->type, TYPE))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "signed text: critical.type: '%.100s'",
				p.critical->type);
	if (rc == 0)
		rc = bk_digest_parse(p.critical->image->digest, NULL, NULL, err);
	if (rc < 0)
		return rc;
	ret->digest = p.critical->image->digest;
	ret->reference = p.critical->identity->reference;
	return 0;
}
