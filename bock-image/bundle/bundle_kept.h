/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles from layers that the store keeps unpacked (layer_keep.h):
 *
 *	overlay	BUNDLE/upper and BUNDLE/work, and in config.json the mount of the root, which the runtime makes: an
 *		overlayfs of the store's layers and upper. BUNDLE/rootfs is empty, and where it is attached. The store
 *		knows of the bundle, by its path, and keeps the layers.
 *	reflink	BUNDLE/rootfs is a tree of its own that shares its blocks with the layers.
 *	erofs	as overlay, but over an EROFS of the store (layer_index.h), which the runtime mounts first.
 *
 * Uses / used by: store, layer, bundle_config / cmd.
 */
#ifndef BUNDLE_KEPT_H
#define BUNDLE_KEPT_H

#include "bundle/bundle.h"

enum bundle_mode {
	BUNDLE_COPY,	/* bundle_unpack */
	BUNDLE_OVERLAY,
	BUNDLE_REFLINK,
	BUNDLE_EROFS,
	BUNDLE_AUTO,	/* reflink where the file system can, else copy */
};

/*
 * As bundle_unpack, which it calls for BUNDLE_COPY. Other modes need a store that is writable. What a mode can't do
 * here is -BK_ERR_UNSUPPORTED, before anything is made at path.
 */
int bundle_unpack_mode(struct store *s, const struct store_image *image, const char *path,
		       enum bundle_mode mode, const struct bundle_opts *opts, const struct layer_opts *layer,
		       struct layer_stats *ret_stats, struct bk_err **err);

#endif
