/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is compressed becomes what is not. The compression is found by the first bytes: gzip (any number
 * of members), zstd (any number of frames, those to be skipped too), or none; where asked for also
 * what layers are not compressed by (xz, bzip2, lzma, lz4), through libarchive.
 *
 * gzip by isa-l, which takes half of zlib's time, or by zlib where the build has no isa-l. A zstd
 * frame's window is bounded, for it is memory that the frame asks for.
 *
 * Uses / used by: isa-l or zlib, libzstd, libarchive / layer_stream.
 */
#ifndef LAYER_DECODE_H
#define LAYER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define LAYER_ZSTD_WINDOW_LOG_MAX 27	/* 128 MiB, what zstd(1) takes without --long */

/* Where the compressed bytes come from. */
struct layer_input {
	/*
	 * The next bytes, which stay until the next call: their count (less than 2^31), 0 at the end,
	 * or -kind.
	 */
	ssize_t (*next)(void *ctx, const void **ret, struct bk_err **err);
	void *ctx;
};

struct layer_decode;

/* first: what the input begins with, at least 8 bytes or all of it; it is seen again by next. */
int layer_decode_new(const struct layer_input *in, const void *first, size_t len, bool any,
		     struct layer_decode **ret, struct bk_err **err);
/* Fills data with size bytes; *ret_len is less only at the end. */
int layer_decode_read(struct layer_decode *d, void *data, size_t size, size_t *ret_len,
		      struct bk_err **err);
void layer_decode_free(struct layer_decode *d);
BK_DEFINE_AUTO(layer_decode, layer_decode_free);
#define bk_autolayerdecode bk_auto(bk_auto_layer_decode_)

#endif
