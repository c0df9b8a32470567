/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_sum.h"

#include <endian.h>
#include <string.h>

void layer_sum_init(struct layer_sum *s)
{
	*s = (struct layer_sum){ .digest = bk_digest_new(BK_DIGEST_SHA256) };
}

void layer_sum_done(struct layer_sum *s)
{
	bk_digest_free(s->digest);
	s->digest = NULL;
}

static void take_block(struct layer_sum *s, const unsigned char *block, size_t len)
{
	static const unsigned char zeros[LAYER_SUM_BLOCK];
	uint64_t at = htole64(s->offset);

	if (memcmp(block, zeros, len) != 0) {
		bk_digest_update(s->digest, &at, sizeof(at));
		bk_digest_update(s->digest, block, len);
	}
	s->offset += len;
}

void layer_sum_add(struct layer_sum *s, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len > 0) {
		size_t part = LAYER_SUM_BLOCK - s->fill;

		if (s->fill == 0 && len >= LAYER_SUM_BLOCK) {
			take_block(s, p, LAYER_SUM_BLOCK);
			part = LAYER_SUM_BLOCK;
		} else {
			part = part < len ? part : len;
			memcpy(s->block + s->fill, p, part);
			s->fill += part;
			if (s->fill == LAYER_SUM_BLOCK) {
				s->fill = 0;
				take_block(s, s->block, LAYER_SUM_BLOCK);
			}
		}
		p += part;
		len -= part;
	}
}

void layer_sum_hole(struct layer_sum *s, uint64_t len)
{
	static const unsigned char zeros[LAYER_SUM_BLOCK];
	size_t part = s->fill ? LAYER_SUM_BLOCK - s->fill : 0;

	part = part < len ? part : (size_t)len;
	layer_sum_add(s, zeros, part);
	len -= part;
	s->offset += len - len % LAYER_SUM_BLOCK;
	layer_sum_add(s, zeros, (size_t)(len % LAYER_SUM_BLOCK));
}

void layer_sum_end(struct layer_sum *s, char ret[BK_DIGEST_TEXT_SIZE])
{
	if (s->fill > 0)
		take_block(s, s->block, s->fill);
	bk_digest_text(s->digest, ret);
	layer_sum_done(s);
}
