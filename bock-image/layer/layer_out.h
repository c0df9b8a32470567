/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a layer: the bytes of a tar go in, a blob comes out, with DiffID and digest computed on the way.
 * The same bytes in give the same bytes out: the gzip header is fixed (no time, no name, system 255)
 * and so is the level.
 *
 *	layer_out_new, layer_out_write..., layer_out_commit, layer_out_free
 *
 * Uses / used by: store, zlib / cmd (import), bock-build.
 */
#ifndef LAYER_OUT_H
#define LAYER_OUT_H

#include <stdint.h>

#include "digest/bk_digest.h"
#include "oci/oci_descriptor.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"

struct layer_out;

/* What was written. */
struct layer_info {
	const char *media_type;	/* static */
	char digest[BK_DIGEST_TEXT_SIZE];
	char diff_id[BK_DIGEST_TEXT_SIZE];
	int64_t size;		/* of the blob */
	int64_t raw_size;	/* of the tar */
};

/* compression: OCI_MEDIA_PLAIN or OCI_MEDIA_GZIP; zstd is -BK_ERR_UNSUPPORTED. */
int layer_out_new(struct store *s, enum oci_media_compression compression, struct layer_out **ret,
		  struct bk_err **err);
/* The first argument is a struct layer_out: it has the form of a tar writer's sink. */
int layer_out_write(void *layer_out, const void *data, size_t len, struct bk_err **err);
/* Ends the stream and puts the blob into the store. */
int layer_out_commit(struct layer_out *o, struct layer_info *ret, struct bk_err **err);
void layer_out_free(struct layer_out *o);
BK_DEFINE_AUTO(layer_out, layer_out_free);
#define bk_autolayerout bk_auto(bk_auto_layer_out_)

/* The descriptor of what was written; strings in the arena. */
void layer_info_descriptor(const struct layer_info *info, struct bk_arena *arena,
			   struct oci_descriptor *ret);

#endif
