/* SPDX-License-Identifier: Apache-2.0 */
/* Path text. Nothing here touches a file system; opening below an untrusted tree is bk_root.h. */
#ifndef BK_PATH_H
#define BK_PATH_H

#include <stdbool.h>

#include "base/bk_err.h"

/* dir + "/" + name with single slashes; name absolute -> name alone. Heap string. */
char *bk_path_join(const char *dir, const char *name);
/*
 * Lexically cleaned: no "//", "." or "..", absolute stays absolute; ".." never climbs above the
 * root, or in a relative path above its start. Heap string; "/" or "." when nothing is left.
 */
char *bk_path_clean(const char *path);
/* Absolute and cleaned, relative to the current directory. */
int bk_path_absolute(const char *path, char **ret, struct bk_err **err);
/* The part after the last '/', pointing into path; "" for "" and for a trailing slash. */
const char *bk_path_base(const char *path);
/* Everything before the last '/', "." or "/" where there is none. Heap string. */
char *bk_path_dir(const char *path);
/* True if path equals prefix or lies below it (both cleaned). */
bool bk_path_below(const char *path, const char *prefix);

#endif
