/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was changed in a bundle's root since it was unpacked, as a layer. The image that bock-bundle.json names is unpacked
 * again, into BUNDLE/.repack, as it was then, and both trees are compared: no pass over the files is needed when a bundle
 * is made. BUNDLE/.repack takes the image's size once more, for as long as it takes; one of a process that was killed goes
 * with the next.
 *
 * Of a bundle of the mode overlay it is the upper directory that is read, with nothing mounted; the layer is that of a
 * bundle of the mode copy with the same change.
 *
 * Uses / used by: bundle_origin, layer_apply, layer_delta, layer_out / cmd.
 */
#ifndef BUNDLE_REPACK_H
#define BUNDLE_REPACK_H

#include "layer/layer.h"
#include "layer/layer_out.h"
#include "store/store_image.h"

struct bundle_repacked {
	struct store_image *image;	/* that the bundle was made of; the caller frees it */
	bool changed;			/* whether there is a layer */
	struct layer_info layer;
};

struct bundle_repack_opts {
	enum oci_media_compression compression;
	char *const *mask;	/* strv of paths in the root, at and below which changes are left out; may be NULL */
	/* Told what can be in no layer (sockets); may be NULL. */
	void (*warn)(void *ctx, const char *message);
	void *ctx;
};

/*
 * Puts the layer into the store, which must be writable, and be the one that has the image: -BK_ERR_NOT_FOUND if it is
 * gone. -BK_ERR_CONFIG for a mask that is the root or has "..". -BK_ERR_UNSUPPORTED for a bundle of the mode overlay
 * whose upper directory is not whole by itself (layer_walk.h).
 */
int bundle_repack(struct store *s, const char *path, const struct bundle_repack_opts *opts, struct bundle_repacked *ret,
		  struct bk_err **err);

#endif
