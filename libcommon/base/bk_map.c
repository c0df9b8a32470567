/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_map.h"

#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/bk_mem.h"

#define MAP_FIRST ((size_t)8) /* slots; a power of two */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct map_slot {
	uint64_t hash;
	char *key; /* NULL: free */
	void *value;
};

struct bk_map {
	void (*free_value)(void *);
	struct map_slot *slots;
	size_t n_slots, len;
	uint64_t seed;
};

static uint64_t hash_key(const struct bk_map *m, const char *key)
{
	uint64_t h = FNV_BASIS ^ m->seed;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * FNV_PRIME;
	/* FNV's low bits, which choose the slot, know little of the seed's high ones. */
	return h ^ (h >> 29);
}

struct bk_map *bk_map_new(void (*free_value)(void *))
{
	struct bk_map *m = bk_calloc(1, sizeof(*m));
	/* 16 random bytes that the kernel gave at exec: a seed without a system call */
	const void *random = (const void *)getauxval(AT_RANDOM); /* NOLINT: an address */

	if (random)
		memcpy(&m->seed, random, sizeof(m->seed));
	m->seed ^= (uintptr_t)m * FNV_PRIME;
	m->free_value = free_value;
	return m;
}

static void free_value(const struct bk_map *m, void *value)
{
	if (m->free_value && value)
		m->free_value(value);
}

void bk_map_free(struct bk_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_slots; i++) {
		if (!m->slots[i].key)
			continue;
		free_value(m, m->slots[i].value);
		free(m->slots[i].key);
	}
	free(m->slots);
	free(m);
}

/* The slot that holds key, or the free one where it belongs. The map must have a free slot. */
static struct map_slot *find_slot(const struct bk_map *m, const char *key, uint64_t hash)
{
	size_t i = hash & (m->n_slots - 1);

	while (m->slots[i].key && (m->slots[i].hash != hash || strcmp(m->slots[i].key, key) != 0))
		i = (i + 1) & (m->n_slots - 1);
	return &m->slots[i];
}

static const struct map_slot *look_up(const struct bk_map *m, const char *key)
{
	const struct map_slot *slot;

	if (m->len == 0)
		return NULL;
	slot = find_slot(m, key, hash_key(m, key));
	return slot->key ? slot : NULL;
}

static void grow(struct bk_map *m)
{
	struct map_slot *old = m->slots;
	size_t n_old = m->n_slots;

	m->n_slots = n_old ? n_old * 2 : MAP_FIRST;
	m->slots = bk_calloc(m->n_slots, sizeof(*m->slots));
	for (size_t i = 0; i < n_old; i++)
		if (old[i].key)
			*find_slot(m, old[i].key, old[i].hash) = old[i];
	free(old);
}

bool bk_map_set(struct bk_map *m, const char *key, void *value)
{
	uint64_t hash = hash_key(m, key);
	struct map_slot *slot;

	/* at most three quarters full */
	if (m->len + 1 > m->n_slots / 4 * 3)
		grow(m);
	slot = find_slot(m, key, hash);
	if (slot->key) {
		if (slot->value != value)
			free_value(m, slot->value);
		slot->value = value;
		return false;
	}
	*slot = (struct map_slot){ .hash = hash, .key = bk_strdup(key), .value = value };
	m->len++;
	return true;
}

void *bk_map_get(const struct bk_map *m, const char *key)
{
	const struct map_slot *slot = look_up(m, key);

	return slot ? slot->value : NULL;
}

bool bk_map_has(const struct bk_map *m, const char *key)
{
	return look_up(m, key) != NULL;
}

bool bk_map_del(struct bk_map *m, const char *key)
{
	const size_t mask = m->n_slots - 1;
	const struct map_slot *found = look_up(m, key);
	size_t hole, i;

	if (!found)
		return false;
	hole = (size_t)(found - m->slots);
	free_value(m, m->slots[hole].value);
	free(m->slots[hole].key);

	/*
	 * Moves back what was pushed past the hole, so that no markers of deleted entries are
	 * needed: an entry may move if its own place isn't between the hole and itself.
	 */
	for (i = (hole + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct map_slot){ .key = NULL };
	m->len--;
	return true;
}

size_t bk_map_len(const struct bk_map *m)
{
	return m->len;
}

bool bk_map_next(const struct bk_map *m, size_t *it, const char **ret_key, void **ret_value)
{
	for (; *it < m->n_slots; ++*it) {
		const struct map_slot *slot = &m->slots[*it];

		if (!slot->key)
			continue;
		if (ret_key)
			*ret_key = slot->key;
		if (ret_value)
			*ret_value = slot->value;
		++*it;
		return true;
	}
	return false;
}
