/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of images as cosign keeps them: layers of a manifest under the tag "sha256-HEX.sig", or of one that has the image as its
 * subject. The store knows the second form only.
 *
 * Uses: registry_referrers, store_referrers, trust. Used by: cmd.
 */
#ifndef REGISTRY_SIGNATURE_H
#define REGISTRY_SIGNATURE_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"
#include "store/store.h"
#include "trust/trust_verify.h"

/*
 * The signatures that a registry has of the manifest or index of that digest, in both forms; an array of *ret_n (at most
 * TRUST_SIGNATURES_MAX) in the arena. None is no error.
 */
int registry_signatures(struct registry *r, const char *repo, const char *digest,
			struct bk_arena *arena, struct trust_signature **ret, size_t *ret_n,
			struct bk_err **err);

/* The layers of those that the store has; an array of *ret_n in the arena. */
int registry_signatures_stored(const struct store *s, const char *digest, struct bk_arena *arena,
			       struct oci_descriptor **ret, size_t *ret_n, struct bk_err **err);
/* What these layers are. */
int registry_signatures_read(const struct store *s, const struct oci_descriptor *layers, size_t n,
			     struct bk_arena *arena, struct trust_signature **ret, struct bk_err **err);

/*
 * Adds layers, which are in the store, to those under the tag, in the registry. s gets what is there already, and the new manifest. Nothing
 * is done where all are there.
 */
int registry_signatures_tag_add(struct registry *r, const char *repo, const char *digest,
				struct store *s, const struct oci_descriptor *layers, size_t n,
				struct bk_err **err);

/* Of d and what it leads to: whether the store has signatures that could be sent. */
bool registry_signatures_any(const struct store *s, const struct oci_descriptor *d);
/*
 * The store's signatures of d, and of the manifests of an index, to the tags that they have in a registry; other is a store of the
 * caller's, through which they go.
 */
int registry_signatures_push(struct registry *r, const char *repo, const struct store *s,
			     const struct oci_descriptor *d, struct store *other, struct bk_err **err);

#endif
