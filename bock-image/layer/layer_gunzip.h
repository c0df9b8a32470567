/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gunzip, by isa-l, which takes half of zlib's time, or by zlib where the build has no isa-l.
 * libarchive's own filter does neither check the checksum nor the length (as of 3.6).
 *
 * Any number of members, one behind the other; what follows the last and does not begin as one is
 * left alone, as gzip(1) does with padding.
 *
 * Uses / used by: isa-l or zlib / layer_stream.
 */
#ifndef LAYER_GUNZIP_H
#define LAYER_GUNZIP_H

#include <stddef.h>
#include <sys/types.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

struct layer_gunzip;

/*
 * read gives the next bytes, which stay until its next call: their count (less than 2^31), 0 at the
 * end, or -1 (the reason is the caller's to keep).
 */
int layer_gunzip_new(ssize_t (*read)(void *ctx, const void **ret), void *ctx,
		     struct layer_gunzip **ret, struct bk_err **err);
/* The next block, owned by g until the next call; *ret_len is 0 at the end. */
int layer_gunzip_next(struct layer_gunzip *g, const void **ret_data, size_t *ret_len,
		      struct bk_err **err);
void layer_gunzip_free(struct layer_gunzip *g);
BK_DEFINE_AUTO(layer_gunzip, layer_gunzip_free);

#endif
