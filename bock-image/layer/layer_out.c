/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_out.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bk_mem.h"

#define OUT_SIZE	    ((size_t)128 << 10)
#define GZIP_LEVEL	    6
#define GZIP_WINDOW	    (15 + 16) /* the largest, in a gzip frame */
#define GZIP_MEMORY	    8
#define GZIP_SYSTEM_UNKNOWN 255

struct layer_out {
	struct store_writer *writer;
	struct bk_digest *diff_id;
	int64_t raw_size;
	bool gzip;
	z_stream z;
	gz_header header;
	unsigned char *out; /* NULL without gzip */
};

static int start_gzip(struct layer_out *o, struct bk_err **err)
{
	o->out = bk_malloc(OUT_SIZE);
	if (deflateInit2(&o->z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "zlib: %s",
				  o->z.msg ? o->z.msg : "no compressor");
	o->gzip = true;
	/* Time 0, no name, and no system: the same bytes wherever they are made. */
	o->header.os = GZIP_SYSTEM_UNKNOWN;
	if (deflateSetHeader(&o->z, &o->header) != Z_OK)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "zlib refuses the header");
	return 0;
}

int layer_out_new(struct store *s, enum oci_media_compression compression, struct layer_out **ret,
		  struct bk_err **err)
{
	bk_autolayerout struct layer_out *o = NULL;
	int rc;

	if (compression == OCI_MEDIA_ZSTD)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "layers are written plain or by gzip, not by zstd");
	o = bk_calloc(1, sizeof(*o));
	o->diff_id = bk_digest_new(BK_DIGEST_SHA256);
	rc = store_writer_new(s, NULL, -1, &o->writer, err);
	if (rc == 0 && compression == OCI_MEDIA_GZIP)
		rc = start_gzip(o, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&o);
	return 0;
}

/* Compresses what o->z has to take; with Z_FINISH to the end. */
static int deflate_all(struct layer_out *o, int flush, struct bk_err **err)
{
	int rc, z;

	do {
		o->z.next_out = o->out;
		o->z.avail_out = OUT_SIZE;
		z = deflate(&o->z, flush);
		if (z == Z_STREAM_ERROR)
			return bk_err_set(err, BK_ERR_INTERNAL, 0, "zlib: %s",
					  o->z.msg ? o->z.msg : "");
		rc = store_writer_write(o->writer, o->out, OUT_SIZE - o->z.avail_out, err);
		if (rc < 0)
			return rc;
	} while (o->z.avail_out == 0 || (flush == Z_FINISH && z != Z_STREAM_END));
	return 0;
}

int layer_out_write(void *layer_out, const void *data, size_t len, struct bk_err **err)
{
	struct layer_out *o = layer_out;
	const unsigned char *p = data;

	bk_digest_update(o->diff_id, data, len);
	o->raw_size += (int64_t)len;
	if (!o->gzip)
		return store_writer_write(o->writer, data, len, err);
	while (len > 0) {
		uInt part = len > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)len;
		int rc;

		o->z.next_in = (z_const Bytef *)p;
		o->z.avail_in = part;
		rc = deflate_all(o, Z_NO_FLUSH, err);
		if (rc < 0)
			return rc;
		p += part;
		len -= part;
	}
	return 0;
}

int layer_out_commit(struct layer_out *o, struct layer_info *ret, struct bk_err **err)
{
	struct layer_info info = {
		.media_type = o->gzip ? OCI_MEDIA_LAYER_GZIP : OCI_MEDIA_LAYER,
		.raw_size = o->raw_size,
	};
	int rc = 0;

	if (o->gzip) {
		o->z.avail_in = 0;
		rc = deflate_all(o, Z_FINISH, err);
	}
	if (rc == 0)
		rc = store_writer_commit(o->writer, info.digest, &info.size, err);
	if (rc < 0)
		return rc;
	bk_digest_text(o->diff_id, info.diff_id);
	*ret = info;
	return 0;
}

void layer_out_free(struct layer_out *o)
{
	if (!o)
		return;
	if (o->gzip)
		(void)deflateEnd(&o->z);
	store_writer_free(o->writer);
	bk_digest_free(o->diff_id);
	free(o->out);
	free(o);
}

void layer_info_descriptor(const struct layer_info *info, struct bk_arena *arena,
			   struct oci_descriptor *ret)
{
	*ret = (struct oci_descriptor){
		.media_type = bk_arena_strdup(arena, info->media_type),
		.digest = bk_arena_strdup(arena, info->digest),
		.size = info->size,
	};
}
