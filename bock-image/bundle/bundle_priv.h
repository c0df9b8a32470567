/* SPDX-License-Identifier: Apache-2.0 */
/* What the ways to fill a bundle share. */
#ifndef BUNDLE_PRIV_H
#define BUNDLE_PRIV_H

#include "bundle/bundle.h"
#include "layer/layer_keep.h"

/*
 * The bundle's folder, made or found empty. Everything in it is reached through this descriptor: who
 * renames it meanwhile finds a bundle under another name, and nothing else.
 */
int bundle_take_folder_(const char *path, int *ret_fd, bool *ret_made, struct bk_err **err);

/* The end of all ways, with the state rc: after an error nothing is left (fd may be -1), and the error names the path. Returns rc. */
int bundle_leave_folder_(const char *path, int fd, bool made, int rc, struct bk_err **err);

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

/* ---- overlayfs on top, of layers or of an EROFS ---------------------------------------------------- */

/* The path of an open folder; heap. What overlayfs's options can't hold is refused. */
int bundle_path_(int fd, const char *what, char **ret, struct bk_err **err);

/* A file system that is the root, as the runtime is to mount it; options: strv, may be empty. Memory is the arena's. */
void bundle_root_mount_(const char *type, const char *source, char *const *options, struct bk_arena *arena,
			struct oci_mount *ret);

/* The same: an overlayfs over what options name already, with the folders of the bundle, a path, on top. */
void bundle_overlay_mount_(const char *bundle, bool userxattr, char ***options, struct bk_arena *arena,
			   struct oci_mount *ret);

/* These folders, in the folder fd; upper's root is as `root` in dirfd, and ret_inode its inode. */
int bundle_overlay_folders_(int dirfd, const char *root, int fd, uint64_t *ret_inode, struct bk_err **err);

/* Notes in the store that the bundle needs what keys name (strv). */
int bundle_note_use_(struct store *s, const struct store_image *image, char **keys, const char *bundle, uint64_t inode,
		     struct bk_err **err);

/* config.json, with these mounts before the others. */
int bundle_write_roots_(int fd, struct oci_runtime_config *config, const struct oci_mount *roots, size_t n,
			struct bk_arena *arena, struct bk_err **err);

/* What an overlay bundle consists of, in the folder fd. */
int bundle_overlay_fill_(struct store *s, const struct store_image *image, const struct layer_kept *k, int fd,
			 const struct bundle_opts *opts, struct bk_err **err);

#endif
