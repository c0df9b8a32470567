/* SPDX-License-Identifier: Apache-2.0 */
/* Container ids, checked before they come near a path. */
#ifndef BK_ID_H
#define BK_ID_H

#include "base/bk_err.h"

#define BK_ID_MAX 255

/*
 * [A-Za-z0-9_+.-]+, at most BK_ID_MAX bytes, not "." or "..": 0, or -BK_ERR_CONFIG
 * "invalid container ID format: 'x/y': ..." (runc's words first, which callers know).
 */
int bk_id_check(const char *id, struct bk_err **err);

#endif
