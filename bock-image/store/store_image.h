/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: a manifest, its configuration and its layers, as stored.
 *
 * Documents are checked before they are believed: size and digest, schemaVersion, mediaType against the
 * descriptor's, nothing that is manifest and index at once (CVE-2021-41190), as many diff_ids as layers.
 *
 * Uses / used by: store_blob, store_index / layer, bundle, cmd, bock-build.
 */
#ifndef STORE_IMAGE_H
#define STORE_IMAGE_H

#include "oci/oci_image.h"
#include "store/store.h"

#define STORE_LAYERS_MAX 1024	/* of one image */
#define STORE_NESTING_MAX 4	/* indexes in indexes */

struct store_image {
	struct bk_arena *arena;		/* owns all below */
	char *name;			/* as in the store; NULL where it was found by digest only */
	struct oci_descriptor desc;	/* of the manifest */
	struct oci_manifest manifest;
	unsigned int n_indexes;		/* that led to the manifest */
	struct oci_image_config config;	/* .config may be NULL; .rootfs is not */
};

/*
 * Looks an image up (store_name_find); of an index the manifest for this machine is taken, the first
 * that matches.
 */
int store_image_open(const struct store *s, const char *name, struct store_image **ret,
		     struct bk_err **err);
/* The same from a descriptor. */
int store_image_open_desc(const struct store *s, const struct oci_descriptor *d,
			  struct store_image **ret, struct bk_err **err);
void store_image_free(struct store_image *i);
BK_DEFINE_AUTO(store_image, store_image_free);
#define bk_autostoreimage bk_auto(bk_auto_store_image_)

/* One document each. */
int store_manifest_read(const struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
			struct oci_manifest *ret, struct bk_err **err);
int store_manifests_read(const struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
			 struct oci_index *ret, struct bk_err **err);
int store_config_read(const struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
		      struct oci_image_config *ret, struct bk_err **err);

/*
 * Stores a new image: encodes config (an OCI image configuration) and a manifest of it with the given
 * layers (blobs of this store; n_layers of them, in order), and gives it the name, NULL for none. The
 * manifest's descriptor, platform included, comes back in *ret (may be NULL; strings in the arena).
 */
int store_image_put(struct store *s, const char *name, const struct oci_image_config *config,
		    const struct oci_descriptor *layers, size_t n_layers,
		    const struct bk_doc_pair *annotations, size_t n_annotations,
		    struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err);

/*
 * The manifest alone, without a name: of a configuration that is a blob already (config_desc; config is
 * what it says).
 */
int store_manifest_put(struct store *s, const struct oci_image_config *config,
		       const struct oci_descriptor *config_desc, const struct oci_descriptor *layers,
		       size_t n_layers, const struct bk_doc_pair *annotations, size_t n_annotations,
		       struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err);

/* That everything which d leads to is in the store with the right size; unknown kinds are leaves. */
int store_image_complete(const struct store *s, const struct oci_descriptor *d, struct bk_err **err);

/* "amd64", "arm64", ... of this machine, as images name it; and "v8" etc., or NULL. */
const char *store_machine_arch(void);
const char *store_machine_variant(void);
/* linux with these two; strings are static. */
void store_machine_platform(struct oci_platform *ret);

#endif
