/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root without pivot_root(2) (--no-pivot), for hosts whose own root is an initramfs: the container's root is
 * moved over "/". The host's mounts stay below it, out of the reach of paths; but as long as there is a whole
 * proc or sysfs among them the kernel lets the container's root mount further ones, without the masks of its
 * own. So those are removed first, or covered where they can't be.
 */
#ifndef MOUNT_MOVE_H
#define MOUNT_MOVE_H

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_root.h"

#define MOUNT_MOVE_TABLE_MAX ((size_t)64 << 20)	/* bytes of /proc/self/mountinfo */

/* Needs the host's /proc. The current directory is "/" afterwards. */
int mount_move_root(const struct bk_root *root, struct bk_err **err);

/*
 * What of the text of a mountinfo is a whole proc or sysfs mounted outside rootfs (an absolute path): their
 * mount points, in the order they stand there; heap strv.
 */
char **mount_move_whole(const char *mountinfo, const char *rootfs);

/* Undoes the kernel's escapes of blanks in a mountinfo, "\\040" and the like, in place. */
void mount_move_unescape(char *s);

#endif
