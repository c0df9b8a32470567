/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_doc_keys.h"

#include <string.h>
#include <sys/auxv.h>

#include "base/bk_mem.h"

#define CAP_FIRST 64

/* Both halves of a 128-bit product: every input bit reaches every output bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The kernel's 16 random bytes of this process (getauxval(3)): no system call on the way. */
static uint64_t seed(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t word = 0;

	if (random)
		memcpy(&word, random, sizeof(word));
	return word | 1;
}

static uint64_t hash_key(uint32_t object, const char *key, size_t len)
{
	uint64_t secret = seed();
	uint64_t h = fold(secret ^ object, UINT64_C(0x9e3779b97f4a7c15)) ^ len;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), key += sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		h = fold(h ^ word, secret ^ UINT64_C(0xd6e8feb86659fd93));
	}
	word = 0;
	memcpy(&word, key, len);
	h = fold(h ^ word, secret ^ UINT64_C(0xa0761d6478bd642f));
	return h | 1;
}

static void put(struct bk_doc_keys *k, const struct bk_doc_keys_slot *entry)
{
	size_t i = (size_t)(entry->hash >> 1) & (k->cap - 1);

	while (k->slots[i].hash != 0)
		i = (i + 1) & (k->cap - 1);
	k->slots[i] = *entry;
}

static void grow(struct bk_doc_keys *k)
{
	struct bk_doc_keys_slot *old = k->slots;
	size_t old_cap = k->cap;

	k->cap = old_cap ? old_cap * 2 : CAP_FIRST;
	k->slots = bk_calloc(k->cap, sizeof(*k->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].hash != 0)
			put(k, &old[i]);
	free(old);
}

bool bk_doc_keys_add(struct bk_doc_keys *k, uint32_t object, const char *key, size_t len)
{
	struct bk_doc_keys_slot entry = { .hash = hash_key(object, key, len),
					  .key = key,
					  .len = (uint32_t)len,
					  .object = object };

	if (k->n >= k->cap / 2)
		grow(k);
	for (size_t i = (size_t)(entry.hash >> 1) & (k->cap - 1); k->slots[i].hash != 0;
	     i = (i + 1) & (k->cap - 1)) {
		const struct bk_doc_keys_slot *s = &k->slots[i];

		if (s->hash == entry.hash && s->object == object && s->len == entry.len &&
		    memcmp(s->key, key, len) == 0)
			return false;
	}
	put(k, &entry);
	k->n++;
	return true;
}

void bk_doc_keys_done(struct bk_doc_keys *k)
{
	free(k->slots);
	*k = (struct bk_doc_keys){ 0 };
}
