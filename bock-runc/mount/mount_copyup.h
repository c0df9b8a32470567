/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option tmpcopyup: what a directory holds is copied into the tmpfs that is to cover it: owners, modes,
 * times, extended attributes, hard and symbolic links, holes. Everything is reached by descriptors with
 * single names, and no link is followed; mounts below the directory are copied as they are seen.
 */
#ifndef MOUNT_COPYUP_H
#define MOUNT_COPYUP_H

#include "base/bk_err.h"

#define MOUNT_COPYUP_DEPTH_MAX 256	/* of directories */
#define MOUNT_COPYUP_LINKS_MAX 16384	/* files with more than one name */
#define MOUNT_COPYUP_XATTR_MAX 65536	/* bytes of a list of names or of one value: the kernel's limits */

/*
 * Copies what is in the directory `from` (an O_PATH descriptor will do) into the directory `to`. Of `to`
 * itself only the extended attributes change. The error names the path from there.
 */
int mount_copyup(int from, int to, struct bk_err **err);

#endif
