/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of the container: propagation, the bind mount that pivot_root(2) needs, the pivot, a
 * read-only root, masked and read-only paths.
 */
#ifndef MOUNT_ROOT_H
#define MOUNT_ROOT_H

#include "base/bk_err.h"
#include "base/bk_root.h"

/*
 * Cuts this mount namespace off: "/" becomes propagation (MS_* | MS_REC; 0: rslave) first. pivot_root
 * refuses a shared parent, so the mount that holds rootfs becomes private when that is shared, and
 * what "/" became when that was not recursive.
 */
int mount_root_isolate(unsigned long propagation, const char *rootfs, struct bk_err **err);

/* Sets the propagation (MS_*) of the mount that holds path. */
int mount_root_set_holder(const char *path, unsigned long propagation, struct bk_err **err);

/* Binds rootfs onto itself and opens it. */
int mount_root_bind(const char *rootfs, struct bk_root *ret, struct bk_err **err);

/*
 * The same in two steps: a clone of it, with what is mounted below, detached; propagation (MS_*; 0: as it is there): of
 * the clone. Then it is attached to dest.
 */
int mount_root_clone(const char *rootfs, unsigned long propagation, struct bk_root *ret,
		     struct bk_err **err);
int mount_root_attach(const struct bk_root *clone, const char *dest, struct bk_err **err);

/*
 * pivot_root to it; the old root is detached. propagation: what mount_root_isolate() was given. The current
 * directory is "/" afterwards.
 */
int mount_root_pivot(unsigned long propagation, const struct bk_root *root, struct bk_err **err);

/* Whether this kernel takes linux.mountLabel: it has SELinux. */
int mount_root_label_check(const char *label, const char *option, struct bk_err **err);

/* Propagation of the new "/" (linux.rootfsPropagation). */
int mount_root_propagate(unsigned long propagation, struct bk_err **err);

/* The root mount alone becomes read-only; other mounts keep what they are. */
int mount_root_readonly(const struct bk_root *root, struct bk_err **err);

/* Each existing path becomes a read-only recursive bind of itself; the missing are skipped. */
int mount_root_ro_paths(char *const *paths, const struct bk_root *root, struct bk_err **err);

/*
 * Opens the host's /dev/null for mount_root_mask, verified to be the device 1:3 (CVE-2025-31133). Call it
 * before the pivot.
 */
int mount_root_open_null(int *ret_fd, struct bk_err **err);

/*
 * Hides each existing path: files behind null_fd, directories behind an empty read-only tmpfs. The missing
 * are skipped.
 */
int mount_root_mask(char *const *paths, const struct bk_root *root, int null_fd, const char *label,
		    struct bk_err **err);

#endif
