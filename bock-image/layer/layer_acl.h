/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX access control lists: tar holds them as text (SCHILY.acl.*, as acl_to_text(3) writes it, an entry
 * for a user or group perhaps with its number behind); the kernel takes them as an xattr
 * (linux/posix_acl_xattr.h).
 *
 * Uses / used by: base / layer_tar.
 */
#ifndef LAYER_ACL_H
#define LAYER_ACL_H

#include <stdbool.h>

#include "base/bk_buf.h"

#define LAYER_ACL_ACCESS "system.posix_acl_access"
#define LAYER_ACL_DEFAULT "system.posix_acl_default"
#define LAYER_ACL_SIZE_MAX ((size_t)64 << 10)	/* the kernel's limit of an xattr */
#define LAYER_ACL_ENTRIES_MAX 4096

/*
 * Appends the list that text says in the kernel's form; nothing for an access list that says no more
 * than a mode (user, group and other). false: it can't be taken over, and *ret_why (heap) says why: it
 * is malformed, or names a user whose number it doesn't say.
 */
bool layer_acl_encode(const char *text, bool is_default, struct bk_buf *out, char **ret_why);

#endif
