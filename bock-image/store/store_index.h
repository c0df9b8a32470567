/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: descriptors in index.json that carry org.opencontainers.image.ref.name. index.json is replaced
 * atomically, under a lock.
 *
 * Uses / used by: store, ref / store_image, store_gc, cmd.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "oci/oci_descriptor.h"
#include "oci/oci_image.h"
#include "store/store.h"

#define STORE_NAMES_MAX ((size_t)1 << 20)	/* of one store */

/* All of index.json, memory in the arena. */
int store_index_read(const struct store *s, struct bk_arena *arena, struct oci_index *ret,
		     struct bk_err **err);

/* The name of a descriptor of index.json, NULL where it has none. */
const char *store_index_name(const struct oci_descriptor *d);

/*
 * Finds what `name` means: the descriptor of that very name, else of a name that means the same
 * (ref_same), else one whose digest is name ("sha256:..."), or begins with it (hex digits, 7 or more,
 * of one image only). -BK_ERR_NOT_FOUND otherwise.
 */
int store_name_find(const struct store *s, const char *name, struct bk_arena *arena,
		    struct oci_descriptor *ret, struct bk_err **err);

/*
 * Gives the manifest or index that d describes (a blob of this store) a name, which is kept as typed.
 * An image that had the same name loses it.
 */
int store_name_set(struct store *s, const char *name, const struct oci_descriptor *d,
		   struct bk_err **err);

/* One name to give, for several in one step. */
struct store_naming {
	const char *name;
	const struct oci_descriptor *desc;
};

/* All or none. replace false: a name that means another image already is -BK_ERR_CONFIG. */
int store_names_set(struct store *s, const struct store_naming *names, size_t n, bool replace,
		    struct bk_err **err);

/*
 * Takes a name away and keeps the image: it stays in index.json without a name, unless it has another
 * one. -BK_ERR_NOT_FOUND where no image is called so; a digest is no name.
 */
int store_name_unset(struct store *s, const char *name, struct bk_err **err);

/* Takes a name away (found as by store_name_find); the blobs stay until gc. */
int store_name_delete(struct store *s, const char *name, struct bk_err **err);

#endif
