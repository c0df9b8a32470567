/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: a process that lets go of the store for long (it downloads) writes down which blobs it goes on to need, and gc, which
 * may run meanwhile, leaves these, whether they are there yet or not.
 *
 *	store_lease_begin, ..., store_lease_end, what names the image, store_close
 *
 * A lease is a file of digests, one a line, in .bock/leases/. Who made it holds its lock (flock), so that one of a process that
 * died is known, and goes with the next gc. It is made while the store is held (shared), which gc is not beside: to gc a lease
 * is whole, or not there.
 *
 * Uses / used by: store / store_gc, registry.
 */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "base/bk_map.h"
#include "store/store.h"

#define STORE_LEASE_MAX ((size_t)16 << 20) /* bytes of one */

/*
 * Leases the n digests, beside what s has leased already, and lets go of the store. Until store_lease_end only blobs among
 * these may be read or written (store_part.h). On failure the store is still held.
 */
int store_lease_begin(struct store *s, const char *const *digests, size_t n, struct bk_err **err);
/* Takes the store again: waits for a gc, at most a minute. What is leased stays so until store_close. */
int store_lease_end(struct store *s, struct bk_err **err);

/* Adds all digests that living processes have leased. Beside others (not as gc) it may miss one that is being made. */
int store_lease_mark(const struct store *s, struct bk_map *leased, struct bk_err **err);
/* Removes the leases of processes that died: for gc, which nobody else holds the store beside. */
int store_lease_sweep(const struct store *s, struct bk_err **err);

#endif
