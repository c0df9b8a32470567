/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle (runtime-spec bundle.md) from a stored image: DIR/rootfs with all layers applied,
 * DIR/config.json, and DIR/bock-bundle.json (bundle_origin.h).
 *
 * Uses / used by: store, layer, bundle_config / cmd, bock-build.
 */
#ifndef BUNDLE_H
#define BUNDLE_H

#include "bundle/bundle_config.h"
#include "layer/layer.h"
#include "store/store_image.h"

/*
 * Makes the bundle at path, which must not exist or be an empty directory. On failure nothing is left
 * (a directory that was there is empty again). layer->rootless and opts->rootless belong together.
 */
int bundle_unpack(const struct store *s, const struct store_image *image, const char *path,
		  const struct bundle_opts *opts, const struct layer_opts *layer,
		  struct layer_stats *ret_stats, struct bk_err **err);

#endif
