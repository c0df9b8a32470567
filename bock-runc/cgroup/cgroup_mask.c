/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_mask.h"

#include <stdint.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"

static bool set_range(const char *text, unsigned char *bits, size_t most, size_t *len)
{
	const char *dash = strchr(text, '-');
	bk_autofree char *head = bk_strndup(text, strcspn(text, "-"));
	uint64_t first, last;

	if (bk_num_u64(head, most - 1, &first, NULL) < 0)
		return false;
	last = first;
	if (dash && (bk_num_u64(dash + 1, most - 1, &last, NULL) < 0 || last < first))
		return false;
	for (uint64_t i = first; i <= last; i++)
		bits[i / 8] |= (unsigned char)(1U << (i % 8));
	if (last / 8 + 1 > *len)
		*len = last / 8 + 1;
	return true;
}

char *cgroup_mask_hex(const char *list, size_t most)
{
	static const char digits[] = "0123456789abcdef";
	bk_autofree unsigned char *bits = bk_calloc(most / 8 + 1, 1);
	bk_autostrv char **ranges = bk_strv_split(list, ",");
	size_t len = 0;
	char *hex;

	for (char **r = ranges; r && *r; r++) {
		if (!set_range(*r, bits, most, &len))
			return NULL;
	}
	hex = bk_malloc(2 * len + 1);
	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[bits[i] >> 4];
		hex[2 * i + 1] = digits[bits[i] & 15];
	}
	hex[2 * len] = '\0';
	return hex;
}
