/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What refers to an image in a registry (distribution-spec, "Listing Referrers"): the referrers API, and for registries
 * without it the index under a tag made of the image's digest ("Referrers Tag Schema"), which clients keep themselves.
 *
 * Uses: registry_manifest, store_referrers. Used by: registry_pull, registry_push, cmd.
 */
#ifndef REGISTRY_REFERRERS_H
#define REGISTRY_REFERRERS_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"

#define REGISTRY_REFERRERS_MAX 10000	/* of one image */
#define REGISTRY_DIGEST_TAG_SIZE 129	/* a tag and NUL */

/* "sha256-HEX" and suffix (".sig", or ""): the tag that goes with a digest. The digest is one that bk_digest_parse takes. */
void registry_digest_tag(const char *digest, const char *suffix, char ret[REGISTRY_DIGEST_TAG_SIZE]);

/*
 * The descriptors of what refers to the manifest of that digest: an array of *ret_n in the arena. type: of this artifactType
 * only; NULL: all. None is no error. Only digests and sizes are checked here: that one has that subject is known when it
 * is fetched.
 */
int registry_referrers(struct registry *r, const char *repo, const char *digest, const char *type,
		       struct bk_arena *arena, struct oci_descriptor **ret, size_t *ret_n,
		       struct bk_err **err);

/*
 * Adds d, as store_referrer_describe has it, to the index under the tag of that subject: after a push that the registry did
 * not answer with OCI-Subject. Once more where another client was faster (ETag); -BK_ERR_REGISTRY if the tag is no index.
 */
int registry_referrers_tag_add(struct registry *r, const char *repo, const char *subject,
			       const struct oci_descriptor *d, struct bk_err **err);

#endif
