/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs that arrive in pieces, in any order, over more than one run: .bock/ingest/ALG-HEX.part is the content, beside it
 * .map, one byte a segment that is there. The digest is computed as the pieces close up from the front. What a run
 * leaves behind the next one goes on with; gc removes it.
 *
 *	store_part_open, store_part_write..., store_part_commit, store_part_free
 *
 * A part is locked by who has it open.
 *
 * Uses / used by: store / registry.
 */
#ifndef STORE_PART_H
#define STORE_PART_H

#include <stdint.h>

#include "store/store_blob.h"

#define STORE_PART_SEGMENT ((int64_t)4 << 20)	/* bytes */

struct store_part;

/*
 * Opens the part of that digest and size, or begins it. *ret NULL, and 0: another process has it. A part of another
 * size is begun anew.
 */
int store_part_open(struct store *s, const char *digest, int64_t size, struct store_part **ret,
		    struct bk_err **err);
/* Of the segment with that offset: whether all of it is there. */
bool store_part_has(const struct store_part *p, int64_t offset);
/* Bytes of whole segments, and of begun ones in this run. */
int64_t store_part_bytes(const struct store_part *p);
/* Adds bytes that are not there yet; a piece does not cross the end. */
int store_part_write(struct store_part *p, int64_t offset, const void *data, size_t len,
		     struct bk_err **err);
/* Forgets what is there. */
int store_part_restart(struct store_part *p, struct bk_err **err);
/* All is there: checks the digest and puts the blob into the store. A wrong one restarts the part. */
int store_part_commit(struct store_part *p, struct bk_err **err);
/* Closes it; what is there stays for another run. */
void store_part_free(struct store_part *p);
BK_DEFINE_AUTO(store_part, store_part_free);
#define bk_autostorepart bk_auto(bk_auto_store_part_)

#endif
