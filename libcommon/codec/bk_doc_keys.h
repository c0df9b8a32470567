/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member names of all objects of one document, to find duplicates at a cost that grows with their
 * number only: one hash table, keyed by the object's number and the name, with a hash that a
 * document's author can't predict.
 * Uses / used by: base / bk_doc_store, bk_yaml.
 */
#ifndef BK_DOC_KEYS_H
#define BK_DOC_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bk_doc_keys_slot {
	uint64_t hash;	 /* 0: free */
	const char *key; /* the caller's, which must stay as long as the set */
	uint32_t len;
	uint32_t object;
};

/* Starts as all zero; bk_doc_keys_done frees it. */
struct bk_doc_keys {
	struct bk_doc_keys_slot *slots;
	size_t cap, n;
};

/* Adds key of the object; false where it is there already. Names are at most UINT32_MAX bytes. */
bool bk_doc_keys_add(struct bk_doc_keys *k, uint32_t object, const char *key, size_t len);
void bk_doc_keys_done(struct bk_doc_keys *k);

#endif
