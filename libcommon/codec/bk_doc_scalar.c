/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_doc_scalar.h"

#include <stdio.h>
#include <string.h>

#include "base/bk_str.h"

#define EXCERPT_TEXT 60 /* bytes of a value that a message quotes */

/* Indexed by enum bk_doc_kind. */
static const struct {
	size_t size;
	const char *expected;
	bool is_signed;
	uint64_t max; /* of the magnitude; a signed one's minimum is -max - 1 */
} kinds[] = {
	[BK_DOC_STR] = { sizeof(char *), "a string", false, 0 },
	[BK_DOC_BOOL] = { sizeof(bool), "a boolean", false, 0 },
	[BK_DOC_I64] = { sizeof(int64_t), "an integer", true, INT64_MAX },
	[BK_DOC_U64] = { sizeof(uint64_t), "an integer", false, UINT64_MAX },
	[BK_DOC_I32] = { sizeof(int32_t), "an integer", true, INT32_MAX },
	[BK_DOC_U32] = { sizeof(uint32_t), "an integer", false, UINT32_MAX },
	[BK_DOC_U16] = { sizeof(uint16_t), "an integer", false, UINT16_MAX },
	[BK_DOC_ENUM] = { sizeof(int), "a string", false, 0 },
	[BK_DOC_OBJ] = { 0, "an object", false, 0 },
	[BK_DOC_STRV] = { 0, "an array", false, 0 },
	[BK_DOC_ENUMV] = { 0, "an array", false, 0 },
	[BK_DOC_NUMV] = { 0, "an array", false, 0 },
	[BK_DOC_OBJV] = { 0, "an array", false, 0 },
	[BK_DOC_STRMAP] = { 0, "an object", false, 0 },
	[BK_DOC_OBJMAP] = { 0, "an object", false, 0 },
	[BK_DOC_SETMAP] = { 0, "an object", false, 0 },
	[BK_DOC_RAW] = { sizeof(char *), "a value", false, 0 },
	[BK_DOC_CUSTOM] = { 0, "a value", false, 0 },
};

size_t bk_doc_scalar_size(enum bk_doc_kind kind)
{
	return kinds[kind].size;
}

const char *bk_doc_scalar_expected(enum bk_doc_kind kind)
{
	return kinds[kind].expected;
}

const char *bk_doc_scalar_found(enum bk_doc_node node)
{
	static const char *const words[] = {
		[BK_DOC_NODE_NULL] = "null",	   [BK_DOC_NODE_BOOL] = "a boolean",
		[BK_DOC_NODE_NUMBER] = "a number", [BK_DOC_NODE_STRING] = "a string",
		[BK_DOC_NODE_SEQ] = "an array",	   [BK_DOC_NODE_MAP] = "an object",
	};

	return words[node];
}

const char *bk_doc_excerpt(const char *s, size_t len, char buf[BK_DOC_EXCERPT])
{
	size_t cut = len < EXCERPT_TEXT ? len : EXCERPT_TEXT;

	/* never half a UTF-8 sequence */
	while (cut < len && cut > 0 && ((unsigned char)s[cut] & 0xc0) == 0x80)
		cut--;
	for (size_t i = 0; i < cut; i++) {
		unsigned char c = (unsigned char)s[i];

		buf[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	snprintf(buf + cut, BK_DOC_EXCERPT - cut, "%s", cut < len ? "..." : "");
	return buf;
}

static bool wrong_kind(enum bk_doc_kind kind, const struct bk_doc_scalar *s, char *why)
{
	char text[BK_DOC_EXCERPT];

	if (s->plain && s->node == BK_DOC_NODE_STRING)
		snprintf(why, BK_DOC_WHY_MAX, "expected %s, found '%s'", kinds[kind].expected,
			 bk_doc_excerpt(s->text, s->len, text));
	else
		snprintf(why, BK_DOC_WHY_MAX, "expected %s, found %s", kinds[kind].expected,
			 bk_doc_scalar_found(s->node));
	return false;
}

static bool put_string(const struct bk_doc_field *f, const struct bk_doc_scalar *s,
		       struct bk_arena *arena, char **dst, char *why)
{
	char text[BK_DOC_EXCERPT];

	if (s->node != BK_DOC_NODE_STRING)
		return wrong_kind(BK_DOC_STR, s, why);
	if (memchr(s->text, '\0', s->len)) {
		snprintf(why, BK_DOC_WHY_MAX, "a string must not hold a NUL character");
		return false;
	}
	*dst = bk_arena_strndup(arena, s->text, s->len);
	if (f->check && !f->check(*dst)) {
		snprintf(why, BK_DOC_WHY_MAX, "expected %s, found '%s'", f->note,
			 bk_doc_excerpt(s->text, s->len, text));
		return false;
	}
	return true;
}

static bool is_text(const struct bk_doc_scalar *s, const char *text)
{
	return strlen(text) == s->len && memcmp(s->text, text, s->len) == 0;
}

static bool put_bool(const struct bk_doc_scalar *s, bool *dst, char *why)
{
	/* YAML 1.1's words: the member is known to be a boolean, so none of them is a trap here */
	static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes",
					   "YES",  "on",   "On",   "ON" };
	static const char *const no[] = { "false", "False", "FALSE", "no", "No",
					  "NO",	   "off",   "Off",   "OFF" };

	if (s->node == BK_DOC_NODE_BOOL) {
		*dst = s->text[0] == 't';
		return true;
	}
	for (size_t i = 0; s->node == BK_DOC_NODE_STRING && s->plain && i < BK_ARRAY_SIZE(yes);
	     i++) {
		if (is_text(s, yes[i]) || is_text(s, no[i])) {
			*dst = is_text(s, yes[i]);
			return true;
		}
	}
	return wrong_kind(BK_DOC_BOOL, s, why);
}

enum digits { DIGITS_GOOD, DIGITS_MALFORMED, DIGITS_TOO_LARGE };

/* No leading zeros: in YAML, 0755 would be an octal number to some readers. */
static enum digits read_digits(const char *s, size_t len, uint64_t *ret)
{
	enum digits result = DIGITS_GOOD;
	uint64_t value = 0;

	if (len == 0 || (len > 1 && s[0] == '0'))
		return DIGITS_MALFORMED;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return DIGITS_MALFORMED;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(s[i] - '0'), &value))
			result = DIGITS_TOO_LARGE;
	}
	*ret = value;
	return result;
}

static void store_number(enum bk_doc_kind kind, uint64_t bits, void *dst)
{
	if (kind == BK_DOC_I64 || kind == BK_DOC_U64)
		*(uint64_t *)dst = bits;
	else if (kind == BK_DOC_I32 || kind == BK_DOC_U32)
		*(uint32_t *)dst = (uint32_t)bits;
	else
		*(uint16_t *)dst = (uint16_t)bits;
}

static bool put_number(enum bk_doc_kind kind, const struct bk_doc_scalar *s, void *dst, char *why)
{
	bool typed = s->node == BK_DOC_NODE_NUMBER || (s->node == BK_DOC_NODE_STRING && s->plain);
	bool negative = typed && s->len > 0 && s->text[0] == '-';
	char text[BK_DOC_EXCERPT];
	uint64_t value = 0;
	uint64_t max;
	enum digits digits;

	if (!typed)
		return wrong_kind(kind, s, why);
	digits = read_digits(s->text + negative, s->len - negative, &value);
	if (digits == DIGITS_MALFORMED && s->node == BK_DOC_NODE_NUMBER) {
		snprintf(why, BK_DOC_WHY_MAX, "expected an integer, found %s",
			 bk_doc_excerpt(s->text, s->len, text));
		return false;
	}
	if (digits == DIGITS_MALFORMED)
		return wrong_kind(kind, s, why);
	max = kinds[kind].max;
	if (negative)
		max = kinds[kind].is_signed ? max + 1 : 0;
	if (digits == DIGITS_TOO_LARGE || value > max) {
		snprintf(why, BK_DOC_WHY_MAX, "%s is out of range (%s%llu to %llu)",
			 bk_doc_excerpt(s->text, s->len, text), kinds[kind].is_signed ? "-" : "",
			 kinds[kind].is_signed ? (unsigned long long)kinds[kind].max + 1 : 0,
			 (unsigned long long)kinds[kind].max);
		return false;
	}
	store_number(kind, negative ? -value : value, dst);
	return true;
}

static bool put_enum(const struct bk_doc_name *names, const struct bk_doc_scalar *s, int *dst,
		     char *why)
{
	char text[BK_DOC_EXCERPT];
	size_t at;

	if (s->node != BK_DOC_NODE_STRING)
		return wrong_kind(BK_DOC_ENUM, s, why);
	for (size_t i = 0; names[i].name; i++) {
		if (is_text(s, names[i].name)) {
			*dst = names[i].value;
			return true;
		}
	}
	at = (size_t)snprintf(why, BK_DOC_WHY_MAX,
			      "unknown value '%s' (known:", bk_doc_excerpt(s->text, s->len, text));
	for (size_t i = 0; names[i].name && at < BK_DOC_WHY_MAX; i++)
		at += (size_t)snprintf(why + at, BK_DOC_WHY_MAX - at, "%s %s", i > 0 ? "," : "",
				       names[i].name);
	if (at < BK_DOC_WHY_MAX)
		snprintf(why + at, BK_DOC_WHY_MAX - at, ")");
	return false;
}

bool bk_doc_scalar_put(const struct bk_doc_field *f, enum bk_doc_kind kind,
		       const struct bk_doc_scalar *s, struct bk_arena *arena, void *dst,
		       char why[BK_DOC_WHY_MAX])
{
	switch (kind) {
	case BK_DOC_STR:
		return put_string(f, s, arena, dst, why);
	case BK_DOC_BOOL:
		return put_bool(s, dst, why);
	case BK_DOC_I64:
	case BK_DOC_U64:
	case BK_DOC_I32:
	case BK_DOC_U32:
	case BK_DOC_U16:
		return put_number(kind, s, dst, why);
	case BK_DOC_ENUM:
		return put_enum(f->names, s, dst, why);
	default:
		return wrong_kind(kind, s, why);
	}
}
