/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Referrers: manifests and indexes whose `subject` is an image (image-spec manifest.md), as signatures and SBOMs are.
 * In the store they are entries of index.json, mostly without a name, which live as long as their subject does: gc
 * removes one that has no name when its subject has gone.
 *
 * Uses / used by: store_index, store_image / registry, cmd.
 */
#ifndef STORE_REFERRERS_H
#define STORE_REFERRERS_H

#include "oci/oci_image.h"
#include "store/store.h"

#define STORE_REFERRERS_MAX 10000	/* of one image */

/* The configuration of what is no image: "{}" (image-spec manifest.md, "Guidance for an Empty Descriptor"). */
#define STORE_EMPTY_TYPE "application/vnd.oci.empty.v1+json"

/*
 * What a list of referrers says of d, whose content is text (distribution-spec "Listing Referrers"): d's type, digest and
 * size, the artifactType (of a manifest without one the type of its configuration) and all annotations. *ret_subject:
 * its subject's digest, NULL: it has none. Strings in the arena. -BK_ERR_CONFIG: no manifest or index.
 */
int store_referrer_describe(const struct oci_descriptor *d, const char *text, size_t len,
			    struct bk_arena *arena, struct oci_descriptor *ret,
			    const char **ret_subject, struct bk_err **err);

/* The same of a blob of the store; d may be any descriptor of it. */
int store_referrer_read(const struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
			struct oci_descriptor *ret, const char **ret_subject, struct bk_err **err);

/*
 * What refers to the manifest or index of that digest, in the order of index.json: an array of *ret_n in the arena. type: of
 * this artifactType only; NULL: all. What can't be read refers to nothing.
 */
int store_referrers(const struct store *s, const char *digest, const char *type, struct bk_arena *arena,
		    struct oci_descriptor **ret, size_t *ret_n, struct bk_err **err);

/* Makes a manifest of the store, with all it leads to there, an entry of index.json without a name. */
int store_referrer_add(struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
		       struct bk_err **err);

/* An artifact to be made. */
struct store_artifact {
	const char *type;			/* artifactType */
	const struct oci_descriptor *config;	/* NULL: the empty one, which is stored */
	const struct oci_descriptor *layers;	/* blobs of the store; none: the empty one */
	size_t n_layers;
	const struct oci_descriptor *subject;	/* NULL: none */
	const struct bk_doc_pair *annotations;
	size_t n_annotations;
};

/*
 * Stores the manifest of an artifact (image-spec manifest.md, "Guidelines for Artifact Usage"), without a name: what has a
 * subject gets one by store_referrer_add. *ret: its descriptor, strings in the arena.
 */
int store_artifact_put(struct store *s, const struct store_artifact *a, struct bk_arena *arena,
		       struct oci_descriptor *ret, struct bk_err **err);

#endif
