/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_decode_priv.h"

struct layer_decode {
	const struct layer_decoder *decoder;
	void *state;
	bool end;
};

/* ---- nothing to do ------------------------------------------------------------------------------ */

struct plain {
	struct layer_input in;
	const unsigned char *data;
	size_t len;
};

static int plain_start(const struct layer_input *in, int filter, void **ret, struct bk_err **err)
{
	struct plain *p = bk_calloc(1, sizeof(*p));

	(void)filter;
	(void)err;
	p->in = *in;
	*ret = p;
	return 0;
}

static int plain_read(void *state, void *data, size_t size, size_t *ret_len, struct bk_err **err)
{
	struct plain *p = state;

	if (p->len == 0) {
		const void *next = NULL;
		ssize_t n = p->in.next(p->in.ctx, &next, err);

		if (n < 0)
			return (int)n;
		p->data = next;
		p->len = (size_t)n;
	}
	*ret_len = size < p->len ? size : p->len;
	if (*ret_len > 0)
		memcpy(data, p->data, *ret_len);
	p->data += *ret_len;
	p->len -= *ret_len;
	return 0;
}

static const struct layer_decoder plain = { plain_start, plain_read, free };

/* ---- which -------------------------------------------------------------------------------------- */

#ifdef HAVE_ZSTD
#define ZSTD_DECODER layer_decoder_zstd_
#else
#define ZSTD_DECODER layer_decoder_archive_
#endif

static const struct magic {
	const char *bytes;
	size_t len;
	const struct layer_decoder *decoder;
	int filter;
	bool layers; /* met in layers */
} magics[] = {
	{ "\x1f\x8b", 2, &layer_decoder_gzip_, ARCHIVE_FILTER_GZIP, true },
	{ "\x28\xb5\x2f\xfd", 4, &ZSTD_DECODER, ARCHIVE_FILTER_ZSTD, true },
	{ "\xfd"
	  "7zXZ\0",
	  6, &layer_decoder_archive_, ARCHIVE_FILTER_XZ, false },
	{ "BZh", 3, &layer_decoder_archive_, ARCHIVE_FILTER_BZIP2, false },
	{ "\x04\x22\x4d\x18", 4, &layer_decoder_archive_, ARCHIVE_FILTER_LZ4, false },
	{ "\x5d\x00\x00", 3, &layer_decoder_archive_, ARCHIVE_FILTER_LZMA, false },
};

/* zstd streams may begin by a frame to be skipped, with 16 possible numbers (RFC 8878, 3.1.2). */
static bool is_skippable_zstd(const unsigned char *p, size_t len)
{
	return len >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
}

static const struct layer_decoder *decoder_of(const void *first, size_t len, bool any,
					      int *ret_filter)
{
	*ret_filter = ARCHIVE_FILTER_NONE;
	if (is_skippable_zstd(first, len)) {
		*ret_filter = ARCHIVE_FILTER_ZSTD;
		return &ZSTD_DECODER;
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(magics); i++) {
		const struct magic *m = &magics[i];

		if ((m->layers || any) && len >= m->len && memcmp(first, m->bytes, m->len) == 0) {
			*ret_filter = m->filter;
			return m->decoder;
		}
	}
	return &plain;
}

int layer_decode_new(const struct layer_input *in, const void *first, size_t len, bool any,
		     struct layer_decode **ret, struct bk_err **err)
{
	bk_autolayerdecode struct layer_decode *d = bk_calloc(1, sizeof(*d));
	const struct layer_decoder *decoder;
	int filter, rc;

	decoder = decoder_of(first, len, any, &filter);
	rc = decoder->start(in, filter, &d->state, err);
	if (rc < 0)
		return rc;
	d->decoder = decoder;
	*ret = bk_steal_ptr(&d);
	return 0;
}

int layer_decode_read(struct layer_decode *d, void *data, size_t size, size_t *ret_len,
		      struct bk_err **err)
{
	size_t n = 0;

	while (n < size && !d->end) {
		size_t some = 0;
		int rc = d->decoder->read(d->state, (unsigned char *)data + n, size - n, &some,
					  err);

		if (rc < 0)
			return rc;
		n += some;
		d->end = some == 0;
	}
	*ret_len = n;
	return 0;
}

void layer_decode_free(struct layer_decode *d)
{
	if (d && d->decoder)
		d->decoder->stop(d->state);
	free(d);
}
