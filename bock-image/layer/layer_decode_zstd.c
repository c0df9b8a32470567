/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd (RFC 8878): any number of frames, those to be skipped too (zstd:chunked ends in one). Bytes that
 * begin no frame are an error, as for zstd(1).
 */
#ifdef HAVE_ZSTD

#include <stdlib.h>
#include <zstd.h>

#include "base/bk_mem.h"
#include "layer/layer_decode_priv.h"

struct unzstd {
	ZSTD_DStream *engine;
	ZSTD_inBuffer bytes;
	struct layer_input in;
	bool inside; /* a frame */
	bool end;
};

static void zstd_stop(void *state)
{
	struct unzstd *z = state;

	(void)ZSTD_freeDStream(z->engine);
	free(z);
}

static int zstd_start(const struct layer_input *in, int filter, void **ret, struct bk_err **err)
{
	struct unzstd *z = bk_calloc(1, sizeof(*z));

	(void)filter;
	z->in = *in;
	z->engine = ZSTD_createDStream();
	if (!z->engine || ZSTD_isError(ZSTD_DCtx_setParameter(z->engine, ZSTD_d_windowLogMax,
							      LAYER_ZSTD_WINDOW_LOG_MAX))) {
		zstd_stop(z);
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "no zstd decompressor");
	}
	*ret = z;
	return 0;
}

static int refill(struct unzstd *z, struct bk_err **err)
{
	const void *data = NULL;
	ssize_t n;

	if (z->bytes.pos < z->bytes.size || z->end)
		return 0;
	n = z->in.next(z->in.ctx, &data, err);
	if (n < 0)
		return (int)n;
	z->end = n == 0;
	z->bytes = (ZSTD_inBuffer){ .src = data, .size = (size_t)n };
	return 0;
}

static int zstd_read(void *state, void *data, size_t size, size_t *ret_len, struct bk_err **err)
{
	struct unzstd *z = state;
	ZSTD_outBuffer out = { .dst = data, .size = size };

	do {
		int rc = refill(z, err);
		size_t left;

		if (rc < 0)
			return rc;
		if (z->end && !z->inside)
			break;
		left = ZSTD_decompressStream(z->engine, &out, &z->bytes);
		if (ZSTD_isError(left))
			return bk_err_set(err, BK_ERR_CONFIG, 0, "damaged zstd data: %s",
					  ZSTD_getErrorName(left));
		z->inside = left != 0;
		if (z->end && out.pos == 0 && z->inside)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "the zstd data is cut short");
	} while (out.pos == 0);
	*ret_len = out.pos;
	return 0;
}

const struct layer_decoder layer_decoder_zstd_ = { zstd_start, zstd_read, zstd_stop };

#else

typedef int layer_decode_zstd_is_empty; /* ISO C wants something in a file */

#endif
