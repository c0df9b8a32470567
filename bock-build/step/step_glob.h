/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of paths: `*`, `?`, `[...]` and `\` within one component, `**` as a component for any number
 * of them, none included. A leading dot is like any other character.
 *
 * Uses / used by: base, snap_dir / step_copy, step_ignore.
 */
#ifndef STEP_GLOB_H
#define STEP_GLOB_H

#include <stdbool.h>

#include "base/bk_err.h"
#include "base/bk_root.h"
#include "base/bk_str.h"

#define STEP_GLOB_MATCHES_MAX 100000
#define STEP_GLOB_DEPTH_MAX   256 /* directories below each other that are searched */

/* True if path (relative, cleaned) as a whole is like pattern (the same form). */
bool step_glob_match(const char *pattern, const char *path);
/* True if the text has any of the special characters. */
bool step_glob_is_pattern(const char *text);

/*
 * The paths below root that are like pattern, as a sorted strv. Directories are searched without a
 * link being followed.
 */
int step_glob_find(const struct bk_root *root, const char *pattern, char ***ret,
		   struct bk_err **err);

#endif
