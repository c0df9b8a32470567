/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where images are mounted from the layers that the store keeps (store_layers.h), in the mount namespace of this process:
 * what is mounted by the notes of uses, and its end. layer_mount makes them.
 *
 *	STORE/.bock/mounts/ID-NS	where an image is mounted if the caller names no folder: its digest and the namespace
 *	STORE/.bock/mounts		locked (flock) while a mount and its note change
 *
 * Uses / used by: store_layers / layer_mount, cmd.
 */
#ifndef STORE_MOUNTS_H
#define STORE_MOUNTS_H

#include "store/store_layers.h"

#define STORE_MOUNTS_WAIT_MS 10000	/* for another process that mounts or unmounts */
#define STORE_MOUNTS_NAME_SIZE (BK_DIGEST_TEXT_SIZE + 24)

/*
 * The folder of the store's own mount points, made where it is missing, and locked until it is closed; the store must be
 * writable. -BK_ERR_IO EBUSY after STORE_MOUNTS_WAIT_MS.
 */
int store_mounts_lock(struct store *s, int *ret_fd, struct bk_err **err);

/* The name in that folder for an image's manifest in a mount namespace. */
void store_mounts_name(const char *digest, uint64_t namespace, char name[STORE_MOUNTS_NAME_SIZE]);
/* Whether it is mounted in that folder, not where a caller said. */
bool store_mounts_is_own(const struct store *s, const struct store_use *u);

/* Those of this mount namespace that are there; memory in the arena. A store without any is an empty list. */
int store_mounts_list(const struct store *s, struct bk_arena *arena, struct store_use **ret, size_t *ret_n,
		      struct bk_err **err);

/*
 * Takes one from the count of a mount of store_mounts_list, or all if `all`; at 0 unmounts it, forgets it and removes its
 * folder if that is the store's. lock is that of store_mounts_lock. *ret_ended says whether it was the last. EBUSY names
 * processes that hold it.
 */
int store_mounts_end(struct store *s, int lock, const struct store_use *u, bool all, bool *ret_ended,
		     struct bk_err **err);

#endif
