/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by tables (bk_doc.h): the only file that knows yajl. Decoding runs on yajl's SAX events in one
 * pass; I-JSON rules: UTF-8, no duplicate members, no NUL in strings, nothing behind the value.
 */
#ifndef BK_JSON_H
#define BK_JSON_H

#include <stddef.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "codec/bk_doc.h"

/*
 * Decodes text into obj (t->size bytes, zeroed by this call); everything it points to is in the arena.
 * Errors are BK_ERR_CONFIG (BK_ERR_UNSUPPORTED for UNSUPPORTED rows) with the JSON path; yajl's own
 * with the byte offset. `what` names the document in them.
 */
int bk_json_decode(const struct bk_doc_type *t, const char *what, const char *text, size_t len,
		   const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
		   struct bk_err **err);

/* The same from a file (relative to dirfd); the size limit holds while reading. */
int bk_json_decode_file(const struct bk_doc_type *t, int dirfd, const char *path,
			const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
			struct bk_err **err);

/* Parses any JSON value into a tree in the arena. */
int bk_json_parse(const char *what, const char *text, size_t len, const struct bk_doc_limits *limits,
		  struct bk_arena *arena, struct bk_doc_value *ret, struct bk_err **err);

enum {
	BK_JSON_PRETTY = 1,	/* indented by two spaces */
	BK_JSON_NEWLINE = 2,	/* a newline behind the value */
	BK_JSON_TAB = 4,	/* indented by tabs */
};

/* Encodes obj by its table, members in table order; -BK_ERR_CONFIG if a string is not UTF-8. */
int bk_json_encode(const struct bk_doc_type *t, const void *obj, unsigned int flags,
		   struct bk_buf *out, struct bk_err **err);

/* n structs one behind the other, as an array. */
int bk_json_encode_array(const struct bk_doc_type *t, const void *objs, size_t n, unsigned int flags,
			 struct bk_buf *out, struct bk_err **err);

/* Appends s as a JSON string with quotes; bytes that are not UTF-8 become U+FFFD (for log lines). */
void bk_json_quote(struct bk_buf *out, const char *s);

#endif
