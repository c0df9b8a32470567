/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scalar of a document into one C member: kinds, ranges, enumerations, and the words of the message
 * where they don't agree.
 * Uses / used by: bk_doc.h / bk_doc_store.
 */
#ifndef BK_DOC_SCALAR_H
#define BK_DOC_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/bk_doc.h"

/* A scalar as a parser gives it: text is not terminated. */
struct bk_doc_scalar {
	enum bk_doc_node node; /* not SEQ, not MAP */
	bool plain;	       /* an unquoted scalar of YAML, typed by the member */
	const char *text;
	size_t len;
};

/* Longest message of bk_doc_scalar_put. */
#define BK_DOC_WHY_MAX 768

/*
 * Stores s at dst as `kind` (STR, BOOL, a number or ENUM; f gives the names). Strings go to the
 * arena. False with the reason in why ("expected a string, found a number").
 */
bool bk_doc_scalar_put(const struct bk_doc_field *f, enum bk_doc_kind kind,
		       const struct bk_doc_scalar *s, struct bk_arena *arena, void *dst,
		       char why[BK_DOC_WHY_MAX]);

/* Size of one element of an array row, or of a scalar row's member; 0 for what is no scalar. */
size_t bk_doc_scalar_size(enum bk_doc_kind kind);
/* What a row expects ("a string", "an array"), and what a node is, for messages. */
const char *bk_doc_scalar_expected(enum bk_doc_kind kind);
const char *bk_doc_scalar_found(enum bk_doc_node node);

/* s cut to a length fit for a message, with what is not printable ASCII or UTF-8 as '?'. */
#define BK_DOC_EXCERPT 96
const char *bk_doc_excerpt(const char *s, size_t len, char buf[BK_DOC_EXCERPT]);

#endif
