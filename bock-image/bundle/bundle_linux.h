/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "linux" object of a bundle's config.json: namespaces, id maps, limits, devices, masked and read-only
 * paths.
 *
 * Uses / used by: oci, layer_ids / bundle_config.
 */
#ifndef BUNDLE_LINUX_H
#define BUNDLE_LINUX_H

#include "bundle/bundle_opts.h"

/*
 * Fills c->linux_; memory is the arena's, and what opts points to must live as long. -BK_ERR_CONFIG: maps that lack
 * the container's root.
 */
int bundle_linux_make(const struct bundle_opts *opts, struct bk_arena *arena,
		      struct oci_runtime_config *c, struct bk_err **err);

/* Whether the container has a network namespace of its own, new or one that there is. */
bool bundle_linux_own_net(const struct bundle_opts *opts);

#endif
