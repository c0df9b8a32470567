/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from strings to pointers (open addressing, FNV-1a with a per-map seed). Keys are copied;
 * values are the caller's unless a free function was given.
 */
#ifndef BK_MAP_H
#define BK_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_auto.h"

struct bk_map;

struct bk_map *bk_map_new(void (*free_value)(void *)) __attribute__((returns_nonnull));
void bk_map_free(struct bk_map *m);
/* Sets key; an earlier value is freed. Returns true if the key is new. */
bool bk_map_set(struct bk_map *m, const char *key, void *value);
/* NULL where the key is absent (or its value is NULL: ask bk_map_has). */
void *bk_map_get(const struct bk_map *m, const char *key);
bool bk_map_has(const struct bk_map *m, const char *key);
/* Removes key and frees its value; false where it was absent. */
bool bk_map_del(struct bk_map *m, const char *key);
size_t bk_map_len(const struct bk_map *m);
/* Walks in no particular order: *it starts at 0; false at the end. Don't change the map meanwhile. */
bool bk_map_next(const struct bk_map *m, size_t *it, const char **ret_key, void **ret_value);

BK_DEFINE_AUTO(bk_map, bk_map_free);
#define bk_automap bk_auto(bk_auto_bk_map_)

#endif
