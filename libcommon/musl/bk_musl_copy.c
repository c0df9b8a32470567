/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memcpy() and memmove() in place of musl's, which on x86-64 is `rep movsq` for every length: that takes the
 * processor tens of cycles to begin, and what is copied here are words of JSON. Pieces of 16 bytes, the last
 * of which overlaps the one before; it is read before anything is written, so that `from` may overlap `to`.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t vector __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word8 __attribute__((aligned(1), may_alias));
typedef uint32_t word4 __attribute__((aligned(1), may_alias));

/* Lengths from sizeof(type) to twice as much. */
#define COPY_TWO(type)                                                                             \
	do {                                                                                       \
		type head = *(const type *)s;                                                      \
		type tail = *(const type *)(s + n - sizeof(type));                                 \
                                                                                                   \
		*(type *)d = head;                                                                 \
		*(type *)(d + n - sizeof(type)) = tail;                                            \
		return;                                                                            \
	} while (0)

/* `to` is not behind `from` in one object. */
static void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
	if (n > 2 * sizeof(vector)) {
		unsigned char *last = d + n - sizeof(vector);
		vector tail = *(const vector *)(s + n - sizeof(vector));

		for (; d < last; d += sizeof(vector), s += sizeof(vector)) {
			*(vector *)d = *(const vector *)s;
			/* the compiler must not see a memmove in this */
			__asm__ volatile("" : "+r"(d), "+r"(s));
		}
		*(vector *)last = tail;
		return;
	}
	if (n >= sizeof(vector))
		COPY_TWO(vector);
	if (n >= sizeof(word8))
		COPY_TWO(word8);
	if (n >= sizeof(word4))
		COPY_TWO(word4);
	if (n) {
		unsigned char first = s[0], middle = s[n / 2], last = s[n - 1];

		d[0] = first;
		d[n / 2] = middle;
		d[n - 1] = last;
	}
}

static void copy_down(unsigned char *d, const unsigned char *s, size_t n)
{
	vector head = *(const vector *)s;

	for (size_t i = n; i > sizeof(vector); i -= sizeof(vector)) {
		*(vector *)(d + i - sizeof(vector)) = *(const vector *)(s + i - sizeof(vector));
		__asm__ volatile("" : "+r"(d), "+r"(s));
	}
	*(vector *)d = head;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	copy_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	if (n > 2 * sizeof(vector) && (uintptr_t)to - (uintptr_t)from < n)
		copy_down(to, from, n);
	else
		copy_up(to, from, n);
	return to;
}
