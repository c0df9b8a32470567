/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

/*
 * Ordinary chunks start small (most documents fit in the first) and double up to the maximum. What
 * is larger than BIG gets a chunk of its own, so that it doesn't waste the rest of a shared one.
 * With AddressSanitizer each allocation is its own chunk, so that an overrun is seen.
 */
#define ARENA_CHUNK_FIRST ((size_t)4096 - 64)
#define ARENA_CHUNK_MAX	  ((size_t)64 << 10)
#if defined(BK_SANITIZED) || defined(__SANITIZE_ADDRESS__)
#define ARENA_BIG ((size_t)0)
#else
#define ARENA_BIG ((size_t)1024)
#endif
#define ARENA_ARRAY_FIRST 4

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	_Alignas(max_align_t) unsigned char data[];
};

struct bk_arena {
	struct arena_chunk *chunks;
	struct arena_chunk *current; /* of chunks, where small allocations come from */
	size_t next_size;
	size_t used;
};

__attribute__((noreturn, cold)) static void out_of_memory(void)
{
	static const char text[] = "out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		abort();
	abort();
}

void *bk_malloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *bk_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *bk_reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	p = realloc(p, bytes ? bytes : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *bk_strdup(const char *s)
{
	return bk_memdup(s, strlen(s) + 1);
}

char *bk_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = bk_malloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *bk_memdup(const void *p, size_t n)
{
	void *copy = bk_malloc(n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *bk_asprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();
	return s;
}

struct bk_arena *bk_arena_new(void)
{
	struct bk_arena *a = bk_calloc(1, sizeof(*a));

	a->next_size = ARENA_CHUNK_FIRST;
	return a;
}

void bk_arena_free(struct bk_arena *a)
{
	struct arena_chunk *next;

	if (!a)
		return;
	for (struct arena_chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct arena_chunk *add_chunk(struct bk_arena *a, size_t size)
{
	struct arena_chunk *c;
	size_t bytes;

	if (__builtin_add_overflow(size, sizeof(*c), &bytes))
		out_of_memory();
	c = bk_calloc(1, bytes);
	c->size = size;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *bk_arena_alloc(struct bk_arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *c = a->current;
	size_t need;
	void *p;

	if (__builtin_add_overflow(size ? size : 1, align - 1, &need))
		out_of_memory();
	need &= ~(align - 1);
	a->used += need;

	if (size > ARENA_BIG || ARENA_BIG == 0)
		return add_chunk(a, ARENA_BIG ? need : size)->data;
	if (!c || c->size - c->used < need) {
		c = a->current = add_chunk(a, a->next_size);
		if (a->next_size < ARENA_CHUNK_MAX)
			a->next_size *= 2;
	}
	p = c->data + c->used;
	c->used += need;
	return p;
}

char *bk_arena_strdup(struct bk_arena *a, const char *s)
{
	return bk_arena_strndup(a, s, strlen(s));
}

char *bk_arena_strndup(struct bk_arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = bk_arena_alloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *bk_arena_printf(struct bk_arena *a, const char *fmt, ...)
{
	va_list ap;
	int len;
	char *p;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();
	p = bk_arena_alloc(a, (size_t)len + 1);
	va_start(ap, fmt);
	len = vsnprintf(p, (size_t)len + 1, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();
	return p;
}

void *bk_arena_grow(struct bk_arena *a, void *array, size_t n, size_t size)
{
	size_t bytes;
	char *grown = array;

	if (n == 0 || (n >= ARENA_ARRAY_FIRST && (n & (n - 1)) == 0)) {
		if (__builtin_mul_overflow(n ? n : ARENA_ARRAY_FIRST / 2, size * 2, &bytes) ||
		    size > SIZE_MAX / 2)
			out_of_memory();
		grown = bk_arena_alloc(a, bytes);
		if (n)
			memcpy(grown, array, n * size);
	}
	memset(grown + n * size, 0, size);
	return grown;
}

size_t bk_arena_used(const struct bk_arena *a)
{
	return a->used;
}
