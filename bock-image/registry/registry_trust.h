/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy (trust_policy.h) applied to images that are taken: from registries, and from files.
 *
 * Uses: trust, registry_signature. Used by: cmd of the helper, lib.
 */
#ifndef REGISTRY_TRUST_H
#define REGISTRY_TRUST_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"
#include "store/store.h"
#include "trust/trust_verify.h"

/* An image that somebody wants, and where its signatures are: in a registry, or (r NULL) a store. */
struct registry_trust_image {
	const struct ref *ref;		/* NULL: it has no name */
	/* of what the name stands for; NULL: it is yet to be made, and nobody can have signed it */
	const char *digest;
	const char *image_digest;	/* of an index the image that was chosen; NULL, or the same: none */
	struct registry *r;
	const char *repo;
	const struct store *s;
};

/*
 * That the policy takes the image: 0, or -BK_ERR_PERMISSION (UNSUPPORTED: it asks for what can't be checked), which names the file and
 * the scope. A signature of the index, or of the image that was chosen, will do.
 */
int registry_trust_check(const struct trust_policy *p, const struct trust_rules *rules,
			 const struct registry_trust_image *image, struct bk_err **err);

/* One requirement; *ret_reference as for trust_verify. */
int registry_trust_verify(const struct trust_requirement *req, const struct registry_trust_image *image,
			  char **ret_reference, struct bk_err **err);

/* That the policy, ctx, takes an image from a file, by its transport and the path: store_load_opts.check. */
int registry_trust_load(void *ctx, const char *transport, const char *path, const struct store *s,
			const struct oci_descriptor *d, struct bk_err **err);

#endif
