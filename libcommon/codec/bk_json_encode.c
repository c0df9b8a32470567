/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_str.h"
#include "codec/bk_doc_scalar.h"
#include "codec/bk_json_write.h"

struct encoder {
	struct bk_json_writer w;
	struct bk_err **err;
};

static int encode_obj(struct encoder *e, const struct bk_doc_type *t, const char *obj);

static int encode_string(struct encoder *e, const char *s)
{
	if (!s)
		return bk_err_set(e->err, BK_ERR_INTERNAL, 0, "a string is not set");
	if (!bk_json_write_string(e->w.out, s, strlen(s)))
		return bk_err_set(e->err, BK_ERR_CONFIG, 0, "not UTF-8");
	return 0;
}

static int encode_name(struct encoder *e, const char *name)
{
	if (!name || !bk_json_write_name(&e->w, name))
		return bk_err_set(e->err, BK_ERR_CONFIG, 0, "a member's name is not UTF-8");
	return 0;
}

static int encode_enum(struct encoder *e, const struct bk_doc_field *f, int value)
{
	const char *name = bk_doc_name_of(f->names, value);

	if (!name)
		return bk_err_set(e->err, BK_ERR_INTERNAL, 0, "no text for the value %d", value);
	return encode_string(e, name);
}

static int encode_scalar(struct encoder *e, const struct bk_doc_field *f, enum bk_doc_kind kind,
			 const void *p)
{
	struct bk_buf *out = e->w.out;

	switch (kind) {
	case BK_DOC_STR:
		return encode_string(e, *(char *const *)p);
	case BK_DOC_BOOL:
		bk_buf_adds(out, *(const bool *)p ? "true" : "false");
		return 0;
	case BK_DOC_I64:
		bk_buf_printf(out, "%" PRId64, *(const int64_t *)p);
		return 0;
	case BK_DOC_U64:
		bk_buf_printf(out, "%" PRIu64, *(const uint64_t *)p);
		return 0;
	case BK_DOC_I32:
		bk_buf_printf(out, "%" PRId32, *(const int32_t *)p);
		return 0;
	case BK_DOC_U32:
		bk_buf_printf(out, "%" PRIu32, *(const uint32_t *)p);
		return 0;
	case BK_DOC_U16:
		bk_buf_printf(out, "%" PRIu16, *(const uint16_t *)p);
		return 0;
	case BK_DOC_ENUM:
		return encode_enum(e, f, *(const int *)p);
	case BK_DOC_RAW:
		bk_buf_adds(out, *(char *const *)p);
		return 0;
	default:
		return bk_err_set(e->err, BK_ERR_INTERNAL, 0,
				  "this kind of member can't be encoded");
	}
}

/* Elements of the row's array, given its first one; a vector's end is its NULL. */
static size_t count_elements(const struct bk_doc_field *f, const char *obj, const void *array)
{
	if (!array)
		return 0;
	if (f->aux == BK_DOC_NO_AUX)
		return bk_strv_len(array);
	return *(const size_t *)(obj + f->aux);
}

static int encode_item(struct encoder *e, const struct bk_doc_field *f, const char *array, size_t i)
{
	bk_json_write_next(&e->w);
	switch (f->kind) {
	case BK_DOC_STRV:
		return encode_string(e, ((char *const *)(const void *)array)[i]);
	case BK_DOC_ENUMV:
		return encode_scalar(e, f, BK_DOC_ENUM, array + i * sizeof(int));
	case BK_DOC_NUMV:
		return encode_scalar(e, f, f->elem, array + i * bk_doc_scalar_size(f->elem));
	default:
		return encode_obj(e, f->sub, array + i * f->sub->size);
	}
}

static int encode_array(struct encoder *e, const struct bk_doc_field *f, const char *array,
			size_t n)
{
	bk_json_write_open(&e->w, '[');
	for (size_t i = 0; i < n; i++) {
		int rc = encode_item(e, f, array, i);

		if (rc < 0)
			return bk_err_wrap(e->err, rc, "[%zu]", i);
	}
	bk_json_write_close(&e->w, ']');
	return 0;
}

static int encode_entry(struct encoder *e, const struct bk_doc_field *f, const char *array,
			size_t i)
{
	const struct bk_doc_pair *pair = (const void *)array;
	const char *element;
	int rc;

	switch (f->kind) {
	case BK_DOC_STRMAP:
		rc = encode_name(e, pair[i].key);
		return rc < 0 ? rc : encode_string(e, pair[i].value);
	case BK_DOC_SETMAP:
		rc = encode_name(e, ((char *const *)(const void *)array)[i]);
		bk_buf_adds(e->w.out, "{}");
		return rc;
	default:
		element = array + i * f->sub->size;
		rc = encode_name(e, *(char *const *)(const void *)element);
		return rc < 0 ? rc : encode_obj(e, f->sub, element);
	}
}

static int encode_map(struct encoder *e, const struct bk_doc_field *f, const char *array, size_t n)
{
	bk_json_write_open(&e->w, '{');
	for (size_t i = 0; i < n; i++) {
		int rc = encode_entry(e, f, array, i);

		if (rc < 0)
			return rc;
	}
	bk_json_write_close(&e->w, '}');
	return 0;
}

static bool is_zero(enum bk_doc_kind kind, const void *p)
{
	static const uint64_t zero;

	return memcmp(p, &zero, bk_doc_scalar_size(kind)) == 0;
}

static bool is_map(enum bk_doc_kind kind)
{
	return kind == BK_DOC_STRMAP || kind == BK_DOC_OBJMAP || kind == BK_DOC_SETMAP;
}

/* Absent: a NULL pointer, a scalar whose has_X is false, or one without has_X that is 0. */
static bool is_absent(const struct bk_doc_field *f, const char *obj)
{
	const char *p = obj + f->offset;

	switch (f->kind) {
	case BK_DOC_BOOL:
	case BK_DOC_I64:
	case BK_DOC_U64:
	case BK_DOC_I32:
	case BK_DOC_U32:
	case BK_DOC_U16:
	case BK_DOC_ENUM:
		if (f->aux != BK_DOC_NO_AUX)
			return !*(const bool *)(obj + f->aux);
		return is_zero(f->kind, p) && !(f->flags & BK_DOC_REQUIRED);
	default:
		return !*(void *const *)p;
	}
}

/* What an absent member with ALWAYS is written as. */
static int encode_absent(struct encoder *e, const struct bk_doc_field *f, const char *obj)
{
	struct bk_buf *out = e->w.out;

	if (f->flags & BK_DOC_NULL) {
		bk_buf_adds(out, "null");
		return 0;
	}
	switch (f->kind) {
	case BK_DOC_STR:
		bk_buf_adds(out, "\"\"");
		return 0;
	case BK_DOC_STRV:
	case BK_DOC_ENUMV:
	case BK_DOC_NUMV:
	case BK_DOC_OBJV:
		bk_buf_adds(out, "[]");
		return 0;
	case BK_DOC_OBJ:
	case BK_DOC_STRMAP:
	case BK_DOC_OBJMAP:
	case BK_DOC_SETMAP:
		bk_buf_adds(out, "{}");
		return 0;
	case BK_DOC_RAW:
		bk_buf_adds(out, "null");
		return 0;
	default:
		return encode_scalar(e, f, f->kind, obj + f->offset);
	}
}

static int encode_present(struct encoder *e, const struct bk_doc_field *f, const char *obj)
{
	const void *p = obj + f->offset;
	const char *target;

	switch (f->kind) {
	case BK_DOC_OBJ:
		return encode_obj(e, f->sub, *(char *const *)p);
	case BK_DOC_STRV:
	case BK_DOC_ENUMV:
	case BK_DOC_NUMV:
	case BK_DOC_OBJV:
	case BK_DOC_STRMAP:
	case BK_DOC_OBJMAP:
	case BK_DOC_SETMAP:
		target = *(char *const *)p;
		return is_map(f->kind) ? encode_map(e, f, target, count_elements(f, obj, target))
				       : encode_array(e, f, target, count_elements(f, obj, target));
	default:
		return encode_scalar(e, f, f->kind, p);
	}
}

static bool is_array_or_map(enum bk_doc_kind kind)
{
	return is_map(kind) || kind == BK_DOC_STRV || kind == BK_DOC_ENUMV || kind == BK_DOC_NUMV ||
	       kind == BK_DOC_OBJV;
}

static int encode_member(struct encoder *e, const struct bk_doc_field *f, const char *obj)
{
	bool absent;
	int rc;

	if (f->flags & (BK_DOC_IGNORED | BK_DOC_UNSUPPORTED))
		return 0;
	if (f->kind == BK_DOC_CUSTOM)
		return bk_err_set(e->err, BK_ERR_INTERNAL, 0, "'%s' can be read only", f->name);
	absent = is_absent(f, obj);
	if (absent && (f->flags & BK_DOC_REQUIRED) && !(f->flags & BK_DOC_ALWAYS) &&
	    !is_array_or_map(f->kind))
		return bk_err_set(e->err, BK_ERR_INTERNAL, 0, "required member '%s' is not set",
				  f->name);
	if (absent && !(f->flags & (BK_DOC_ALWAYS | BK_DOC_REQUIRED)))
		return 0;
	rc = encode_name(e, f->name);
	if (rc == 0)
		rc = absent ? encode_absent(e, f, obj) : encode_present(e, f, obj);
	return rc < 0 ? bk_err_wrap(e->err, rc, "%s", f->name) : 0;
}

static int encode_obj(struct encoder *e, const struct bk_doc_type *t, const char *obj)
{
	bk_json_write_open(&e->w, '{');
	for (const struct bk_doc_field *f = t->fields; f->name; f++) {
		int rc = encode_member(e, f, obj);

		if (rc < 0)
			return rc;
	}
	bk_json_write_close(&e->w, '}');
	return 0;
}

static struct encoder start(struct bk_buf *out, unsigned int flags, struct bk_err **err)
{
	struct encoder e = { .w = { .out = out }, .err = err };

	if (flags & (BK_JSON_PRETTY | BK_JSON_TAB))
		e.w.indent = flags & BK_JSON_TAB ? "\t" : "  ";
	return e;
}

static int finish(const struct encoder *e, unsigned int flags)
{
	if (flags & BK_JSON_NEWLINE)
		bk_buf_addc(e->w.out, '\n');
	return bk_buf_check(e->w.out, "the document", e->err);
}

int bk_json_encode(const struct bk_doc_type *t, const void *obj, unsigned int flags,
		   struct bk_buf *out, struct bk_err **err)
{
	struct encoder e = start(out, flags, err);
	int rc = encode_obj(&e, t, obj);

	return rc < 0 ? rc : finish(&e, flags);
}

int bk_json_encode_array(const struct bk_doc_type *t, const void *objs, size_t n,
			 unsigned int flags, struct bk_buf *out, struct bk_err **err)
{
	struct encoder e = start(out, flags, err);

	bk_json_write_open(&e.w, '[');
	for (size_t i = 0; i < n; i++) {
		int rc;

		bk_json_write_next(&e.w);
		rc = encode_obj(&e, t, (const char *)objs + i * t->size);
		if (rc < 0)
			return bk_err_wrap(err, rc, "[%zu]", i);
	}
	bk_json_write_close(&e.w, ']');
	return finish(&e, flags);
}

void bk_json_quote(struct bk_buf *out, const char *s)
{
	(void)bk_json_write_string(out, s, strlen(s));
}
