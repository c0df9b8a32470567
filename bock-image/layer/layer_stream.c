/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer.h"
#include "layer/layer_decode.h"
#include "layer/layer_ring.h"

/* Who reads the ring. */
#define CALLER 0
#define HASHER 1

/* In the order of whose it is. */
struct layer_stream {
	struct layer_stream_opts opts;
	char *digest, *diff_id;
	int fd; /* of layer_stream_new */

	/* The first half's: of its thread, where it has one. */
	struct layer_source source;
	unsigned char *buf;
	size_t ahead; /* bytes in buf that were read to see what this is */
	bool source_end;
	struct layer_decode *decode;
	struct bk_digest *in; /* NULL where nobody asks */
	struct bk_digest *out;
	uint64_t n_in, n_made;

	/* Between the threads. */
	struct layer_ring *ring; /* NULL: one thread */
	pthread_t maker, hasher;
	bool has_maker, has_hasher;
	struct bk_err *err; /* of the first half; read once the ring is at its end */
	int rc;

	/* The caller's. */
	unsigned char *block; /* without a ring */
	bool held;	      /* a block of the ring */
	uint64_t n_out;
	bool end;
};

/* ---- the first half: from the source to hashed blocks ------------------------------------------- */

static ssize_t read_fd(void *ctx, void *buf, size_t size, struct bk_err **err)
{
	const int *fd = ctx;
	ssize_t n;

	do
		n = read(*fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? bk_err_set(err, BK_ERR_IO, errno, "read the layer") : n;
}

/* A source that has come to its end is not asked again. */
static ssize_t fill(struct layer_stream *s, size_t at, struct bk_err **err)
{
	ssize_t n = 0;

	if (!s->source_end)
		n = s->source.read(s->source.ctx, s->buf + at, LAYER_READ_SIZE - at, err);
	s->source_end = n <= 0;
	if (n > 0) {
		s->n_in += (uint64_t)n;
		if (s->in)
			bk_digest_update(s->in, s->buf + at, (size_t)n);
	}
	return n;
}

static ssize_t next_input(void *ctx, const void **ret, struct bk_err **err)
{
	struct layer_stream *s = ctx;
	size_t ahead = s->ahead;

	s->ahead = 0;
	*ret = s->buf;
	return ahead > 0 ? (ssize_t)ahead : fill(s, 0, err);
}

/* Reads so much that the compression can be told. */
static int open_decode(struct layer_stream *s, struct bk_err **err)
{
	const struct layer_input in = { .next = next_input, .ctx = s };
	ssize_t n;

	do {
		n = fill(s, s->ahead, err);
		if (n < 0)
			return (int)n;
		s->ahead += (size_t)n;
	} while (n > 0 && s->ahead < 8);
	return layer_decode_new(&in, s->buf, s->ahead, s->opts.any, &s->decode, err);
}

static int check_size(const struct layer_stream *s, struct bk_err **err)
{
	if (s->n_made > s->opts.max_size)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the layer has more than %" PRIu64 " bytes", s->opts.max_size);
	if (s->opts.max_ratio && s->n_made > LAYER_RATIO_FREE &&
	    s->n_made / s->opts.max_ratio > s->n_in)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the layer unpacks to more than %u times its size",
				  s->opts.max_ratio);
	return 0;
}

/* What the decompressor leaves behind the last member belongs to the blob, and to its hash. */
static int drain_source(struct layer_stream *s, struct bk_err **err)
{
	ssize_t n;

	do
		n = fill(s, 0, err);
	while (n > 0);
	return (int)n;
}

/* One block; *ret_len is 0 when all of the blob has been read. */
static int make_block(struct layer_stream *s, void *block, size_t *ret_len, struct bk_err **err)
{
	int rc = s->decode ? 0 : open_decode(s, err);

	if (rc == 0)
		rc = layer_decode_read(s->decode, block, LAYER_BLOCK_SIZE, ret_len, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "decompress");
	if (*ret_len == 0)
		return drain_source(s, err);
	s->n_made += *ret_len;
	return check_size(s, err);
}

static void *make_all(void *arg)
{
	struct layer_stream *s = arg;
	size_t len = 1;

	while (s->rc == 0 && len > 0) {
		void *block = layer_ring_reserve(s->ring);

		if (!block)
			break;
		s->rc = make_block(s, block, &len, &s->err);
		if (s->rc < 0 || len == 0)
			break;
		if (!s->has_hasher)
			bk_digest_update(s->out, block, len);
		layer_ring_publish(s->ring, len);
	}
	layer_ring_end(s->ring);
	return NULL;
}

static void *hash_all(void *arg)
{
	struct layer_stream *s = arg;
	const void *data;
	size_t len;

	while (layer_ring_get(s->ring, HASHER, &data, &len)) {
		bk_digest_update(s->out, data, len);
		layer_ring_release(s->ring, HASHER);
	}
	return NULL;
}

/* ---- making ------------------------------------------------------------------------------------- */

static int start_digests(struct layer_stream *s, struct bk_err **err)
{
	enum bk_digest_alg in, out = BK_DIGEST_SHA256;
	int rc = 0;

	if (s->digest) {
		rc = bk_digest_parse(s->digest, &in, NULL, err);
		if (rc < 0)
			return rc;
		s->in = bk_digest_new(in);
	}
	if (s->diff_id)
		rc = bk_digest_parse(s->diff_id, &out, NULL, err);
	if (rc < 0)
		return rc;
	s->out = bk_digest_new(out);
	return 0;
}

/*
 * Two threads where there are two CPUs: the two halves, inflating and hashing against writing, take about
 * the same time. More CPUs have one for the second hash.
 */
static unsigned int threads_of(unsigned int asked)
{
	cpu_set_t set;
	int n;

	if (asked > 0)
		return asked < LAYER_THREADS_MAX ? asked : LAYER_THREADS_MAX;
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 2; /* more CPUs than a cpu_set_t has */
	n = CPU_COUNT(&set);
	return n < LAYER_THREADS_MAX ? (unsigned int)n : LAYER_THREADS_MAX;
}

static bool start_thread(pthread_t *thread, void *(*run)(void *), struct layer_stream *s)
{
	return pthread_create(thread, NULL, run, s) == 0;
}

/* Signals are for the caller's thread: whose handlers expect to run there. Without a thread, without. */
static void start_threads(struct layer_stream *s)
{
	unsigned int n = threads_of(s->opts.threads);
	sigset_t all, before;

	if (n < 2)
		return;
	s->ring = layer_ring_new(LAYER_BLOCKS, LAYER_BLOCK_SIZE, n - 1);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (n > 2) {
		s->has_hasher = start_thread(&s->hasher, hash_all, s);
		if (!s->has_hasher) {
			layer_ring_free(s->ring);
			s->ring = layer_ring_new(LAYER_BLOCKS, LAYER_BLOCK_SIZE, 1);
		}
	}
	s->has_maker = start_thread(&s->maker, make_all, s);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_threads(struct layer_stream *s)
{
	if (s->ring)
		layer_ring_stop(s->ring);
	if (s->has_maker)
		(void)pthread_join(s->maker, NULL);
	if (s->has_hasher)
		(void)pthread_join(s->hasher, NULL);
	s->has_maker = s->has_hasher = false;
	layer_ring_free(s->ring);
	s->ring = NULL;
}

static int open_stream(struct layer_stream *s, const struct layer_stream_opts *opts,
		       struct bk_err **err)
{
	int rc;

	s->buf = bk_malloc(LAYER_READ_SIZE);
	s->opts = *opts;
	s->digest = opts->digest ? bk_strdup(opts->digest) : NULL;
	s->diff_id = opts->diff_id ? bk_strdup(opts->diff_id) : NULL;
	rc = start_digests(s, err);
	if (rc < 0)
		return rc;
	start_threads(s);
	if (!s->has_maker) {
		stop_threads(s);
		s->block = bk_malloc(LAYER_BLOCK_SIZE);
	}
	return 0;
}

int layer_stream_new_from(const struct layer_source *source, const struct layer_stream_opts *opts,
			  struct layer_stream **ret, struct bk_err **err)
{
	bk_autolayerstream struct layer_stream *s = bk_calloc(1, sizeof(*s));
	int rc;

	s->source = *source;
	rc = open_stream(s, opts, err);
	if (rc == 0)
		*ret = bk_steal_ptr(&s);
	return rc;
}

int layer_stream_new(int fd, const struct layer_stream_opts *opts, struct layer_stream **ret,
		     struct bk_err **err)
{
	bk_autolayerstream struct layer_stream *s = bk_calloc(1, sizeof(*s));
	int rc;

	s->fd = fd;
	s->source = (struct layer_source){ .read = read_fd, .ctx = &s->fd };
	rc = open_stream(s, opts, err);
	if (rc == 0)
		*ret = bk_steal_ptr(&s);
	return rc;
}

/* ---- the caller's half -------------------------------------------------------------------------- */

static int next_of_ring(struct layer_stream *s, const void **ret_data, size_t *ret_len,
			struct bk_err **err)
{
	int rc;

	if (s->held)
		layer_ring_release(s->ring, CALLER);
	s->held = layer_ring_get(s->ring, CALLER, ret_data, ret_len);
	if (s->held)
		return 0;
	*ret_len = 0;
	rc = s->rc;
	if (s->err)
		bk_err_move(err, bk_steal_ptr(&s->err));
	return rc;
}

static int next_here(struct layer_stream *s, const void **ret_data, size_t *ret_len,
		     struct bk_err **err)
{
	int rc = make_block(s, s->block, ret_len, err);

	if (rc < 0)
		return rc;
	bk_digest_update(s->out, s->block, *ret_len);
	*ret_data = s->block;
	return 0;
}

int layer_stream_next(struct layer_stream *s, const void **ret_data, size_t *ret_len,
		      struct bk_err **err)
{
	const void *data = NULL;
	size_t len = 0;
	int rc;

	*ret_len = 0;
	if (s->end)
		return 0;
	rc = s->ring ? next_of_ring(s, &data, &len, err) : next_here(s, &data, &len, err);
	s->end = rc < 0 || len == 0;
	if (s->end)
		return rc;
	s->n_out += len;
	if (s->opts.tap) {
		rc = s->opts.tap(s->opts.tap_ctx, data, len, err);
		if (rc < 0)
			return rc;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

int layer_stream_finish(struct layer_stream *s, char ret_diff_id[BK_DIGEST_TEXT_SIZE],
			struct bk_err **err)
{
	char text[BK_DIGEST_TEXT_SIZE];
	const void *data;
	size_t len;
	int rc;

	do {
		rc = layer_stream_next(s, &data, &len, err);
		if (rc < 0)
			return rc;
	} while (len > 0);
	/* The maker has ended; of the blocks before that the hasher may be at the last ones still. */
	if (s->has_hasher) {
		(void)pthread_join(s->hasher, NULL);
		s->has_hasher = false;
	}
	if (s->in) {
		bk_digest_text(s->in, text);
		if (!bk_streq(text, s->digest))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "the blob is damaged: its digest is %s", text);
	}
	bk_digest_text(s->out, text);
	if (s->diff_id && !bk_streq(text, s->diff_id))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the content's digest (DiffID) is %s instead of %s", text,
				  s->diff_id);
	memcpy(ret_diff_id, text, sizeof(text));
	return 0;
}

uint64_t layer_stream_bytes(const struct layer_stream *s)
{
	return s->n_out;
}

void layer_stream_free(struct layer_stream *s)
{
	if (!s)
		return;
	stop_threads(s);
	layer_decode_free(s->decode);
	bk_digest_free(s->in);
	bk_digest_free(s->out);
	bk_err_clear(&s->err);
	free(s->digest);
	free(s->diff_id);
	free(s->buf);
	free(s->block);
	free(s);
}
