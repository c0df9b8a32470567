/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs. A blob is written to a file without a name, hashed on the way, synced, and linked to its
 * digest (mode 0444): what has a name is whole. Writing what is there already succeeds.
 *
 *	store_writer_new, store_writer_write..., store_writer_commit, store_writer_free
 *
 * Uses / used by: store / store_index, store_image, layer, bock-build.
 */
#ifndef STORE_BLOB_H
#define STORE_BLOB_H

#include <stdint.h>

#include "base/bk_buf.h"
#include "digest/bk_digest.h"
#include "oci/oci_descriptor.h"
#include "store/store.h"

#define STORE_MANIFEST_MAX ((size_t)4 << 20)	/* bytes of a manifest or an index */
#define STORE_CONFIG_MAX ((size_t)8 << 20)	/* bytes of an image configuration */
#define STORE_BLOB_MAX ((int64_t)1 << 40)	/* bytes of any blob */

struct store_writer;

/*
 * Begins a blob. digest: what it must turn out to be, or NULL (then sha256 is computed). size: what it
 * must have, or -1; a byte more fails at once.
 */
int store_writer_new(struct store *s, const char *digest, int64_t size, struct store_writer **ret,
		     struct bk_err **err);
int store_writer_write(struct store_writer *w, const void *data, size_t len, struct bk_err **err);
/* A blob of that digest that is there already is replaced: it is known to be damaged. */
void store_writer_replace(struct store_writer *w);
/* Checks size and digest, and puts the blob into the store. ret_digest and ret_size may be NULL. */
int store_writer_commit(struct store_writer *w, char ret_digest[BK_DIGEST_TEXT_SIZE],
			int64_t *ret_size, struct bk_err **err);
/* The digest of what was written so far. */
void store_writer_digest(const struct store_writer *w, char ret_digest[BK_DIGEST_TEXT_SIZE]);
/* Frees w; without a commit nothing of it stays. */
void store_writer_free(struct store_writer *w);
BK_DEFINE_AUTO(store_writer, store_writer_free);
#define bk_autostorewriter bk_auto(bk_auto_store_writer_)

/* A blob from memory; fills *ret (strings in the arena). */
int store_blob_add(struct store *s, const char *media_type, const void *data, size_t len,
		   struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err);
/* A blob from fd to its end; digest and size as for store_writer_new. */
int store_blob_add_fd(struct store *s, int fd, const char *digest, int64_t size,
		      char ret_digest[BK_DIGEST_TEXT_SIZE], int64_t *ret_size, struct bk_err **err);

/*
 * Opens a blob for reading. size -1: any; else another size is -BK_ERR_CONFIG. The content is not
 * hashed here: who reads it does that (layer_apply does).
 */
int store_blob_open(const struct store *s, const char *digest, int64_t size, int *ret_fd,
		    int64_t *ret_size, struct bk_err **err);
/* Whether a blob of that digest and size (-1: any) is there. */
bool store_blob_has(const struct store *s, const char *digest, int64_t size);
/*
 * Calls each() for every file in the folder of alg whose name is that of a blob; what has another name is none, but a
 * file that another tool is about to rename. No folder: no blobs. A folder that can't be read to its end: -BK_ERR_IO.
 */
int store_blob_each(const struct store *s, enum bk_digest_alg alg,
		    void (*each)(void *ctx, const char *digest, enum bk_digest_alg alg), void *ctx, struct bk_err **err);
/*
 * Reads a document of at most out->max bytes: size and digest are those of the descriptor, or it is
 * an error.
 */
int store_blob_read(const struct store *s, const struct oci_descriptor *d, struct bk_buf *out,
		    struct bk_err **err);

#endif
