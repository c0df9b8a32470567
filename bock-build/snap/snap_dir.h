/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names in a directory of an untrusted tree.
 *
 * Uses / used by: base / snap, step.
 */
#ifndef SNAP_DIR_H
#define SNAP_DIR_H

#include "base/bk_err.h"
#include "base/bk_root.h"

#define SNAP_DIR_NAMES_MAX ((size_t)4 << 20) /* of one directory */

/*
 * The names in the directory at path ("" is the root) below root, no link followed, as a sorted strv
 * without "." and "..".
 */
int snap_dir_names(const struct bk_root *root, const char *path, char ***ret, struct bk_err **err);

#endif
