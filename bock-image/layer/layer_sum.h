/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sum of a file's content that is the same however its zeros are kept: blocks of zeros are left out, so that
 * holes cost nothing. Two files are equal if their sizes and sums are.
 *
 *	layer_sum_init, layer_sum_add and layer_sum_hole in the order of the bytes, layer_sum_end
 *
 * Uses / used by: bk_digest / layer_tar, layer_view.
 */
#ifndef LAYER_SUM_H
#define LAYER_SUM_H

#include "digest/bk_digest.h"

#define LAYER_SUM_BLOCK 4096

struct layer_sum {
	struct bk_digest *digest;
	uint64_t offset;	/* of the block that is being filled */
	size_t fill;
	unsigned char block[LAYER_SUM_BLOCK];
};

/* Begins a sum. */
void layer_sum_init(struct layer_sum *s);
/* The next bytes. */
void layer_sum_add(struct layer_sum *s, const void *data, size_t len);
/* len zeros. */
void layer_sum_hole(struct layer_sum *s, uint64_t len);
/* The sum ("sha256:..."); frees what s holds. */
void layer_sum_end(struct layer_sum *s, char ret[BK_DIGEST_TEXT_SIZE]);
/* Frees what s holds, in place of layer_sum_end. */
void layer_sum_done(struct layer_sum *s);
#define layer_autosum bk_auto(layer_sum_done)

#endif
