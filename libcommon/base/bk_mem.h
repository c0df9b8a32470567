/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory. Out of memory aborts the program with a message on stderr: a size that comes from outside
 * is bounded before it gets here. An arena holds what lives and dies together (a decoded document).
 */
#ifndef BK_MEM_H
#define BK_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/bk_auto.h"

void *bk_malloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *bk_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
/* realloc of n elements; the product is checked. */
void *bk_reallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *bk_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *bk_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *bk_memdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *bk_asprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), malloc, returns_nonnull));

/*
 * An arena: allocations have no free of their own; bk_arena_free releases all. Memory is zeroed and
 * aligned for any type. Not thread-safe.
 */
struct bk_arena;

struct bk_arena *bk_arena_new(void) __attribute__((returns_nonnull));
void bk_arena_free(struct bk_arena *a);
void *bk_arena_alloc(struct bk_arena *a, size_t size) __attribute__((returns_nonnull));
char *bk_arena_strdup(struct bk_arena *a, const char *s) __attribute__((returns_nonnull));
char *bk_arena_strndup(struct bk_arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *bk_arena_printf(struct bk_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));
/*
 * Makes room for element n of an array of elements of `size` bytes that has n elements now: returns
 * the array, moved if need be (capacities are powers of two, so no capacity needs to be kept).
 * The new element is zeroed.
 */
void *bk_arena_grow(struct bk_arena *a, void *array, size_t n, size_t size)
	__attribute__((returns_nonnull));
/* Bytes handed out so far. */
size_t bk_arena_used(const struct bk_arena *a);

BK_DEFINE_AUTO(bk_arena, bk_arena_free);
#define bk_autoarena bk_auto(bk_auto_bk_arena_)

#endif
