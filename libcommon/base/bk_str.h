/* SPDX-License-Identifier: Apache-2.0 */
/* String helpers that the C library lacks, and string vectors (NULL-terminated char **). */
#ifndef BK_STR_H
#define BK_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bk_auto.h"

static inline bool bk_streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Equality that accepts NULL (equal only to NULL). */
bool bk_streq0(const char *a, const char *b);
/* The rest of s after prefix, or NULL where s does not start with it. */
const char *bk_skip_prefix(const char *s, const char *prefix);
bool bk_has_suffix(const char *s, const char *suffix);
/* True if s is longer than 0 and all bytes are in set. */
bool bk_str_all_of(const char *s, const char *set);
/*
 * Of `n` names reached by name(i, ctx), the one nearest to s by edit distance (at most 3 edits and
 * less than half the length), or NULL: for "did you mean".
 */
const char *bk_str_nearest(const char *s, const char *(*name)(size_t i, const void *ctx),
			   const void *ctx, size_t n);

/* String vectors: a heap array of heap strings ended by NULL; NULL stands for the empty one. */
size_t bk_strv_len(char *const *v);
/* Appends a copy of s (or s itself). Amortised: capacities are powers of two. */
void bk_strv_add(char ***v, const char *s);
void bk_strv_push(char ***v, char *owned);
char **bk_strv_dup(char *const *v);
bool bk_strv_has(char *const *v, const char *s);
/* Joins with sep; heap string, "" for the empty vector. */
char *bk_strv_join(char *const *v, const char *sep);
/* Splits at each byte of sep; empty parts are dropped. */
char **bk_strv_split(const char *s, const char *sep);
void bk_strv_free(char **v);

static inline void bk_auto_strv_(char ***v)
{
	bk_strv_free(*v);
}
#define bk_autostrv bk_auto(bk_auto_strv_)

/* "NAME=VALUE" lists: the value of the last NAME, or NULL. */
const char *bk_env_get(char *const *env, const char *name);
/* Replaces NAME where it is (all later duplicates removed), or appends. assignment is "NAME=VALUE". */
void bk_env_set(char ***env, const char *assignment);

#endif
