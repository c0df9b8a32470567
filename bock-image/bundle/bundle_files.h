/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bundle has beside rootfs and config.json: BUNDLE/resolv.conf, hosts and hostname, which are mounted in
 * /etc, and BUNDLE/volumes/N, the image's volumes.
 *
 * Uses / used by: layer_walk, layer_tree / bundle.
 */
#ifndef BUNDLE_FILES_H
#define BUNDLE_FILES_H

#include "base/bk_root.h"
#include "bundle/bundle_opts.h"
#include "oci/oci_image.h"

#define BUNDLE_VOLUMES_MAX 256	/* of one image */

/*
 * Makes them in the folder dirfd as opts says, and sets opts->binds (in the arena). A volume is mounted where its path
 * leads inside the root file system; one that would cover /, /proc, /sys or /dev, or on which opts->mounts has something,
 * is left out, with a warning in the first case. exec may be NULL.
 */
int bundle_files_make(int dirfd, const struct bk_root *rootfs, const struct oci_image_exec *exec,
		      struct bundle_opts *opts, struct bk_arena *arena, struct bk_err **err);

/* Gives what fd is to the container's root; without maps nothing is done. */
int bundle_files_own(const struct layer_ids *ids, int fd, struct bk_err **err);

#endif
