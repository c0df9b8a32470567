/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a store is what it says: every blob has the digest that it is called by, and everything that an
 * entry of index.json leads to is there, whole and a document where it must be one.
 *
 * Uses / used by: store_index, store_image, store_blob / cmd.
 */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include <stdint.h>

#include "oci/oci_descriptor.h"
#include "store/store.h"

enum store_fsck_kind {
	STORE_FSCK_OTHER,	/* what it says is wrong: no other copy would be better */
	STORE_FSCK_BLOB,	/* blob is missing or damaged: a good copy is the cure */
	STORE_FSCK_NONE,	/* blob is an index none of whose images is there */
};

struct store_fsck_problem {
	enum store_fsck_kind kind;
	const struct oci_descriptor *root; /* the entry of index.json; NULL: a blob by itself */
	const struct oci_descriptor *blob; /* NULL: a blob by itself, or none */
	const char *image;	/* name or digest of the entry of index.json; NULL: a blob or a layer by itself */
	const char *digest;	/* of the blob; NULL where it is none of a blob */
	const char *what;	/* "it is not in the store" */
};

struct store_fsck_opts {
	bool quick;	/* sizes and documents, without the digests of layers */
	/* Told of each problem, whose strings live as long as the call. */
	void (*problem)(void *ctx, const struct store_fsck_problem *p);
	void *ctx;
};

struct store_fsck_result {
	uint64_t images;	/* entries of index.json */
	uint64_t blobs, bytes;	/* files below blobs/ */
	uint64_t layers;	/* unpacked (store_layers.h) */
	uint64_t problems;
};

/*
 * Checks the whole store, beside others who use it. Problems are told and counted, and are no error: an error
 * is what kept the check from being done. Platforms of an index that were never stored are no problem.
 */
int store_fsck(const struct store *s, const struct store_fsck_opts *opts, struct store_fsck_result *ret,
	       struct bk_err **err);

#endif
