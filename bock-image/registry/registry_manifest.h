/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and tags of a registry.
 *
 * Uses: registry, store. Used by: registry_pull, registry_push, cmd.
 */
#ifndef REGISTRY_MANIFEST_H
#define REGISTRY_MANIFEST_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"
#include "store/store.h"

#define REGISTRY_TAGS_MAX ((size_t)1 << 20)	/* of one repository */
#define REGISTRY_PAGES_MAX 10000
#define REGISTRY_PAGE_BYTES_MAX ((size_t)16 << 20)

/*
 * Fetches the manifest or index of a tag or a digest into the store (as a blob without a name). Checked: the digest that was
 * asked for and the one in Docker-Content-Digest; that Content-Type and mediaType agree; expect (NULL: none): size and
 * digest of a descriptor that led here. *ret: media type, digest, size; strings in the arena.
 */
int registry_manifest_get(struct registry *r, const char *repo, const char *reference,
			  const struct oci_descriptor *expect, struct store *s,
			  struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err);
/* The same into a buffer that has room for STORE_MANIFEST_MAX bytes, in place of a store. */
int registry_manifest_read(struct registry *r, const char *repo, const char *reference,
			   const struct oci_descriptor *expect, struct bk_buf *text,
			   struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err);
/* The same without the content: HEAD, or GET where a registry tells no digest. */
int registry_manifest_head(struct registry *r, const char *repo, const char *reference,
			   struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err);

/* All tags of a repository, in the registry's order; strv that the caller frees. */
int registry_tags(struct registry *r, const char *repo, char ***ret, struct bk_err **err);

#endif
