/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user namespace that no program runs in: what an id-mapped mount takes its mapping from. A process that does
 * nothing holds it until its maps are written and a descriptor is open, and is gone when this returns.
 */
#ifndef NS_HOLDER_H
#define NS_HOLDER_H

#include "base/bk_err.h"
#include "oci/oci_runtime.h"

/* The maps are those of ns_maps_write; *ret_fd is the namespace. */
int ns_holder_open(const struct oci_id_mapping *uids, size_t n_uids,
		   const struct oci_id_mapping *gids, size_t n_gids, int *ret_fd,
		   struct bk_err **err);

#endif
