/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uncompressed bytes of a layer, block by block: what the source gives is hashed, decompressed and
 * hashed again. The compression is found by the first bytes (layer_decode.h; a blob's media type may be
 * wrong, its digests are not). Nothing is decompressed twice, and nothing is held but a few blocks:
 *
 *	source -> digest of the blob -> decompressor -> DiffID -> caller
 *
 * Threads: with one, all of it happens within layer_stream_next. With two, all but the caller's own
 * work happens in a thread of the stream, which is a few blocks ahead of the caller; with three, the
 * DiffID has one of its own. Blocks come in order, and a failure comes where it happened, behind the
 * blocks before it. The source is called from one thread at a time, which need not be the caller's.
 *
 * Calling order: layer_stream_new, layer_stream_next..., layer_stream_finish, layer_stream_free.
 *
 * A source that feeds a transfer: its read takes what the peer sends, writes it to the blob that is kept,
 * and hands it on. It may block; layer_stream_free waits for a read that is under way, so who gives up
 * early has to make that return (by shutting the socket down, for one). What is read is the whole
 * blob, to the end of file, once: layer_stream_finish reads on behind the last member of a gzip file,
 * so that the digest is the blob's.
 *
 * Uses / used by: bk_digest, layer_decode, layer_ring / layer_tar, cmd (import).
 */
#ifndef LAYER_STREAM_H
#define LAYER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "digest/bk_digest.h"

#define LAYER_BLOCK_SIZE ((size_t)128 << 10)	/* of what comes out; a multiple of a tar's blocks */
#define LAYER_BLOCKS 8				/* at most so far ahead of the caller */
#define LAYER_READ_SIZE ((size_t)256 << 10)	/* asked of the source at once */
#define LAYER_THREADS_MAX 3

struct layer_stream;

/* Where a blob's bytes come from. */
struct layer_source {
	/* At most size bytes into buf: how many (fewer are no end), 0 at the end, or -kind. */
	ssize_t (*read)(void *ctx, void *buf, size_t size, struct bk_err **err);
	void *ctx;
};

struct layer_stream_opts {
	const char *digest;	/* what the bytes read must hash to; NULL: not hashed */
	const char *diff_id;	/* what the bytes that come out must; NULL: any (hashed by sha256) */
	uint64_t max_size;	/* uncompressed bytes */
	unsigned int max_ratio;	/* past LAYER_RATIO_FREE; 0: any */
	unsigned int threads;	/* 1 to LAYER_THREADS_MAX; 0: by the number of CPUs */
	/* Told of each block that comes out, in the caller's thread; NULL: nobody. An error ends the reading. */
	int (*tap)(void *ctx, const void *data, size_t len, struct bk_err **err);
	void *tap_ctx;
	bool any;		/* also what layers are not compressed by: xz, bzip2, lzma, lz4 */
};

/* fd is read from where it stands to its end, and stays the caller's. opts is copied, strings too. */
int layer_stream_new(int fd, const struct layer_stream_opts *opts, struct layer_stream **ret,
		     struct bk_err **err);
/* The same from a source, which is copied; its ctx must live as long as the stream. */
int layer_stream_new_from(const struct layer_source *source, const struct layer_stream_opts *opts,
			  struct layer_stream **ret, struct bk_err **err);
/*
 * The next block, owned by the stream until the next call; *ret_len is 0 at the end. All blocks but the
 * last have LAYER_BLOCK_SIZE bytes.
 */
int layer_stream_next(struct layer_stream *s, const void **ret_data, size_t *ret_len,
		      struct bk_err **err);
/* Reads what is left, and compares both hashes. *ret_diff_id is the second. */
int layer_stream_finish(struct layer_stream *s, char ret_diff_id[BK_DIGEST_TEXT_SIZE],
			struct bk_err **err);
/* How many bytes have come out so far. */
uint64_t layer_stream_bytes(const struct layer_stream *s);
void layer_stream_free(struct layer_stream *s);
BK_DEFINE_AUTO(layer_stream, layer_stream_free);
#define bk_autolayerstream bk_auto(bk_auto_layer_stream_)

#endif
