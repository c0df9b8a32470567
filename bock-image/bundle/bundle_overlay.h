/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The overlay bundle of bundle_kept.h, of layers that are there: it needs no reader of archives.
 *
 * Uses / used by: store, layer_keep, bundle_config / cmd.
 */
#ifndef BUNDLE_OVERLAY_H
#define BUNDLE_OVERLAY_H

#include "bundle/bundle.h"

/*
 * As bundle_unpack_mode with BUNDLE_OVERLAY, where the store keeps all layers. *ret_done false, and no error: it does not, and
 * nothing was done.
 */
int bundle_overlay(struct store *s, const struct store_image *image, const char *path, const struct bundle_opts *opts,
		   const struct layer_opts *layer, bool *ret_done, struct bk_err **err);

#endif
