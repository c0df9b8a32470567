/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sparse files, in the forms that GNU tar's manual ("Storing Sparse Files") gives: the old one with the
 * map in the header, and pax 0.0 (records), 0.1 (one record) and 1.0 (in front of the content).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_tar_priv.h"

#define OLD_EXTENTS	   4  /* in a header */
#define OLD_EXTENTS_BLOCK  21 /* in a block behind it */
#define OLD_EXTENT_SIZE	   24
#define DECIMAL_DIGITS_MAX 20 /* of 64 bits */

static int add_extent(struct layer_tar *t, uint64_t offset, uint64_t size, struct bk_err **err)
{
	struct tar_sparse *s = &t->said.sparse;

	if (s->n >= TAR_SPARSE_MAX)
		return tar_bad_(t, err, "a sparse file of more than %zu pieces", TAR_SPARSE_MAX);
	if ((s->n & (s->n - 1)) == 0)
		s->extents = bk_reallocarray(s->extents, s->n ? 2 * s->n : 1, sizeof(*s->extents));
	s->extents[s->n++] = (struct tar_extent){ .offset = offset, .size = size };
	return 0;
}

/* ---- records ------------------------------------------------------------------------------------ */

/* 0.1: "offset,size,offset,size". */
static int take_map(struct layer_tar *t, const char *text, size_t len, struct bk_err **err)
{
	const char *end = text + len;
	uint64_t pair[2];
	int i = 0, rc = 0;

	if (len == 0)
		return 0;
	for (const char *p = text; rc == 0 && p <= end; i ^= 1) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;

		if (!tar_decimal_(p, (size_t)(stop - p), &pair[i]))
			return tar_bad_(t, err, "a sparse map that is none");
		if (i == 1)
			rc = add_extent(t, pair[0], pair[1], err);
		p = stop + 1;
	}
	if (rc == 0 && i != 0)
		return tar_bad_(t, err, "a sparse map with half a piece");
	return rc;
}

static int take_number(struct layer_tar *t, bool *has, uint64_t *ret, uint64_t value,
		       struct bk_err **err)
{
	if (*has)
		return tar_bad_(t, err, "a sparse file's record is repeated");
	*has = true;
	*ret = value;
	return 0;
}

int tar_sparse_take_(struct layer_tar *t, const char *name, const char *value, size_t len,
		     struct bk_err **err)
{
	struct tar_sparse *s = &t->said.sparse;
	uint64_t n = 0;

	s->any = true;
	if (bk_streq(name, "name")) {
		if (len == 0 || strlen(value) != len || t->said.sparse_name)
			return tar_bad_(t, err, "a sparse file's name that is none");
		t->said.sparse_name = bk_strdup(value);
		return 0;
	}
	if (bk_streq(name, "map"))
		return s->n > 0 ? tar_bad_(t, err, "two sparse maps")
				: take_map(t, value, len, err);
	if (!tar_decimal_(value, len, &n))
		return tar_bad_(t, err, "GNU.sparse.%s is not a number", name);
	if (bk_streq(name, "major"))
		return take_number(t, &s->has_major, &s->major, n, err);
	if (bk_streq(name, "minor"))
		return take_number(t, &s->has_minor, &s->minor, n, err);
	if (bk_streq(name, "size") || bk_streq(name, "realsize"))
		return take_number(t, &s->has_real, &s->real, n, err);
	if (bk_streq(name, "numblocks"))
		return take_number(t, &s->has_count, &s->count, n, err);
	if (bk_streq(name, "offset") && !s->half) {
		s->half = true;
		return add_extent(t, n, 0, err);
	}
	if (bk_streq(name, "numbytes") && s->half) {
		s->half = false;
		s->extents[s->n - 1].size = n;
		return 0;
	}
	return tar_bad_(t, err, "GNU.sparse.%s out of place", name);
}

/* ---- bodies and headers ------------------------------------------------------------------------- */

struct body_text {
	char block[TAR_BLOCK];
	size_t at;
};

/* 1.0: the next decimal line of the blocks in front of the content. */
static int body_number(struct layer_tar *t, struct body_text *b, uint64_t *ret, struct bk_err **err)
{
	char digits[DECIMAL_DIGITS_MAX];
	size_t n = 0;

	for (;;) {
		if (b->at == TAR_BLOCK) {
			int rc;

			if (t->body < TAR_BLOCK)
				return tar_bad_(t, err, "a sparse map that is cut short");
			rc = tar_read_(t, b->block, TAR_BLOCK, err);
			if (rc < 0)
				return rc;
			t->body -= TAR_BLOCK;
			b->at = 0;
		}
		if (b->block[b->at] == '\n')
			break;
		if (n == sizeof(digits))
			return tar_bad_(t, err, "a sparse map that is none");
		digits[n++] = b->block[b->at++];
	}
	b->at++;
	if (!tar_decimal_(digits, n, ret))
		return tar_bad_(t, err, "a sparse map that is none");
	return 0;
}

static int read_body_map(struct layer_tar *t, struct bk_err **err)
{
	struct body_text b = { .at = TAR_BLOCK };
	uint64_t n = 0, offset = 0, size = 0;
	int rc = body_number(t, &b, &n, err);

	if (rc == 0 && n > TAR_SPARSE_MAX)
		return tar_bad_(t, err, "a sparse file of %" PRIu64 " pieces", n);
	while (rc == 0 && n-- > 0) {
		rc = body_number(t, &b, &offset, err);
		if (rc == 0)
			rc = body_number(t, &b, &size, err);
		if (rc == 0)
			rc = add_extent(t, offset, size, err);
	}
	return rc;
}

/* Fields of 12 bytes, two an extent; the first empty one ends them. */
static int old_extents(struct layer_tar *t, const char *p, size_t n, bool *ret_end,
		       struct bk_err **err)
{
	for (size_t i = 0; i < n; i++, p += OLD_EXTENT_SIZE) {
		int64_t offset, size;
		int rc;

		if (p[12] == '\0') {
			*ret_end = true;
			return 0;
		}
		if (!tar_number_(p, 12, &offset) || !tar_number_(p + 12, 12, &size) || offset < 0 ||
		    size < 0)
			return tar_bad_(t, err, "a sparse map that is none");
		rc = add_extent(t, (uint64_t)offset, (uint64_t)size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_old_map(struct layer_tar *t, struct bk_err **err)
{
	bool more = t->header.gnu.extended != '\0', end = false;
	char block[TAR_BLOCK];
	int64_t real;
	int rc;

	if (!tar_number_(t->header.gnu.realsize, sizeof(t->header.gnu.realsize), &real) || real < 0)
		return tar_bad_(t, err, "a sparse file without a size");
	t->said.sparse.real = (uint64_t)real;
	rc = old_extents(t, t->header.gnu.sparse, OLD_EXTENTS, &end, err);
	while (rc == 0 && more) {
		if (end)
			return tar_bad_(t, err, "a sparse map that goes on behind its end");
		rc = tar_read_(t, block, sizeof(block), err);
		if (rc < 0)
			return rc;
		more = block[OLD_EXTENTS_BLOCK * OLD_EXTENT_SIZE] != '\0';
		rc = old_extents(t, block, OLD_EXTENTS_BLOCK, &end, err);
	}
	return rc;
}

static int read_pax_map(struct layer_tar *t, struct bk_err **err)
{
	struct tar_sparse *s = &t->said.sparse;

	if (!s->has_real || s->half)
		return tar_bad_(t, err, "a sparse file without a size");
	if (s->has_major != s->has_minor)
		return tar_bad_(t, err, "a sparse file of half a version");
	if (s->has_major && s->major == 1 && s->minor == 0) {
		if (s->n > 0 || s->has_count)
			return tar_bad_(t, err, "two sparse maps");
		return read_body_map(t, err);
	}
	if (s->has_major && (s->major != 0 || s->minor > 1))
		return tar_bad_(t, err, "a sparse file of version %" PRIu64 ".%" PRIu64, s->major,
				s->minor);
	if (!s->has_count || s->count != s->n)
		return tar_bad_(t, err, "a sparse map of %zu pieces instead of %" PRIu64, s->n,
				s->count);
	return 0;
}

/* In order, apart, within the size, and together what is stored. */
static int check_map(struct layer_tar *t, struct bk_err **err)
{
	const struct tar_sparse *s = &t->said.sparse;
	uint64_t end = 0, stored = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct tar_extent *e = &s->extents[i];

		if (e->offset < end || e->offset > s->real || e->size > s->real - e->offset)
			return tar_bad_(t, err, "a sparse map whose pieces overlap or lie outside");
		end = e->offset + e->size;
		stored += e->size;
	}
	if (stored != t->body)
		return tar_bad_(t, err, "a sparse map of %" PRIu64 " bytes for %" PRIu64, stored,
				t->body);
	return 0;
}

int tar_sparse_read_(struct layer_tar *t, struct bk_err **err)
{
	int rc;

	if (t->header.type == 'S')
		rc = t->said.sparse.any ? tar_bad_(t, err, "two sparse maps")
					: read_old_map(t, err);
	else
		rc = read_pax_map(t, err);
	return rc < 0 ? rc : check_map(t, err);
}
