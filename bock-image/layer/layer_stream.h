/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The uncompressed bytes of a layer, block by block: what is read from fd is hashed, decompressed and
 * hashed again. The compression is found by the first bytes (a blob's media type may be wrong, its
 * digests are not): gzip with any number of members, zstd with any number of frames, or none.
 * Nothing is decompressed twice.
 *
 * Calling order: layer_stream_new, layer_stream_next..., layer_stream_finish, layer_stream_free.
 *
 * Uses / used by: bk_digest, libarchive / layer_tar, cmd (import).
 */
#ifndef LAYER_STREAM_H
#define LAYER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "digest/bk_digest.h"

struct layer_stream;

struct layer_stream_opts {
	const char *digest;	/* what the bytes read must hash to; NULL: not hashed */
	const char *diff_id;	/* what the bytes that come out must; NULL: any (hashed by sha256) */
	uint64_t max_size;	/* uncompressed bytes */
	unsigned int max_ratio;	/* past LAYER_RATIO_FREE; 0: any */
	/* Told of each block that comes out; NULL: nobody. An error of its ends the reading. */
	int (*tap)(void *ctx, const void *data, size_t len, struct bk_err **err);
	void *tap_ctx;
	bool any;		/* also what layers are not compressed by: xz, bzip2, lzma, lz4 */
};

/* fd is read from where it stands to its end, and stays the caller's. opts is copied, strings too. */
int layer_stream_new(int fd, const struct layer_stream_opts *opts, struct layer_stream **ret,
		     struct bk_err **err);
/* The next block, owned by the stream until the next call; *ret_len is 0 at the end. */
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
