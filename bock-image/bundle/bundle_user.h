/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `User` of an image configuration (image-spec conversion.md): user, uid, user:group, uid:gid, uid:group
 * or user:gid, with names looked up in the root file system's own /etc/passwd and /etc/group.
 *
 * Uses / used by: base / bundle_config, bock-build.
 */
#ifndef BUNDLE_USER_H
#define BUNDLE_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "base/bk_root.h"

#define BUNDLE_PASSWD_MAX ((size_t)4 << 20)	/* bytes of /etc/passwd or /etc/group */
#define BUNDLE_GROUPS_MAX 1024			/* additional groups of a user */

struct bundle_user {
	uint32_t uid, gid;
	uint32_t *additional_gids;	/* in the arena */
	size_t n_additional_gids;
	char *name;	/* in the arena: of the passwd line that was used, else NULL */
	char *home;	/* likewise */
};

/*
 * Resolves text (NULL and "" are 0:0). Digits are an id, never a name, and must fit (CVE-2024-40635);
 * a uid without a group takes the gid of its line in passwd, if there is one, else 0. Additional
 * groups are those of a user given by name without a group, the primary one first. A name that is
 * not found is -BK_ERR_CONFIG. The files are read inside the root, regular and bounded
 * (CVE-2024-9676).
 */
int bundle_user_resolve(const char *text, const struct bk_root *rootfs, struct bk_arena *arena,
			struct bundle_user *ret, struct bk_err **err);

#endif
