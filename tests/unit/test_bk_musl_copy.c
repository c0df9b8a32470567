/* SPDX-License-Identifier: Apache-2.0 */
/* memcpy() and memmove() of programs that are linked with musl, under other names. */
#include "bk_test.h"

#include <stdint.h>
#include <string.h>

void *own_memcpy(void *restrict to, const void *restrict from, size_t n);
void *own_memmove(void *to, const void *from, size_t n);

#define memcpy own_memcpy
#define memmove own_memmove
#include "musl/bk_musl_copy.c"
#undef memcpy
#undef memmove

#define ROOM 600

static void fill(unsigned char *p)
{
	for (size_t i = 0; i < ROOM; i++)
		p[i] = (unsigned char)(i * 7 + i / 256 + 1);
}

/* Each length at each alignment: what was there, and no byte before or behind. */
static void test_copy(void **state)
{
	unsigned char from[ROOM], to[ROOM];

	(void)state;
	fill(from);
	for (size_t n = 0; n <= 200; n++) {
		for (size_t at = 0; at < 17; at++) {
			memset(to, 0xee, sizeof(to));
			assert_ptr_equal(own_memcpy(to + 20 + at, from + 16 - at, n), to + 20 + at);
			for (size_t i = 0; i < ROOM; i++) {
				bool inside = i >= 20 + at && i < 20 + at + n;

				if (to[i] != (inside ? from[16 - at + i - 20 - at] : 0xee))
					fail_msg("%zu bytes at %zu: wrong at %zu", n, at, i);
			}
		}
	}
}

/* Each distance, up and down, of what overlaps and what does not. */
static void test_overlap(void **state)
{
	unsigned char from[ROOM], to[ROOM];

	(void)state;
	fill(from);
	for (size_t n = 0; n <= 130; n++) {
		for (size_t at = 0; at <= 400; at++) {
			fill(to);
			assert_ptr_equal(own_memmove(to + at, to + 200, n), to + at);
			for (size_t i = 0; i < ROOM; i++) {
				bool inside = i >= at && i < at + n;

				if (to[i] != (inside ? from[200 + i - at] : from[i]))
					fail_msg("%zu bytes from 200 to %zu: wrong at %zu", n, at, i);
			}
		}
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_copy), cmocka_unit_test(test_overlap))
