/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX access control lists: tar may hold them as text (SCHILY.acl.*), which libarchive parses; the
 * kernel takes them as an xattr (linux/posix_acl_xattr.h).
 *
 * Uses / used by: libarchive / layer_tar.
 */
#ifndef LAYER_ACL_H
#define LAYER_ACL_H

#include <archive_entry.h>
#include <stdbool.h>

#include "base/bk_buf.h"

#define LAYER_ACL_ACCESS "system.posix_acl_access"
#define LAYER_ACL_DEFAULT "system.posix_acl_default"
#define LAYER_ACL_SIZE_MAX ((size_t)64 << 10)	/* the kernel's limit of an xattr */

/*
 * Appends the entry's access or default list in the kernel's form; false where it has none (or none
 * that says more than its mode).
 */
bool layer_acl_encode(struct archive_entry *entry, bool is_default, struct bk_buf *out);

#endif
