/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline from a blob to blocks: formats, numbers of threads, sources, and where failures come. */
#include "bk_test.h"

#include <string.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "layer/layer.h"
#include "layer/layer_decode.h"
#include "layer/layer_ring.h"
#include "layer/layer_stream.h"

#define CONTENT_SIZE (3 * LAYER_BLOCK_SIZE * LAYER_BLOCKS / 2 + 12345)
#define BLOB_MAX     ((size_t)64 << 20)

/* A source of memory, in pieces, that may fail or end early. */
struct piecewise {
	const unsigned char *data;
	size_t len, at, piece;
	size_t fail_at; /* 0: never */
	unsigned int calls_at_end;
};

static ssize_t read_piece(void *ctx, void *buf, size_t size, struct bk_err **err)
{
	struct piecewise *p = ctx;
	size_t n = p->len - p->at;

	if (p->fail_at && p->at >= p->fail_at)
		return bk_err_set(err, BK_ERR_NETWORK, 0, "the peer went away");
	if (n == 0)
		p->calls_at_end++;
	n = n < p->piece ? n : p->piece;
	n = n < size ? n : size;
	if (n > 0)
		memcpy(buf, p->data + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

static unsigned char *make_content(size_t size)
{
	unsigned char *data = bk_malloc(size);
	unsigned int seed = 1;

	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)(i % 64 ? i >> 10 : (unsigned int)rand_r(&seed));
	return data;
}

static void add_gzip(struct bk_buf *b, const void *data, size_t len)
{
	z_stream z = { 0 };
	size_t bound = len + len / 100 + 1024;
	bk_autofree unsigned char *out = bk_malloc(bound);

	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (unsigned int)len;
	z.next_out = out;
	z.avail_out = (unsigned int)bound;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_true(bk_buf_add(b, out, bound - z.avail_out));
	(void)deflateEnd(&z);
}

static int stream_of(struct piecewise *p, unsigned int threads, const char *digest,
		     const char *diff_id, struct layer_stream **ret, struct bk_err **err)
{
	const struct layer_source source = { .read = read_piece, .ctx = p };
	const struct layer_stream_opts opts = {
		.digest = digest,
		.diff_id = diff_id,
		.max_size = BLOB_MAX,
		.threads = threads,
	};

	return layer_stream_new_from(&source, &opts, ret, err);
}

/* Reads the blob in pieces with each number of threads, and expects want. */
static void expect(const struct bk_buf *blob, const void *want, size_t len)
{
	char digest[BK_DIGEST_TEXT_SIZE], diff_id[BK_DIGEST_TEXT_SIZE], got[BK_DIGEST_TEXT_SIZE];
	static const size_t pieces[] = { 1000003, 4093, 64 << 10 };

	bk_digest_of(BK_DIGEST_SHA256, blob->data, blob->len, digest);
	bk_digest_of(BK_DIGEST_SHA256, want, len, diff_id);
	for (unsigned int threads = 1; threads <= LAYER_THREADS_MAX; threads++) {
		struct piecewise p = { .data = (const unsigned char *)blob->data,
				       .len = blob->len,
				       .piece = pieces[threads - 1] };
		bk_autolayerstream struct layer_stream *s = NULL;
		struct bk_err *err = NULL;
		const void *data;
		size_t n, at = 0;

		assert_ok(stream_of(&p, threads, digest, diff_id, &s, &err), &err);
		for (;;) {
			assert_ok(layer_stream_next(s, &data, &n, &err), &err);
			if (n == 0)
				break;
			assert_true(n <= len - at);
			assert_true(n == LAYER_BLOCK_SIZE || at + n == len);
			assert_memory_equal(data, (const char *)want + at, n);
			at += n;
		}
		assert_int_equal(at, len);
		assert_ok(layer_stream_finish(s, got, &err), &err);
		assert_string_equal(got, diff_id);
		assert_int_equal(layer_stream_bytes(s), len);
		assert_int_equal(p.calls_at_end, 1);
	}
}

static void test_plain_and_gzip(void **state)
{
	bk_autofree unsigned char *content = make_content(CONTENT_SIZE);
	bk_autobuf struct bk_buf blob = BK_BUF_INIT(BLOB_MAX);

	(void)state;
	expect(&blob, "", 0);
	bk_buf_add(&blob, content, CONTENT_SIZE);
	expect(&blob, content, CONTENT_SIZE);
	bk_buf_reset(&blob);
	add_gzip(&blob, content, CONTENT_SIZE);
	expect(&blob, content, CONTENT_SIZE);
	/* members, an empty one among them, and padding that belongs to the blob */
	bk_buf_reset(&blob);
	add_gzip(&blob, content, 70000);
	add_gzip(&blob, "", 0);
	add_gzip(&blob, content + 70000, CONTENT_SIZE - 70000);
	bk_buf_add(&blob, (const char[700]){ 0 }, 700);
	expect(&blob, content, CONTENT_SIZE);
}

#ifdef HAVE_ZSTD

static void add_zstd(struct bk_buf *b, const void *data, size_t len, int window_log)
{
	size_t bound = ZSTD_compressBound(len), n;
	bk_autofree unsigned char *out = bk_malloc(bound);
	ZSTD_CCtx *c = ZSTD_createCCtx();

	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, 1)));
	if (window_log) {
		assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log)));
		assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0)));
	}
	if (window_log) {
		ZSTD_inBuffer in = { data, len, 0 };
		ZSTD_outBuffer o = { out, bound, 0 };

		/* as a stream, so that the frame can't say its size instead of the window's */
		assert_false(ZSTD_isError(ZSTD_compressStream2(c, &o, &in, ZSTD_e_continue)));
		assert_int_equal(ZSTD_compressStream2(c, &o, &in, ZSTD_e_end), 0);
		n = o.pos;
	} else {
		n = ZSTD_compress2(c, out, bound, data, len);
		assert_false(ZSTD_isError(n));
	}
	(void)ZSTD_freeCCtx(c);
	assert_true(bk_buf_add(b, out, n));
}

static void fails(const struct bk_buf *blob, enum bk_err_kind kind, const char *message);

static void test_zstd(void **state)
{
	static const unsigned char skip[] = { 0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5 };
	bk_autofree unsigned char *content = make_content(CONTENT_SIZE);
	bk_autobuf struct bk_buf blob = BK_BUF_INIT(BLOB_MAX);

	(void)state;
	add_zstd(&blob, content, CONTENT_SIZE, 0);
	expect(&blob, content, CONTENT_SIZE);
	/* frames to be skipped in front, between and behind */
	bk_buf_reset(&blob);
	bk_buf_add(&blob, skip, sizeof(skip));
	add_zstd(&blob, content, 100000, 0);
	bk_buf_add(&blob, skip, sizeof(skip));
	add_zstd(&blob, "", 0, 0);
	add_zstd(&blob, content + 100000, CONTENT_SIZE - 100000, 0);
	bk_buf_add(&blob, skip, sizeof(skip));
	expect(&blob, content, CONTENT_SIZE);
	blob.len -= 3;
	fails(&blob, BK_ERR_CONFIG, "cut short");
	blob.len -= sizeof(skip);
	fails(&blob, BK_ERR_CONFIG, "cut short");
	/* what begins no frame */
	bk_buf_reset(&blob);
	add_zstd(&blob, content, 1000, 0);
	bk_buf_add(&blob, "garbage!", 8);
	fails(&blob, BK_ERR_CONFIG, "damaged zstd data");
	/* a frame that wants 256 MiB of memory */
	bk_buf_reset(&blob);
	add_zstd(&blob, content, CONTENT_SIZE, LAYER_ZSTD_WINDOW_LOG_MAX + 1);
	fails(&blob, BK_ERR_CONFIG, "damaged zstd data");
}

#else

static void test_zstd(void **state)
{
	(void)state;
	skip();
}

#endif

/* With each number of threads the blob's end is an error, after what came before it. */
static void fails(const struct bk_buf *blob, enum bk_err_kind kind, const char *message)
{
	for (unsigned int threads = 1; threads <= LAYER_THREADS_MAX; threads++) {
		struct piecewise p = { .data = (const unsigned char *)blob->data,
				       .len = blob->len,
				       .piece = 5000 };
		bk_autolayerstream struct layer_stream *s = NULL;
		char diff_id[BK_DIGEST_TEXT_SIZE];
		struct bk_err *err = NULL;

		assert_ok(stream_of(&p, threads, NULL, NULL, &s, &err), &err);
		assert_err(layer_stream_finish(s, diff_id, &err), &err, kind, message);
	}
}

static void test_damage(void **state)
{
	bk_autofree unsigned char *content = make_content(CONTENT_SIZE);
	bk_autobuf struct bk_buf blob = BK_BUF_INIT(BLOB_MAX);

	(void)state;
	add_gzip(&blob, content, CONTENT_SIZE);
	blob.len -= 4;
	fails(&blob, BK_ERR_CONFIG, "cut short");
	blob.len += 4;
	blob.data[blob.len - 6] ^= 1; /* the checksum */
	fails(&blob, BK_ERR_CONFIG, "damaged gzip data");
}

static void test_failing_source(void **state)
{
	bk_autofree unsigned char *content = make_content(CONTENT_SIZE);

	(void)state;
	for (unsigned int threads = 1; threads <= LAYER_THREADS_MAX; threads++) {
		struct piecewise p = { .data = content,
				       .len = CONTENT_SIZE,
				       .piece = 4096,
				       .fail_at = 2 * LAYER_BLOCK_SIZE };
		bk_autolayerstream struct layer_stream *s = NULL;
		struct bk_err *err = NULL;
		const void *data;
		size_t n;

		assert_ok(stream_of(&p, threads, NULL, NULL, &s, &err), &err);
		/* what came before the failure is handed out first */
		for (int i = 0; i < 2; i++) {
			assert_ok(layer_stream_next(s, &data, &n, &err), &err);
			assert_int_equal(n, LAYER_BLOCK_SIZE);
		}
		assert_err(layer_stream_next(s, &data, &n, &err), &err, BK_ERR_NETWORK,
			   "the peer went away");
	}
}

/* Who leaves in the middle waits for nobody, wherever the threads are. */
static void test_early_end(void **state)
{
	bk_autofree unsigned char *content = make_content(CONTENT_SIZE);

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		struct piecewise p = { .data = content, .len = CONTENT_SIZE, .piece = 1 << 20 };
		bk_autolayerstream struct layer_stream *s = NULL;
		struct bk_err *err = NULL;
		const void *data;
		size_t n;

		assert_ok(stream_of(&p, 1 + i % 3, NULL, NULL, &s, &err), &err);
		for (unsigned int k = 0; k < i / 3; k++)
			assert_ok(layer_stream_next(s, &data, &n, &err), &err);
	}
}

static void test_ring(void **state)
{
	struct layer_ring *r = layer_ring_new(2, 16, 2);
	const void *data;
	size_t len;
	void *block;

	(void)state;
	for (char i = 'a'; i < 'c'; i++) {
		block = layer_ring_reserve(r);
		assert_non_null(block);
		memset(block, i, 16);
		layer_ring_publish(r, (size_t)(i - 'a') + 1);
	}
	for (char i = 'a'; i < 'c'; i++) {
		for (unsigned int reader = 0; reader < 2; reader++) {
			assert_true(layer_ring_get(r, reader, &data, &len));
			assert_int_equal(*(const char *)data, i);
			assert_int_equal(len, i - 'a' + 1);
			layer_ring_release(r, reader);
		}
	}
	layer_ring_end(r);
	assert_false(layer_ring_get(r, 0, &data, &len));
	layer_ring_stop(r);
	assert_null(layer_ring_reserve(r));
	layer_ring_free(r);
}

BK_TEST_MAIN(cmocka_unit_test(test_plain_and_gzip), cmocka_unit_test(test_zstd),
	     cmocka_unit_test(test_damage), cmocka_unit_test(test_failing_source),
	     cmocka_unit_test(test_early_end), cmocka_unit_test(test_ring))
