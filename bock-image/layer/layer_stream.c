/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer.h"
#include "layer/layer_gunzip.h"

#define READ_SIZE ((size_t)256 << 10)

struct layer_stream {
	struct layer_gunzip *gunzip; /* for gzip, instead of the next one */
	struct archive *a;	     /* format "raw": one entry, whose content is ours */
	int fd;
	char *buf;
	size_t ahead; /* bytes in buf that were read to see what this is */
	struct layer_stream_opts opts;
	char *digest, *diff_id;
	struct bk_digest *in; /* NULL where nobody asks */
	struct bk_digest *out;
	uint64_t n_in, n_out;
	struct bk_err *err; /* of the callback, which can't return one */
	bool end;
};

/* Filters by their first bytes. What isn't here is left as it is. */
static const struct magic {
	const char *bytes;
	size_t len;
	int filter;
	bool layers; /* met in layers */
} magics[] = {
	{ "\x1f\x8b", 2, ARCHIVE_FILTER_GZIP, true },
	{ "\x28\xb5\x2f\xfd", 4, ARCHIVE_FILTER_ZSTD, true },
	{ "\xfd"
	  "7zXZ\0",
	  6, ARCHIVE_FILTER_XZ, false },
	{ "BZh", 3, ARCHIVE_FILTER_BZIP2, false },
	{ "\x04\x22\x4d\x18", 4, ARCHIVE_FILTER_LZ4, false },
	{ "\x5d\x00\x00", 3, ARCHIVE_FILTER_LZMA, false },
};

/* zstd streams may begin by a frame to be skipped, with 16 possible numbers (RFC 8878, 3.1.2). */
static bool is_skippable_zstd(const char *p, size_t len)
{
	return len >= 4 && ((unsigned char)p[0] & 0xf0) == 0x50 &&
	       memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
}

static int filter_of(const struct layer_stream *s)
{
	if (is_skippable_zstd(s->buf, s->ahead))
		return ARCHIVE_FILTER_ZSTD;
	for (size_t i = 0; i < BK_ARRAY_SIZE(magics); i++)
		if ((magics[i].layers || s->opts.any) && s->ahead >= magics[i].len &&
		    memcmp(s->buf, magics[i].bytes, magics[i].len) == 0)
			return magics[i].filter;
	return ARCHIVE_FILTER_NONE;
}

static ssize_t fill(struct layer_stream *s)
{
	ssize_t n = bk_fd_read_full(s->fd, s->buf, READ_SIZE);

	if (n < 0) {
		bk_err_set(&s->err, BK_ERR_IO, (int)-n, "read the layer");
		return -1;
	}
	s->n_in += (uint64_t)n;
	if (s->in)
		bk_digest_update(s->in, s->buf, (size_t)n);
	return n;
}

static ssize_t next_input(void *ctx, const void **ret)
{
	struct layer_stream *s = ctx;
	size_t ahead = s->ahead;

	s->ahead = 0;
	*ret = s->buf;
	return ahead > 0 ? (ssize_t)ahead : fill(s);
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	ssize_t n = next_input(ctx, ret);

	if (n < 0)
		archive_set_error(a, EIO, "read");
	return n;
}

/* libarchive's words, or what a callback had to say. */
static int failed(struct layer_stream *s, struct bk_err **err)
{
	if (s->err) {
		struct bk_err *e = bk_steal_ptr(&s->err);
		int rc = -(int)bk_err_kind_of(e);

		bk_err_move(err, e);
		return rc;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "decompress: %s",
			  archive_error_string(s->a) ? archive_error_string(s->a) : "damaged");
}

static int open_raw(struct layer_stream *s, struct bk_err **err)
{
	struct archive_entry *entry;
	int filter, rc;

	rc = (int)fill(s);
	if (rc < 0)
		return failed(s, err);
	s->ahead = (size_t)rc;
	if (s->ahead == 0) {
		s->end = true;
		return 0;
	}
	filter = filter_of(s);
	if (filter == ARCHIVE_FILTER_GZIP)
		return layer_gunzip_new(next_input, s, &s->gunzip, err);
	s->a = archive_read_new();
	if (!s->a)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "libarchive gives no reader");
	/* Exactly this filter: bidding would go on for as long as something looks compressed. */
	if (archive_read_support_format_raw(s->a) != ARCHIVE_OK ||
	    (filter != ARCHIVE_FILTER_NONE &&
	     archive_read_append_filter(s->a, filter) < ARCHIVE_WARN))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "libarchive can't read this compression: %s",
				  archive_error_string(s->a));
	if (archive_read_open(s->a, s, NULL, on_read, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(s->a, &entry) != ARCHIVE_OK)
		return failed(s, err);
	return 0;
}

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

int layer_stream_new(int fd, const struct layer_stream_opts *opts, struct layer_stream **ret,
		     struct bk_err **err)
{
	bk_autolayerstream struct layer_stream *s = bk_calloc(1, sizeof(*s));
	int rc;

	s->fd = fd;
	s->buf = bk_malloc(READ_SIZE);
	s->opts = *opts;
	s->digest = opts->digest ? bk_strdup(opts->digest) : NULL;
	s->diff_id = opts->diff_id ? bk_strdup(opts->diff_id) : NULL;
	rc = start_digests(s, err);
	if (rc == 0)
		rc = open_raw(s, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&s);
	return 0;
}

static int check_size(const struct layer_stream *s, struct bk_err **err)
{
	if (s->n_out > s->opts.max_size)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the layer has more than %" PRIu64 " bytes", s->opts.max_size);
	if (s->opts.max_ratio && s->n_out > LAYER_RATIO_FREE &&
	    s->n_out / s->opts.max_ratio > s->n_in)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the layer unpacks to more than %u times its size",
				  s->opts.max_ratio);
	return 0;
}

/* The next block of whichever decompressor there is; *ret_len is 0 at the end. */
static int next_block(struct layer_stream *s, const void **ret_data, size_t *ret_len,
		      struct bk_err **err)
{
	struct bk_err *why = NULL;
	la_int64_t offset;
	int rc;

	*ret_len = 0;
	if (!s->gunzip) {
		do
			rc = archive_read_data_block(s->a, ret_data, ret_len, &offset);
		while (rc == ARCHIVE_OK && *ret_len == 0);
		if (rc == ARCHIVE_OK)
			return 0;
		*ret_len = 0;
		return rc == ARCHIVE_EOF ? 0 : failed(s, err);
	}
	rc = layer_gunzip_next(s->gunzip, ret_data, ret_len, &why);
	if (rc < 0 && s->err) {
		bk_err_clear(&why);
		return failed(s, err);
	}
	bk_err_move(err, why);
	return rc < 0 ? bk_err_wrap(err, rc, "decompress") : 0;
}

int layer_stream_next(struct layer_stream *s, const void **ret_data, size_t *ret_len,
		      struct bk_err **err)
{
	const void *data;
	size_t len;
	int rc;

	*ret_len = 0;
	if (s->end)
		return 0;
	rc = next_block(s, &data, &len, err);
	if (rc < 0)
		return rc;
	s->end = len == 0;
	if (s->end)
		return 0;
	s->n_out += len;
	rc = check_size(s, err);
	if (rc < 0)
		return rc;
	bk_digest_update(s->out, data, len);
	if (s->opts.tap) {
		rc = s->opts.tap(s->opts.tap_ctx, data, len, err);
		if (rc < 0)
			return rc;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

/* What the decompressor leaves behind the last member belongs to the blob, and to its hash. */
static int drain(struct layer_stream *s, struct bk_err **err)
{
	const void *data;
	size_t len;
	ssize_t n;
	int rc;

	do {
		rc = layer_stream_next(s, &data, &len, err);
		if (rc < 0)
			return rc;
	} while (len > 0);
	do {
		n = fill(s);
		if (n < 0)
			return failed(s, err);
	} while (n > 0);
	return 0;
}

int layer_stream_finish(struct layer_stream *s, char ret_diff_id[BK_DIGEST_TEXT_SIZE],
			struct bk_err **err)
{
	char text[BK_DIGEST_TEXT_SIZE];
	int rc = drain(s, err);

	if (rc < 0)
		return rc;
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
	if (s->a)
		(void)archive_read_free(s->a);
	layer_gunzip_free(s->gunzip);
	bk_digest_free(s->in);
	bk_digest_free(s->out);
	bk_err_clear(&s->err);
	free(s->digest);
	free(s->diff_id);
	free(s->buf);
	free(s);
}
