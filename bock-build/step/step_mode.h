/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `chmod` of a copy: octal ("0644"), or symbolic as chmod(1) takes it ("u=rwX,go=rX", "g=u",
 * "+x"). Where a clause names nobody, it means all; the umask plays no part.
 *
 * Uses / used by: base / step_copy.
 */
#ifndef STEP_MODE_H
#define STEP_MODE_H

#include <sys/types.h>

#include "base/bk_err.h"

/*
 * The permissions (07777) that a file with `mode` (type and permissions) gets. -BK_ERR_CONFIG where spec is
 * no mode: ask once with any mode to check it.
 */
int step_mode_apply(const char *spec, mode_t mode, mode_t *ret, struct bk_err **err);

#endif
