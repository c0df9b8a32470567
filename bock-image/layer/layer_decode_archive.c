/* SPDX-License-Identifier: Apache-2.0 */
/* What layers are not compressed by, and archives that become layers may be: libarchive's filters. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "layer/layer_decode_priv.h"

struct filtered {
	struct archive *a; /* format "raw": one entry, whose content is ours */
	struct layer_input in;
	struct bk_err *err; /* of the callback, which can't return one */
	const unsigned char *data;
	size_t len;
};

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct filtered *f = ctx;
	ssize_t n = f->in.next(f->in.ctx, ret, &f->err);

	if (n < 0)
		archive_set_error(a, EIO, "read");
	return n < 0 ? -1 : n;
}

/* libarchive's words, or what the callback had to say. */
static int failed(struct filtered *f, struct bk_err **err)
{
	const char *text = f->a ? archive_error_string(f->a) : NULL;

	if (f->err) {
		struct bk_err *e = bk_steal_ptr(&f->err);
		int rc = -(int)bk_err_kind_of(e);

		bk_err_move(err, e);
		return rc;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s", text ? text : "damaged");
}

static void filtered_stop(void *state)
{
	struct filtered *f = state;

	if (f->a)
		(void)archive_read_free(f->a);
	bk_err_clear(&f->err);
	free(f);
}

static int open_filter(struct filtered *f, int filter, struct bk_err **err)
{
	struct archive_entry *entry;

	f->a = archive_read_new();
	if (!f->a)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "libarchive gives no reader");
	/* Exactly this filter: bidding would go on for as long as something looks compressed. */
	if (archive_read_support_format_raw(f->a) != ARCHIVE_OK ||
	    archive_read_append_filter(f->a, filter) < ARCHIVE_WARN)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "libarchive can't read this compression: %s",
				  archive_error_string(f->a));
	if (archive_read_open(f->a, f, NULL, on_read, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(f->a, &entry) != ARCHIVE_OK)
		return failed(f, err);
	return 0;
}

static int filtered_start(const struct layer_input *in, int filter, void **ret, struct bk_err **err)
{
	struct filtered *f = bk_calloc(1, sizeof(*f));
	int rc;

	f->in = *in;
	rc = open_filter(f, filter, err);
	if (rc < 0) {
		filtered_stop(f);
		return rc;
	}
	*ret = f;
	return 0;
}

static int filtered_read(void *state, void *data, size_t size, size_t *ret_len, struct bk_err **err)
{
	struct filtered *f = state;
	la_int64_t offset;

	while (f->len == 0) {
		const void *block;
		int rc = archive_read_data_block(f->a, &block, &f->len, &offset);

		if (rc == ARCHIVE_EOF && !f->err) {
			*ret_len = 0;
			return 0;
		}
		if (rc != ARCHIVE_OK)
			return failed(f, err);
		f->data = block;
	}
	*ret_len = size < f->len ? size : f->len;
	memcpy(data, f->data, *ret_len);
	f->data += *ret_len;
	f->len -= *ret_len;
	return 0;
}

const struct layer_decoder layer_decoder_archive_ = { filtered_start, filtered_read,
						      filtered_stop };
