/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The range of the second byte depends on the first (RFC 3629 section 4). */
struct lead {
	unsigned char first, last;
	unsigned char second_min, second_max;
	unsigned char length;
};

/* clang-format off */
static const struct lead leads[] = {
	{ 0x00, 0x7f, 0, 0, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};
/* clang-format on */

size_t bk_utf8_step(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	const struct lead *lead = NULL;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++)
		if (p[0] >= leads[i].first && p[0] <= leads[i].last)
			lead = &leads[i];
	if (!lead || lead->length > len)
		return 0;
	if (lead->length > 1 && (p[1] < lead->second_min || p[1] > lead->second_max))
		return 0;
	for (size_t i = 2; i < lead->length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return lead->length;
}

size_t bk_utf8_check(const char *s, size_t len)
{
	size_t at = 0;

	while (at < len) {
		uint64_t word;
		size_t step;

		if (len - at >= sizeof(word)) {
			memcpy(&word, s + at, sizeof(word));
			if ((word & HIGH_BITS) == 0) {
				at += sizeof(word);
				continue;
			}
		}
		step = bk_utf8_step(s + at, len - at);
		if (step == 0)
			return at;
		at += step;
	}
	return at;
}
