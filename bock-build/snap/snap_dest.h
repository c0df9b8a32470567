/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a copy goes: the canonical path of a destination in the stage as it is so far, with the links
 * of the stage followed as they will be when the image runs. A layer that named "bin/x" where /bin is
 * a link would put a directory in the link's place.
 *
 * Uses / used by: base / snap_stubs, step_copy.
 */
#ifndef SNAP_DEST_H
#define SNAP_DEST_H

#include <sys/stat.h>

#include "base/bk_err.h"
#include "base/bk_root.h"

#define SNAP_DEST_LINKS_MAX 40 /* links on the way to one destination, as in the kernel */

/*
 * Resolves path (absolute, or relative to the root) below view, the last component too if it is a
 * link. *ret_path (heap) has no leading '/', no ".", no ".."; "" is the root. ret_st (may be NULL)
 * is what is there; st_mode 0: nothing. view NULL: an empty tree.
 * -BK_ERR_CONFIG where the way leads through what is no directory, or through too many links.
 */
int snap_dest_resolve(const struct bk_root *view, const char *path, char **ret_path,
		      struct stat *ret_st, struct bk_err **err);

/* What is at path itself (a link is not followed); st_mode 0: nothing. view NULL: an empty tree. */
int snap_dest_look(const struct bk_root *view, const char *path, struct stat *ret_st,
		   struct bk_err **err);

#endif
