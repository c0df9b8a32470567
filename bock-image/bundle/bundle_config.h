/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an image configuration to config.json: image-spec conversion.md, and around it defaults that run:
 * namespaces and mounts as `runc spec` writes them, Docker's default capabilities, masked and
 * read-only paths, no_new_privileges, and the seccomp profile of bundle_seccomp.h.
 *
 * Uses / used by: oci, bundle_opts, bundle_linux, bundle_mounts, bundle_security, bundle_user / bundle, bock-build.
 */
#ifndef BUNDLE_CONFIG_H
#define BUNDLE_CONFIG_H

#include "base/bk_root.h"
#include "bundle/bundle_opts.h"
#include "oci/oci_image.h"

/* What can be said before there is a root file system: that the image is for linux and has a command. */
int bundle_config_check(const struct oci_image_config *image, const struct bundle_opts *opts,
			struct bk_err **err);

/*
 * Fills *ret; memory is the arena's, and what opts and image point to must live as long. rootfs is where
 * user names are looked up. Errors: an image that is not for linux, or without a command
 * (-BK_ERR_CONFIG), and those of bundle_user_resolve.
 */
int bundle_config_make(const struct oci_image_config *image, const struct bundle_opts *opts,
		       const struct bk_root *rootfs, struct bk_arena *arena,
		       struct oci_runtime_config *ret, struct bk_err **err);

/* Writes config.json (a temporary file, renamed) into the folder dirfd. */
int bundle_config_write(int dirfd, const struct oci_runtime_config *config, struct bk_err **err);

#endif
