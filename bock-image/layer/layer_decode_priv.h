/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders behind layer_decode. */
#ifndef LAYER_DECODE_PRIV_H
#define LAYER_DECODE_PRIV_H

#include "layer/layer_decode.h"

struct layer_decoder {
	/* filter: libarchive's number, for who wants one. */
	int (*start)(const struct layer_input *in, int filter, void **ret, struct bk_err **err);
	/* Some bytes, at most size; *ret_len is 0 at the end. */
	int (*read)(void *state, void *data, size_t size, size_t *ret_len, struct bk_err **err);
	void (*stop)(void *state);
};

extern const struct layer_decoder layer_decoder_gzip_;
extern const struct layer_decoder layer_decoder_zstd_;
extern const struct layer_decoder layer_decoder_archive_;

#endif
