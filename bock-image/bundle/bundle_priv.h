/* SPDX-License-Identifier: Apache-2.0 */
/* What the ways to fill a bundle share. */
#ifndef BUNDLE_PRIV_H
#define BUNDLE_PRIV_H

#include "bundle/bundle.h"

/*
 * The bundle's folder, made or found empty. Everything in it is reached through this descriptor: who
 * renames it meanwhile finds a bundle under another name, and nothing else.
 */
int bundle_take_folder_(const char *path, int *ret_fd, bool *ret_made, struct bk_err **err);

/* rootfs with all layers applied, and config.json, in the folder fd. */
int bundle_fill_(const struct store *s, const struct store_image *image, int fd,
		 const struct bundle_opts *opts, const struct layer_opts *layer,
		 struct layer_stats *ret_stats, struct bk_err **err);

/* Notes in the folder fd what it was made of (bundle_origin.h). */
int bundle_note_origin_(const struct store_image *image, int fd, bool overlay, const struct layer_opts *layer,
			struct bk_err **err);

/* The files beside rootfs in the bundle fd (bundle_files.h), and the configuration of a tree that is there. */
int bundle_convert_(const struct store_image *image, int fd, const struct bk_root *root,
		    const struct bundle_opts *opts, struct bk_arena *arena,
		    struct oci_runtime_config *ret, struct bk_err **err);

#endif
