/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of store/ share with each other and nobody else. */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H

#include "codec/bk_doc.h"
#include "oci/oci_descriptor.h"
#include "store/store.h"

#define STORE_PRIVATE ".bock"
#define STORE_INGEST STORE_PRIVATE "/ingest"
#define STORE_LEASES STORE_PRIVATE "/leases"
#define STORE_INDEX_LOCK STORE_PRIVATE "/index.lock"
#define STORE_LEASE STORE_PRIVATE "/lease"
#define STORE_LEASE_WAIT_MS 60000 /* for a gc to end */
#define STORE_FACTS STORE_PRIVATE "/facts"
#define STORE_LAYOUT_VERSION "1.0.0"

struct store {
	char *path;
	int fd;		/* O_PATH | O_DIRECTORY */
	int lease;	/* flock shared; -1 in a store that we can't write to */
	int leased;	/* our file of digests, store_lease.h; -1: none */
	char leased_name[64];
	bool writable;
};

/* "blobs/sha256/<hex>" of a digest that bk_digest_parse takes. */
#define STORE_BLOB_PATH_MAX 160
int store_blob_path_(const char *digest, char path[STORE_BLOB_PATH_MAX], struct bk_err **err);

/* Syncs fd, which is the file tmp of the store, and renames it to path, a blob's; both as the store sees them. */
int store_blob_name_(const struct store *s, int fd, const char *tmp, const char *path,
		     struct bk_err **err);

/* Takes flock(2) `operation` on fd, at most wait_ms long: 0, or -errno (EWOULDBLOCK after that). */
int store_flock_(int fd, int operation, int wait_ms);

/* Removes our file of digests. */
void store_lease_drop_(struct store *s);

/* Refuses a store opened without STORE_WRITE or STORE_CREATE. */
int store_writable_(const struct store *s, struct bk_err **err);

/* Makes d (a blob of the store) an entry of index.json without a name, unless it is one already, by whatever name. */
int store_index_keep_(struct store *s, const struct oci_descriptor *d, struct bk_err **err);
/* Takes the entries out of index.json whose digests are not in live. */
struct bk_map;
int store_index_prune_(struct store *s, const struct bk_map *live, struct bk_err **err);
/* Locks index.json against other updates; closing *ret_lock ends that. */
int store_index_lock_(const struct store *s, int *ret_lock, struct bk_err **err);
/* Replaces index.json, whose lock is held; adds to *index what it must have. */
struct oci_index;
int store_index_write_(const struct store *s, struct bk_arena *arena, struct oci_index *index,
		       struct bk_err **err);

/* A copy of d whose strings are the arena's. */
void store_descriptor_copy_(struct bk_arena *arena, const struct oci_descriptor *d,
			    struct oci_descriptor *ret);

#endif
