/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes through the maps of layer_ids.h. Owners, the users and groups of ACLs, and the root that a file
 * capability is for are mapped while a layer is applied, so that no pass over the tree comes behind it.
 *
 * Uses / used by: layer_ids, layer_tree / layer_apply, layer_walk.
 */
#ifndef LAYER_IDS_MAP_H
#define LAYER_IDS_MAP_H

#include "layer/layer_ids.h"
#include "layer/layer_tree.h"

/*
 * From what a layer says to what the disk gets. Values of xattrs must be heap memory: one may be replaced. What can't
 * be mapped is -BK_ERR_CONFIG.
 */
int layer_ids_map(const struct layer_ids *ids, struct layer_attrs *attrs, struct bk_err **err);
/* The other way, for what is on the disk. */
int layer_ids_unmap(const struct layer_ids *ids, struct layer_attrs *attrs, struct bk_err **err);

#endif
