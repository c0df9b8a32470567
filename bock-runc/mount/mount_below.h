/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container without a mount namespace: what is mounted below its root file system is mounted in the
 * runtime's own, and goes away only when somebody unmounts it.
 *
 * The root file system itself may lie on a mount of its own (an engine's overlay); that is not "below".
 */
#ifndef MOUNT_BELOW_H
#define MOUNT_BELOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_root.h"

#define MOUNT_BELOW_TABLE_MAX ((size_t)64 << 20)	/* bytes of /proc/self/mountinfo */
#define MOUNT_BELOW_TRIES 4	/* of mount_below_remove without any progress */

struct mount_below_row {
	uint64_t id;	/* of the mount */
	char *path;	/* in the root file system: "/proc" */
	bool foreign;	/* it is the peer of a mount of the host: what was unmounted in it would vanish there, too */
};

struct mount_below {
	struct mount_below_row *rows;	/* in the order in which they are in the table: the last is on top */
	size_t n;
};

/*
 * What of the text of a mountinfo is mounted below dir (an absolute path without links). A copy that the kernel
 * made of such a mount elsewhere, because what it is on is shared, makes it not foreign: it goes with it.
 */
void mount_below_parse(const char *mountinfo, const char *dir, struct mount_below *ret);
void mount_below_done(struct mount_below *b);

/* The same of /proc/self/mountinfo, and a dir that may have links in it. */
int mount_below_find(const char *dir, struct mount_below *ret, struct bk_err **err);

/*
 * Opens the root file system dir; with dev and inode (0: anything) it must be that one, which nobody has put
 * something else in the place of.
 */
int mount_below_open(const char *dir, uint64_t dev, uint64_t inode, struct bk_root *ret, struct bk_err **err);

/*
 * Unmounts everything below dir, the last first, and nothing on its way outside; reached through bk_root, as
 * processes of the container may still be at work there. The error names a mount that could not be
 * removed.
 */
int mount_below_remove(const char *dir, uint64_t dev, uint64_t inode, struct bk_err **err);

#endif
