/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/criu_pb.h"

#include <string.h>

/* The lower three bits of a key. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_32 = 5 };

#define KEY_BITS	3
#define VARINT_MAX	10	/* bytes of a 64-bit number */
#define FIELD_NUMBER_MAX ((1U << 29) - 1)

/* --- encoding --- */

static void put_varint(struct bk_buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		(void)bk_buf_addc(out, (char)(v | 0x80));
	(void)bk_buf_addc(out, (char)v);
}

static void put_key(struct bk_buf *out, const struct criu_pb_field *f, unsigned int wire)
{
	put_varint(out, (uint64_t)f->number << KEY_BITS | wire);
}

static void put_str(struct bk_buf *out, const struct criu_pb_field *f, const char *s)
{
	put_key(out, f, WIRE_LEN);
	put_varint(out, strlen(s));
	(void)bk_buf_adds(out, s);
}

static size_t size_of(const struct criu_pb_type *type, const void *msg)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(SIZE_MAX / 2);

	criu_pb_encode(type, msg, &b);
	return b.len;
}

static void put_msg(struct bk_buf *out, const struct criu_pb_field *f, const void *msg)
{
	put_key(out, f, WIRE_LEN);
	put_varint(out, size_of(f->sub, msg));
	criu_pb_encode(f->sub, msg, out);
}

static size_t count_of(const struct criu_pb_field *f, const void *msg)
{
	return *(const size_t *)(const void *)((const char *)msg + f->count);
}

static void put_field(const struct criu_pb_field *f, const void *msg, struct bk_buf *out)
{
	const void *at = (const char *)msg + f->offset;
	const struct criu_pb_num *num = at;
	const char *const *str = at;
	const char *const *const *strv = at;
	const char *const *sub = at;

	switch (f->kind) {
	case CRIU_PB_BOOL:
	case CRIU_PB_I32:
	case CRIU_PB_U32:
		if (!num->set)
			break;
		put_key(out, f, WIRE_VARINT);
		/* a negative int32 is sent as the 64-bit number that it is */
		put_varint(out, f->kind == CRIU_PB_U32 ? (uint32_t)num->v : (uint64_t)num->v);
		break;
	case CRIU_PB_STR:
		if (*str)
			put_str(out, f, *str);
		break;
	case CRIU_PB_STRV:
		for (size_t i = 0; i < count_of(f, msg); i++)
			put_str(out, f, (*strv)[i]);
		break;
	case CRIU_PB_MSG:
		if (*sub)
			put_msg(out, f, *sub);
		break;
	case CRIU_PB_MSGV:
		for (size_t i = 0; i < count_of(f, msg); i++)
			put_msg(out, f, *sub + i * f->sub->size);
		break;
	}
}

void criu_pb_encode(const struct criu_pb_type *type, const void *msg, struct bk_buf *out)
{
	for (size_t i = 0; i < type->n; i++)
		put_field(&type->fields[i], msg, out);
}

/* --- decoding --- */

struct in {
	const unsigned char *at, *end;
	const struct criu_pb_type *type;
	struct bk_arena *arena;
	unsigned int depth;
};

static int bad(const struct in *in, const struct criu_pb_field *f, const char *what, struct bk_err **err)
{
	if (!f)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: %s", in->type->name, what);
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s: field %u: %s", in->type->name, f->number, what);
}

static bool get_varint(struct in *in, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < VARINT_MAX && in->at < in->end; i++) {
		unsigned char c = *in->at++;

		/* the tenth byte has one bit left */
		if (i == VARINT_MAX - 1 && c > 1)
			return false;
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (!(c & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static bool get_bytes(struct in *in, struct in *ret)
{
	uint64_t len;

	if (!get_varint(in, &len) || len > (size_t)(in->end - in->at))
		return false;
	*ret = (struct in){ .at = in->at, .end = in->at + len, .arena = in->arena,
			    .depth = in->depth + 1 };
	in->at += len;
	return true;
}

static bool skip(struct in *in, unsigned int wire)
{
	size_t fixed = wire == WIRE_64 ? 8 : 4;
	struct in bytes;
	uint64_t v;

	switch (wire) {
	case WIRE_VARINT:
		return get_varint(in, &v);
	case WIRE_LEN:
		return get_bytes(in, &bytes);
	case WIRE_64:
	case WIRE_32:
		if ((size_t)(in->end - in->at) < fixed)
			return false;
		in->at += fixed;
		return true;
	default: /* groups, which nobody writes any more */
		return false;
	}
}

static int get_num(struct in *in, const struct criu_pb_field *f, struct criu_pb_num *ret,
		   struct bk_err **err)
{
	uint64_t v;

	if (!get_varint(in, &v))
		return bad(in, f, "is cut off", err);
	if (f->kind == CRIU_PB_BOOL)
		v = v != 0;
	else if (f->kind == CRIU_PB_U32 ? v > UINT32_MAX :
					  (int64_t)v < INT32_MIN || (int64_t)v > INT32_MAX)
		return bad(in, f, "does not fit", err);
	*ret = (struct criu_pb_num){ .set = true, .v = (int64_t)v };
	return 0;
}

static int decode(struct in *in, void *msg, struct bk_err **err);

static int get_str(const struct in *in, const struct in *bytes, const struct criu_pb_field *f,
		   const char **ret, struct bk_err **err)
{
	size_t len = (size_t)(bytes->end - bytes->at);

	if (memchr(bytes->at, '\0', len))
		return bad(in, f, "has a NUL in it", err);
	*ret = bk_arena_strndup(in->arena, (const char *)bytes->at, len);
	return 0;
}

/* Room for one more; the arena's growing keeps what is there. */
static int grow(const struct in *in, const struct criu_pb_field *f, void *msg, size_t size, void **ret,
		struct bk_err **err)
{
	size_t *n = (size_t *)(void *)((char *)msg + f->count);
	void **array = (void **)(void *)((char *)msg + f->offset);

	if (*n >= CRIU_PB_REPEAT_MAX)
		return bad(in, f, "has too many elements", err);
	*array = bk_arena_grow(in->arena, *array, *n, size);
	*ret = (char *)*array + *n * size;
	++*n;
	return 0;
}

static int get_len(struct in *in, const struct criu_pb_field *f, void *msg, struct bk_err **err)
{
	void *at = (char *)msg + f->offset;
	struct in bytes;
	int rc = 0;

	if (!get_bytes(in, &bytes))
		return bad(in, f, "is cut off", err);
	if (f->kind == CRIU_PB_STRV)
		rc = grow(in, f, msg, sizeof(const char *), &at, err);
	if (rc == 0 && (f->kind == CRIU_PB_STR || f->kind == CRIU_PB_STRV))
		return get_str(in, &bytes, f, at, err);
	if (bytes.depth >= CRIU_PB_DEPTH_MAX)
		return bad(in, f, "is nested too deep", err);
	bytes.type = f->sub;
	if (f->kind == CRIU_PB_MSGV) {
		rc = grow(in, f, msg, f->sub->size, &at, err);
		return rc < 0 ? rc : decode(&bytes, at, err);
	}
	if (rc < 0)
		return rc;
	/* one that comes twice is one: the later fields win */
	if (!*(void **)at)
		*(void **)at = bk_arena_alloc(in->arena, f->sub->size);
	return decode(&bytes, *(void **)at, err);
}

static bool is_number(const struct criu_pb_field *f)
{
	return f->kind == CRIU_PB_BOOL || f->kind == CRIU_PB_I32 || f->kind == CRIU_PB_U32;
}

static int get_field(struct in *in, const struct criu_pb_field *f, unsigned int wire, void *msg,
		     struct bk_err **err)
{
	if (wire != (is_number(f) ? WIRE_VARINT : WIRE_LEN))
		return bad(in, f, "is of another type", err);
	return is_number(f) ? get_num(in, f, (void *)((char *)msg + f->offset), err) :
			      get_len(in, f, msg, err);
}

static const struct criu_pb_field *find(const struct criu_pb_type *type, uint64_t number, size_t *ret_i)
{
	for (size_t i = 0; i < type->n; i++) {
		if (type->fields[i].number == number) {
			*ret_i = i;
			return &type->fields[i];
		}
	}
	return NULL;
}

static int decode(struct in *in, void *msg, struct bk_err **err)
{
	uint64_t seen = 0, key;
	size_t i = 0;

	while (in->at < in->end) {
		const struct criu_pb_field *f;
		int rc = 0;

		if (!get_varint(in, &key) || key >> KEY_BITS == 0 || key >> KEY_BITS > FIELD_NUMBER_MAX)
			return bad(in, NULL, "a field has no valid number", err);
		f = find(in->type, key >> KEY_BITS, &i);
		if (f)
			rc = get_field(in, f, key & 7, msg, err);
		else if (!skip(in, key & 7))
			rc = bad(in, NULL, "an unknown field is cut off", err);
		if (rc < 0)
			return rc;
		if (f)
			seen |= 1ULL << i;
	}
	for (i = 0; i < in->type->n; i++) {
		if (in->type->fields[i].required && !(seen & 1ULL << i))
			return bad(in, &in->type->fields[i], "is required and not there", err);
	}
	return 0;
}

int criu_pb_decode(const struct criu_pb_type *type, const void *data, size_t len,
		   struct bk_arena *arena, void *msg, struct bk_err **err)
{
	struct in in = { .at = data, .end = (const unsigned char *)data + len, .type = type, .arena = arena };

	return decode(&in, msg, err);
}
