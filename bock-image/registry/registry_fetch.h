/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs into the store, several at a time, the largest first; large ones in several ranges at a time. What breaks off is gone
 * on with, in this run and in the next (store_part.h). A blob's URL says what is in it, so ranges of different answers
 * fit together without an ETag, and the digest decides.
 *
 * A foreign layer (oci_media_is_foreign) that the registry has not comes from one of its URLs, whose host gets no credentials and has none of
 * its challenges answered, even if it is the registry's; https, or http where the registry is asked by http, too. URLs of other
 * layers mean nothing.
 *
 * Uses: registry, store_part. Used by: registry_pull.
 */
#ifndef REGISTRY_FETCH_H
#define REGISTRY_FETCH_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"
#include "store/store.h"

#define REGISTRY_JOBS 4		/* requests at a time, unless told otherwise */
#define REGISTRY_JOBS_MAX 32
#define REGISTRY_RANGED_MIN ((int64_t)64 << 20)	/* bytes of a blob that is worth several ranges */

/* WAITS: another process fetches it; if that gives up, it is BEGUN here. */
enum registry_event {
	REGISTRY_EXISTS,
	REGISTRY_BEGUN,
	REGISTRY_PROGRESS,
	REGISTRY_DONE,
	REGISTRY_WAITS
};

/* Told what becomes of a blob; done: bytes that are there. */
struct registry_progress {
	void (*event)(void *ctx, enum registry_event event, const struct oci_descriptor *d,
		      int64_t done);
	void *ctx;
};

/*
 * Fetches those of n blobs that the store has not. jobs 0: REGISTRY_JOBS. added: strv of what was added, also when it
 * failed. The first failure ends all.
 */
int registry_fetch(struct registry *r, const char *repo, struct store *s,
		   const struct oci_descriptor *blobs, size_t n, unsigned int jobs,
		   const struct registry_progress *progress, char ***added, struct bk_err **err);

/*
 * Fetches one blob, a manifest or an index too, whether it is in the store or not: what is there is damaged, and stays until
 * the good copy is whole.
 */
int registry_fetch_again(struct registry *r, const char *repo, struct store *s,
			 const struct oci_descriptor *d, const struct registry_progress *progress,
			 struct bk_err **err);

#endif
