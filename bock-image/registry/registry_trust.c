/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_trust.h"

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "registry/registry_signature.h"

static int verify_digest(const struct trust_requirement *req, const struct registry_trust_image *image,
			 const char *digest, char **ret_reference, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct trust_signature *list = NULL;
	struct oci_descriptor *layers;
	size_t n = 0;
	int rc;

	if (image->r) {
		rc = registry_signatures(image->r, image->repo, digest, arena, &list, &n, err);
	} else {
		rc = registry_signatures_stored(image->s, digest, arena, &layers, &n, err);
		if (rc == 0)
			rc = registry_signatures_read(image->s, layers, n, arena, &list, err);
	}
	return rc < 0 ? rc : trust_verify(req, image->ref, digest, list, n, ret_reference, err);
}

int registry_trust_verify(const struct trust_requirement *req, const struct registry_trust_image *image,
			  char **ret_reference, struct bk_err **err)
{
	struct bk_err *why = NULL;
	int rc = verify_digest(req, image, image->digest, ret_reference, &why);

	if (rc == -BK_ERR_PERMISSION && image->image_digest &&
	    !bk_streq(image->digest, image->image_digest)) {
		bk_err_clear(&why);
		rc = verify_digest(req, image, image->image_digest, ret_reference, &why);
	}
	bk_err_move(err, why);
	return rc;
}

static int check_one(const struct trust_requirement *req, const struct registry_trust_image *image,
		     struct bk_err **err)
{
	switch (req->kind) {
	case TRUST_ACCEPT:
		return 0;
	case TRUST_SIGSTORE:
		if (!image->digest)
			return bk_err_set(err, BK_ERR_PERMISSION, 0, "it asks for a signature, which this can't have");
		return registry_trust_verify(req, image, NULL, err);
	case TRUST_UNSUPPORTED:
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "it asks for %s, which can't be checked",
				  req->what);
	case TRUST_REJECT:
		break;
	}
	return bk_err_set(err, BK_ERR_PERMISSION, 0, "it is rejected");
}

int registry_trust_check(const struct trust_policy *p, const struct trust_rules *rules,
			 const struct registry_trust_image *image, struct bk_err **err)
{
	for (size_t i = 0; i < rules->n; i++) {
		int rc = check_one(&rules->list[i], image, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "policy '%s' (%s)", trust_policy_source(p),
					   rules->scope);
	}
	return 0;
}

int registry_trust_load(void *ctx, const char *transport, const char *path, const struct store *s,
			const struct oci_descriptor *d, struct bk_err **err)
{
	const struct trust_policy *policy = ctx;
	const struct registry_trust_image image = { .digest = d->digest, .s = s };
	struct trust_rules rules;

	trust_policy_find_path(policy, transport, path, &rules);
	return registry_trust_check(policy, &rules, &image, err);
}
