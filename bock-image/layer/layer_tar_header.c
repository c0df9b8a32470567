/* SPDX-License-Identifier: Apache-2.0 */
/* A tar's bytes: headers, up to that of the next entry, and what is between them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_tar_priv.h"

int tar_bad_(const struct layer_tar *t, struct bk_err **err, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return bk_err_set(err, BK_ERR_CONFIG, 0, "damaged tar, at byte %" PRIu64 ": %s", t->at,
			  text);
}

/* ---- bytes -------------------------------------------------------------------------------------- */

/* Makes t->len more than 0, but at the end. */
int tar_need_(struct layer_tar *t, struct bk_err **err)
{
	const void *data;
	int rc;

	if (t->len > 0)
		return 0;
	rc = layer_stream_next(t->stream, &data, &t->len, err);
	t->data = data;
	return rc;
}

void tar_advance_(struct layer_tar *t, size_t n)
{
	t->data += n;
	t->len -= n;
	t->at += n;
}

/* *ret_n is less than n only at the end. */
static int read_some(struct layer_tar *t, void *buf, size_t n, size_t *ret_n, struct bk_err **err)
{
	size_t got = 0;

	while (got < n) {
		size_t part;
		int rc = tar_need_(t, err);

		if (rc < 0)
			return rc;
		if (t->len == 0)
			break;
		part = n - got < t->len ? n - got : t->len;
		if (buf)
			memcpy((char *)buf + got, t->data, part);
		tar_advance_(t, part);
		got += part;
	}
	*ret_n = got;
	return 0;
}

int tar_read_(struct layer_tar *t, void *buf, size_t n, struct bk_err **err)
{
	size_t got;
	int rc = read_some(t, buf, n, &got, err);

	if (rc == 0 && got < n)
		return tar_bad_(t, err, "it is cut short");
	return rc;
}

int tar_skip_body_(struct layer_tar *t, struct bk_err **err)
{
	while (t->body > 0) {
		size_t part = t->body < LAYER_BLOCK_SIZE ? (size_t)t->body : LAYER_BLOCK_SIZE;
		int rc = tar_read_(t, NULL, part, err);

		if (rc < 0)
			return rc;
		t->body -= part;
	}
	if (t->pad > 0) {
		unsigned int pad = t->pad;

		t->pad = 0;
		return tar_read_(t, NULL, pad, err);
	}
	return 0;
}

/* ---- numbers ------------------------------------------------------------------------------------ */

bool tar_decimal_(const char *text, size_t len, uint64_t *ret)
{
	uint64_t n = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int digit = (unsigned int)(text[i] - '0');

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*ret = n;
	return true;
}

/* Two's complement, big-endian; the first byte is 0x80 or 0xff (GNU tar). */
static bool base_256(const unsigned char *p, size_t len, int64_t *ret)
{
	bool minus = p[0] == 0xff;
	uint64_t n = minus ? UINT64_MAX : 0;

	for (size_t i = 1; i < len; i++) {
		if (n >> 56 != (minus ? 0xff : 0))
			return false;
		n = n << 8 | p[i];
	}
	if (n >> 63 != minus)
		return false;
	*ret = (int64_t)n;
	return true;
}

bool tar_number_(const char *field, size_t len, int64_t *ret)
{
	const unsigned char *p = (const unsigned char *)field;
	uint64_t n = 0;
	size_t i = 0, first;

	if (p[0] == 0x80 || p[0] == 0xff)
		return base_256(p, len, ret);
	while (i < len && p[i] == ' ')
		i++;
	for (first = i; i < len && p[i] >= '0' && p[i] <= '7'; i++) {
		if (n >> 60)
			return false;
		n = n << 3 | (p[i] - '0');
	}
	/* Without a digit: a field of NULs is 0, one of blanks is nothing. */
	if (i == first && (i > 0 || p[0] != '\0'))
		return false;
	for (; i < len; i++)
		if (p[i] != '\0' && p[i] != ' ')
			return false;
	*ret = (int64_t)n;
	return true;
}

/* ---- headers ------------------------------------------------------------------------------------ */

static bool all_zero(const void *data, size_t len)
{
	const unsigned char *p = data;

	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Some old writers added signed characters; GNU tar takes both. */
static bool checksum_ok(const struct tar_header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	size_t from = offsetof(struct tar_header, chksum), to = from + sizeof(h->chksum);
	int64_t sum = 0, signed_sum = 0, want;

	for (size_t i = 0; i < sizeof(*h); i++) {
		unsigned char c = i >= from && i < to ? ' ' : p[i];

		sum += c;
		signed_sum += (signed char)c;
	}
	return tar_number_(h->chksum, sizeof(h->chksum), &want) &&
	       (want == sum || want == signed_sum);
}

bool tar_is_ustar_(const struct tar_header *h)
{
	return memcmp(h->magic, "ustar", 6) == 0;
}

/*
 * GNU's form has a sparse file's map and size where others have nothing. libarchive goes by them whatever the type is,
 * GNU tar by the type, so that they would see different bytes of one archive.
 */
static bool says_sparse(const struct tar_header *h)
{
	return h->type != 'S' && !(all_zero(h->gnu.sparse, sizeof(h->gnu.sparse)) && h->gnu.extended == 0 &&
				   all_zero(h->gnu.realsize, sizeof(h->gnu.realsize)));
}

static int check_magic(const struct layer_tar *t, struct bk_err **err)
{
	const struct tar_header *h = &t->header;

	if (tar_is_ustar_(h)) {
		/* star's own form has times where the prefix is, and says so at the end */
		if (memcmp(h->version, "00", 2) != 0 || memcmp(h->pad + 8, "tar", 4) == 0)
			return tar_bad_(t, err, "a header of an unknown version");
		return 0;
	}
	/* GNU's, whose version is a blank and a NUL; and the form before POSIX's */
	if (memcmp(h->magic, "ustar ", sizeof(h->magic)) == 0 &&
	    memcmp(h->version, " ", sizeof(h->version)) == 0)
		return says_sparse(h) ? tar_bad_(t, err, "a header with a map of holes, of what is no sparse file") : 0;
	if (all_zero(h->magic, sizeof(h->magic)) && all_zero(h->version, sizeof(h->version)))
		return 0;
	return tar_bad_(t, err, "a header of an unknown form");
}

/* Nothing but zeros behind the end. */
static int check_end(struct layer_tar *t, struct bk_err **err)
{
	for (;;) {
		int rc = tar_need_(t, err);

		if (rc < 0 || t->len == 0)
			return rc;
		if (!all_zero(t->data, t->len))
			return tar_bad_(t, err, "something behind its end");
		tar_advance_(t, t->len);
	}
}

/* The next header; *ret_more is false at the end. */
static int read_header(struct layer_tar *t, bool *ret_more, struct bk_err **err)
{
	size_t n;
	int rc = read_some(t, &t->header, TAR_BLOCK, &n, err);

	if (rc < 0)
		return rc;
	*ret_more = n == TAR_BLOCK && !all_zero(&t->header, TAR_BLOCK);
	if (n > 0 && n < TAR_BLOCK)
		return tar_bad_(t, err, "it is cut short");
	if (!*ret_more)
		return check_end(t, err);
	if (!checksum_ok(&t->header))
		return tar_bad_(t, err, "a header's checksum is wrong");
	return check_magic(t, err);
}

int tar_header_number_(const struct layer_tar *t, const char *what, const char *field, size_t len,
		       int64_t min, int64_t max, int64_t *ret, struct bk_err **err)
{
	if (!tar_number_(field, len, ret) || *ret < min || *ret > max)
		return tar_bad_(t, err, "a header whose %s is none", what);
	return 0;
}

int tar_start_body_(struct layer_tar *t, uint64_t size, struct bk_err **err)
{
	if (size > t->max_file)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "an entry has %" PRIu64 " bytes, at most %" PRIu64 " are taken",
				  size, t->max_file);
	t->body = size;
	t->pad = (unsigned int)(-size % TAR_BLOCK);
	return 0;
}

/* The whole body of a header about the next one; heap, NUL behind it. */
static int read_meta(struct layer_tar *t, uint64_t size, char **ret, struct bk_err **err)
{
	bk_autofree char *text = NULL;
	int rc;

	if (size > t->max_pax)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "an extended header of %" PRIu64 " bytes, at most %zu are taken",
				  size, t->max_pax);
	rc = tar_start_body_(t, size, err);
	if (rc < 0)
		return rc;
	text = bk_malloc((size_t)size + 1);
	rc = tar_read_(t, text, (size_t)size, err);
	if (rc < 0)
		return rc;
	text[size] = '\0';
	t->body = 0;
	*ret = bk_steal_ptr(&text);
	return tar_skip_body_(t, err);
}

static int read_long(struct layer_tar *t, uint64_t size, char **to, struct bk_err **err)
{
	int rc;

	if (t->said.any || *to)
		return tar_bad_(t, err, "two headers that say one entry's name");
	rc = read_meta(t, size, to, err);
	if (rc < 0)
		return rc;
	if (**to == '\0' || !all_zero(*to + strlen(*to), (size_t)size - strlen(*to)))
		return tar_bad_(t, err, "a name that is empty or has a NUL in it");
	return 0;
}

static int read_pax(struct layer_tar *t, uint64_t size, bool global, struct bk_err **err)
{
	bk_autofree char *text = NULL;
	int rc;

	if (!global && (t->said.any || t->long_name || t->long_link))
		return tar_bad_(t, err, "two extended headers before one entry");
	rc = read_meta(t, size, &text, err);
	if (rc < 0)
		return rc;
	if (!global)
		t->said.any = true;
	return tar_pax_parse_(t, text, (size_t)size, global, err);
}

/* Reads headers up to the one of an entry; *ret_size is what that says of its body. */
int tar_next_header_(struct layer_tar *t, uint64_t *ret_size, bool *ret_more, struct bk_err **err)
{
	for (;;) {
		bool about = t->said.any || t->long_name || t->long_link;
		int64_t size = 0;
		int rc = read_header(t, ret_more, err);

		if (rc == 0 && !*ret_more && about)
			return tar_bad_(t, err, "an extended header without an entry");
		if (rc < 0 || !*ret_more)
			return rc;
		rc = TAR_NUMBER(t, size, 0, INT64_MAX, &size, err);
		if (rc < 0)
			return rc;
		*ret_size = (uint64_t)size;
		switch (t->header.type) {
		case 'x':
			rc = read_pax(t, *ret_size, false, err);
			break;
		case 'g':
			rc = about ? tar_bad_(t, err,
					      "a global header before an entry that has one")
				   : read_pax(t, *ret_size, true, err);
			break;
		case 'L':
			rc = read_long(t, *ret_size, &t->long_name, err);
			break;
		case 'K':
			rc = read_long(t, *ret_size, &t->long_link, err);
			break;
		default:
			return 0;
		}
		if (rc < 0)
			return rc;
	}
}
