/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of a tree that is for a user namespace: what the layer calls 0 is somebody else on the disk.
 *
 * Uses / used by: oci / layer_ids_map, bundle.
 */
#ifndef LAYER_IDS_H
#define LAYER_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "oci/oci_runtime.h"

#define LAYER_IDS_MAX 340	/* lines of a map: the kernel's limit */

struct layer_ids {
	struct oci_id_mapping *uids, *gids;	/* none of both: as the layer says */
	size_t n_uids, n_gids;
};

/* The id outside of one inside; false where it is not mapped. Without a map all ids are themselves. */
bool layer_ids_host(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret);
/* The other way. */
bool layer_ids_container(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t *ret);

/*
 * Appends "CONTAINER:HOST:SIZE" to a map in the arena. -BK_ERR_CONFIG: it is malformed, of size 0, past the last id,
 * or overlaps one that is there, on either side.
 */
int layer_ids_parse(const char *text, struct bk_arena *arena, struct oci_id_mapping **maps, size_t *n,
		    struct bk_err **err);

#endif
