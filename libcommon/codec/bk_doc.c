/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_str.h"

const struct bk_doc_limits bk_doc_limits_oci = {
	.max_size = (size_t)16 << 20,
	.max_depth = 64,
	.max_nodes = 1000000,
	.unknown_is_error = false,
};

const struct bk_doc_limits bk_doc_limits_strict = {
	.max_size = (size_t)1 << 20,
	.max_depth = 64,
	.max_nodes = 10000,
	.unknown_is_error = true,
};

int bk_doc_value_error(const struct bk_doc_value *v, struct bk_err **err, const char *fmt, ...)
{
	const char *path = v->path ? v->path : "";
	const char *colon = *path ? ": " : "";
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (v->line == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s%s%s", path, colon, text);
	return bk_err_set(err, BK_ERR_CONFIG, 0, "%s:%u:%u: %s%s%s", v->source ? v->source : "",
			  v->line, v->column, path, colon, text);
}

const char *bk_doc_name_of(const struct bk_doc_name *names, int value)
{
	for (size_t i = 0; names[i].name; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

bool bk_doc_name_find(const struct bk_doc_name *names, const char *text, int *ret_value)
{
	for (size_t i = 0; names[i].name; i++) {
		if (bk_streq(names[i].name, text)) {
			*ret_value = names[i].value;
			return true;
		}
	}
	return false;
}

const struct bk_doc_field *bk_doc_field_find(const struct bk_doc_type *t, const char *name)
{
	for (const struct bk_doc_field *f = t->fields; f->name; f++)
		if (bk_streq(f->name, name))
			return f;
	return NULL;
}

const char *bk_doc_pair_get(const struct bk_doc_pair *pairs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (bk_streq(pairs[i].key, key))
			return pairs[i].value;
	return NULL;
}

void bk_doc_pair_set(struct bk_arena *arena, struct bk_doc_pair **pairs, size_t *n, const char *key,
		     const char *value)
{
	for (size_t i = 0; i < *n; i++) {
		if (bk_streq((*pairs)[i].key, key)) {
			(*pairs)[i].value = bk_arena_strdup(arena, value);
			return;
		}
	}
	*pairs = bk_arena_grow(arena, *pairs, *n, sizeof(**pairs));
	(*pairs)[*n] = (struct bk_doc_pair){ .key = bk_arena_strdup(arena, key),
					     .value = bk_arena_strdup(arena, value) };
	(*n)++;
}

void bk_doc_strv_add(struct bk_arena *arena, char ***v, const char *s)
{
	size_t n = *v ? bk_strv_len(*v) : 0;

	*v = bk_arena_grow(arena, *v, n, sizeof(**v));
	(*v)[n] = bk_arena_strdup(arena, s);
	*v = bk_arena_grow(arena, *v, n + 1, sizeof(**v));
}
