/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose ids an id-mapped mount shows (config.md "uidMappings", the options idmap and ridmap): mappings of
 * its own, from the members or from "idmap=uids=0-1000-1#1-100000-10;gids=0-1000-1" (the ids on disk, those on
 * the host, how many; with a "@" in front those in the container), or the container's user namespace.
 */
#ifndef MOUNT_IDMAP_H
#define MOUNT_IDMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "mount/mount_opts.h"
#include "oci/oci_runtime.h"

#define MOUNT_IDMAP_MAX 340	/* ranges of one map: the kernel's limit */

struct mount_idmap {
	const struct oci_id_mapping *uids, *gids;	/* NULL: those of the container's user namespace */
	size_t n_uids, n_gids;
	bool recursive;
};

/* The container's own maps, for "@". */
struct mount_idmap_ctx {
	bool userns;		/* the container has a user namespace, new or joined */
	const struct oci_id_mapping *uids, *gids;
	size_t n_uids, n_gids;
};

/* What m and its options ask for; *ret is NULL for a mount as any other. */
int mount_idmap_compile(const struct oci_mount *m, const struct mount_flags *f,
			const struct mount_idmap_ctx *ctx, const char *where,
			struct bk_arena *arena, const struct mount_idmap **ret, struct bk_err **err);

/* "uid 0:1000:1 gid 0:1000:1", or "by the container's user namespace". */
void mount_idmap_print(const struct mount_idmap *m, struct bk_buf *out);

/* True if both say the same, so that one user namespace serves both. */
bool mount_idmap_same(const struct mount_idmap *a, const struct mount_idmap *b);

#endif
