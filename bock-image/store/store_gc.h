/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Garbage: blobs that nothing in index.json leads to, and what writers left that died.
 *
 * Uses / used by: store_index, store_image / cmd.
 */
#ifndef STORE_GC_H
#define STORE_GC_H

#include <stdint.h>

#include "store/store.h"

#define STORE_GC_WAIT_MS 10000	/* for those who use the store, unless told otherwise; then it is an error */

struct store_gc_opts {
	uint64_t grace_ms;	/* blobs younger than this stay */
	int wait_ms;		/* for others to end; 0: STORE_GC_WAIT_MS; less: not at all */
	bool dry_run;
	bool all_layers;	/* unpacked layers go, too, that only images need, and not bundles or mounts */
	/* Told of each blob that goes; may be NULL. */
	void (*removed)(void *ctx, const char *digest, int64_t size);
	void *ctx;
};

struct store_gc_result {
	uint64_t removed, removed_bytes;
	uint64_t kept, kept_bytes;
	uint64_t young;		/* garbage that stays for its age; in kept too */
	uint64_t layers_removed, layers_kept;	/* unpacked (store_layers.h) */
};

/*
 * Marks from index.json, sweeps. Takes the store for itself meanwhile: -BK_ERR_IO EBUSY when others
 * don't let go of it in time.
 */
int store_gc(struct store *s, const struct store_gc_opts *opts, struct store_gc_result *ret,
	     struct bk_err **err);

/* What store_gc would do with these options, beside others who use the store. */
int store_gc_count(const struct store *s, const struct store_gc_opts *opts, struct store_gc_result *ret,
		   struct bk_err **err);

/*
 * Removes those of n digests that nothing leads to, if nobody else uses the store at this moment: for
 * what a failed command has added. Never fails: what stays is garbage for gc.
 */
void store_gc_discard(struct store *s, char *const *digests);

#endif
