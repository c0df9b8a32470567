/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_str.h"

#include "base/bk_mem.h"

#define NEAREST_EDITS	3
#define NEAREST_LEN_MAX 64	    /* longer names are no typing errors */
#define STRV_FIRST	((size_t)4) /* slots, with the NULL; a power of two */

bool bk_streq0(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return bk_streq(a, b);
}

const char *bk_skip_prefix(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

bool bk_has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), suffix_len = strlen(suffix);

	return len >= suffix_len && memcmp(s + len - suffix_len, suffix, suffix_len) == 0;
}

bool bk_str_all_of(const char *s, const char *set)
{
	return *s && s[strspn(s, set)] == '\0';
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap of neighbours) between a and b, both at most LEN_MAX long. */
static size_t edit_distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t rows[3][NEAREST_LEN_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= blen; j++)
		last[j] = j;
	for (size_t i = 1; i <= alen; i++) {
		size_t *reuse = before;

		row[0] = i;
		for (size_t j = 1; j <= blen; j++) {
			size_t replace = last[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, replace);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = reuse;
	}
	return last[blen];
}

const char *bk_str_nearest(const char *s, const char *(*name)(size_t i, const void *ctx),
			   const void *ctx, size_t n)
{
	size_t len = strlen(s), best_edits = NEAREST_EDITS + 1;
	const char *best = NULL;

	if (len > NEAREST_LEN_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *candidate = name(i, ctx);
		size_t candidate_len = candidate ? strlen(candidate) : 0;
		size_t edits;

		if (!candidate || candidate_len > NEAREST_LEN_MAX)
			continue;
		edits = edit_distance(s, len, candidate, candidate_len);
		if (edits < best_edits && edits * 2 < len) {
			best = candidate;
			best_edits = edits;
		}
	}
	return best;
}

size_t bk_strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* Slots of a vector of n strings: at least this many were allocated. */
static size_t strv_slots(size_t n)
{
	size_t slots = STRV_FIRST;

	while (slots < n + 1)
		slots *= 2;
	return slots;
}

void bk_strv_push(char ***v, char *owned)
{
	size_t n = bk_strv_len(*v);

	if (!*v || strv_slots(n) < n + 2)
		*v = bk_reallocarray(*v, strv_slots(n + 1), sizeof(**v));
	(*v)[n] = owned;
	(*v)[n + 1] = NULL;
}

void bk_strv_add(char ***v, const char *s)
{
	bk_strv_push(v, bk_strdup(s));
}

char **bk_strv_dup(char *const *v)
{
	size_t n = bk_strv_len(v);
	char **copy;

	if (!v)
		return NULL;
	copy = bk_reallocarray(NULL, strv_slots(n), sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = bk_strdup(v[i]);
	copy[n] = NULL;
	return copy;
}

bool bk_strv_has(char *const *v, const char *s)
{
	for (size_t i = 0; v && v[i]; i++)
		if (bk_streq(v[i], s))
			return true;
	return false;
}

char *bk_strv_join(char *const *v, const char *sep)
{
	size_t sep_len = strlen(sep), size = 1;
	char *joined, *to;

	for (size_t i = 0; v && v[i]; i++)
		size += strlen(v[i]) + (i ? sep_len : 0);
	joined = to = bk_malloc(size);
	for (size_t i = 0; v && v[i]; i++) {
		if (i)
			to = mempcpy(to, sep, sep_len);
		to = mempcpy(to, v[i], strlen(v[i]));
	}
	*to = '\0';
	return joined;
}

char **bk_strv_split(const char *s, const char *sep)
{
	char **v = NULL;

	for (;;) {
		size_t len;

		s += strspn(s, sep);
		len = strcspn(s, sep);
		if (len == 0)
			return v;
		bk_strv_push(&v, bk_strndup(s, len));
		s += len;
	}
}

void bk_strv_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

static bool env_is(const char *entry, const char *name, size_t len)
{
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

const char *bk_env_get(char *const *env, const char *name)
{
	size_t len = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; env && env[i]; i++)
		if (env_is(env[i], name, len))
			value = env[i] + len + 1;
	return value;
}

void bk_env_set(char ***env, const char *assignment)
{
	size_t len = strcspn(assignment, "=");
	char **v = *env;
	char *entry = bk_strdup(assignment); /* first: it may point into env */
	size_t kept = 0;
	bool placed = false;

	for (size_t i = 0; v && v[i]; i++) {
		if (!env_is(v[i], entry, len)) {
			v[kept++] = v[i];
			continue;
		}
		free(v[i]);
		if (!placed)
			v[kept++] = entry;
		placed = true;
	}
	if (v)
		v[kept] = NULL;
	if (!placed)
		bk_strv_push(env, entry);
}
