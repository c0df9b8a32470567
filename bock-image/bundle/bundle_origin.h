/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BUNDLE/bock-bundle.json: which image a bundle was made of, and how its files are owned, for who makes an image of the
 * bundle again. A runtime does not look at it.
 *
 * Uses / used by: oci, layer_ids / bundle, bundle_kept, bundle_repack.
 */
#ifndef BUNDLE_ORIGIN_H
#define BUNDLE_ORIGIN_H

#include "layer/layer_ids.h"
#include "oci/oci_descriptor.h"

#define BUNDLE_ORIGIN "bock-bundle.json"

struct bundle_origin {
	char *version;			/* "1" */
	char *name;			/* of the image; NULL: none */
	struct oci_descriptor *image;	/* of its manifest */
	bool rootless;
	bool overlay;			/* the root is mounted by the runtime, of layers in the store */
	bool userxattr;			/* with it: overlayfs keeps its attributes in user.overlay.* */
	struct layer_ids ids;
};

/* Writes it into the folder dirfd; version is set by this. */
int bundle_origin_write(int dirfd, const struct bundle_origin *o, struct bk_err **err);

/*
 * Reads it, into the arena. -BK_ERR_NOT_FOUND where there is none, with what to do; -BK_ERR_UNSUPPORTED: of another
 * version.
 */
int bundle_origin_read(int dirfd, struct bk_arena *arena, struct bundle_origin *ret, struct bk_err **err);

#endif
