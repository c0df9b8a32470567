/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Repairs of index.json by what the store itself has. Blobs are never changed or removed here; what they have lost comes from
 * registries (registry_fetch.h).
 *
 *	store_open(..., STORE_REPAIR, ...), store_repair_index, store_fsck
 *
 * Uses: store_index, store_image, store_blob. Used by: cmd.
 */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "base/bk_mem.h"
#include "oci/oci_descriptor.h"
#include "store/store.h"

/* Where an image was pulled from, REGISTRY/REPOSITORY: an annotation of its entry in index.json. */
#define STORE_SOURCE "io.bock.source"

/* Notes it in d, strings in the arena: for store_name_set. */
void store_source_note(struct oci_descriptor *d, const char *domain, const char *repo, struct bk_arena *arena);

#define STORE_DAMAGED_INDEX ".bock/index.json.damaged" /* the latest that was replaced */

/*
 * Makes index.json one that can be read, under its lock. One that is gone, or can't be read as a document, is made anew: an
 * entry, without a name, for each image in the store that is whole and that no index leads to; what was there is kept as
 * STORE_DAMAGED_INDEX. In one that can be read, entries without a digest go, and a wrong size becomes that of the blob whose
 * digest is right. told (may be NULL) hears of each change. An index that can't be read for another reason is an error.
 */
int store_repair_index(struct store *s, void (*told)(void *ctx, const char *what), void *ctx,
		       struct bk_err **err);

#endif
