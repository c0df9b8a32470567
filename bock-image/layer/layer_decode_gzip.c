/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gunzip: any number of members, one behind the other; what follows the last and does not begin as one
 * is left alone, as gzip(1) does with padding. (libarchive's own filter does neither check the
 * checksum nor the length, as of 3.6.)
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

#include "base/bk_mem.h"
#include "layer/layer_decode_priv.h"

#define GZIP_ID1 0x1f /* RFC 1952, 2.3.1 */

struct gunzip {
#ifdef HAVE_ISAL
	struct inflate_state engine;
#else
	z_stream engine;
#endif
	struct layer_input in;
	bool between; /* a member has ended */
	bool end;     /* of what is read */
};

/*
 * Two engines with the same names for what they are fed (next_in, avail_in) and what they make
 * (next_out, avail_out). engine_run decompresses what it can: 0 or more, with *ret_ended at the end
 * of a member, or less than 0.
 */
#ifdef HAVE_ISAL

static int engine_start(struct gunzip *g)
{
	isal_inflate_init(&g->engine);
	g->engine.crc_flag = ISAL_GZIP;
	return 0;
}

static void engine_reset(struct gunzip *g)
{
	isal_inflate_reset(&g->engine);
	g->engine.crc_flag = ISAL_GZIP;
}

static int engine_run(struct gunzip *g, bool *ret_ended)
{
	int rc = isal_inflate(&g->engine);

	*ret_ended = g->engine.block_state == ISAL_BLOCK_FINISH;
	return rc;
}

static void engine_stop(struct gunzip *g)
{
	(void)g; /* its memory is all in the struct */
}

#else

#define GZIP_WINDOW (15 + 16) /* the largest, in a gzip frame */

static int engine_start(struct gunzip *g)
{
	return inflateInit2(&g->engine, GZIP_WINDOW);
}

static void engine_reset(struct gunzip *g)
{
	(void)inflateReset(&g->engine);
}

static int engine_run(struct gunzip *g, bool *ret_ended)
{
	int rc = inflate(&g->engine, Z_NO_FLUSH);

	*ret_ended = rc == Z_STREAM_END;
	/* No progress: all input was used. */
	return rc == Z_BUF_ERROR ? 0 : rc == Z_NEED_DICT ? Z_DATA_ERROR : rc;
}

static void engine_stop(struct gunzip *g)
{
	(void)inflateEnd(&g->engine);
}

#endif

static int gzip_start(const struct layer_input *in, int filter, void **ret, struct bk_err **err)
{
	struct gunzip *g = bk_calloc(1, sizeof(*g));

	(void)filter;
	g->in = *in;
	if (engine_start(g) != 0) {
		free(g);
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "no gzip decompressor");
	}
	*ret = g;
	return 0;
}

static void gzip_stop(void *state)
{
	struct gunzip *g = state;

	engine_stop(g);
	free(g);
}

static int refill(struct gunzip *g, struct bk_err **err)
{
	const void *data = NULL;
	ssize_t n;

	if (g->engine.avail_in > 0 || g->end)
		return 0;
	n = g->in.next(g->in.ctx, &data, err);
	if (n < 0)
		return (int)n;
	g->end = n == 0;
	/* Neither engine writes there; the pointer is not const for historical reasons. */
	g->engine.next_in = (uint8_t *)(uintptr_t)data;
	g->engine.avail_in = (uint32_t)n;
	return 0;
}

/* Whether another member begins; false at the end of all of them. */
static int next_member(struct gunzip *g, bool *ret, struct bk_err **err)
{
	int rc = refill(g, err);

	*ret = false;
	if (rc < 0 || g->engine.avail_in == 0 || *g->engine.next_in != GZIP_ID1)
		return rc;
	engine_reset(g);
	g->between = false;
	*ret = true;
	return 0;
}

static int gzip_read(void *state, void *data, size_t size, size_t *ret_len, struct bk_err **err)
{
	struct gunzip *g = state;
	uint32_t room = size > INT32_MAX ? INT32_MAX : (uint32_t)size;
	uint32_t made;
	int rc;

	*ret_len = 0;
	do {
		bool more = true;

		rc = g->between ? next_member(g, &more, err) : refill(g, err);
		if (rc < 0 || !more)
			return rc;
		g->engine.next_out = data;
		g->engine.avail_out = room;
		rc = engine_run(g, &g->between);
		if (rc < 0)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "damaged gzip data (%d)", rc);
		made = room - g->engine.avail_out;
		if (g->end && made == 0 && !g->between)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "the gzip data is cut short");
	} while (made == 0);
	*ret_len = made;
	return 0;
}

const struct layer_decoder layer_decoder_gzip_ = { gzip_start, gzip_read, gzip_stop };
