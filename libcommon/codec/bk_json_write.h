/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces that JSON text is written from: strings, lay-out, and value trees.
 * Uses / used by: bk_utf8, bk_doc.h / bk_json, bk_doc_store.
 */
#ifndef BK_JSON_WRITE_H
#define BK_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_buf.h"
#include "codec/bk_doc.h"

/*
 * Appends s as a string with quotes. Bytes that are not UTF-8 become U+FFFD, and the result is
 * then false.
 */
bool bk_json_write_string(struct bk_buf *out, const char *s, size_t len);

/* A writer of laid-out JSON; starts as { .out = ..., .indent = NULL, "\t" or "  " }. */
struct bk_json_writer {
	struct bk_buf *out;
	const char *indent; /* NULL: compact */
	unsigned int depth;
	bool filled; /* the open array or object has something in it */
};

/* Opens '[' or '{', and closes it with its partner. */
void bk_json_write_open(struct bk_json_writer *w, char bracket);
void bk_json_write_close(struct bk_json_writer *w, char bracket);
/* Separates what comes next from what is there. */
void bk_json_write_next(struct bk_json_writer *w);
/* The same, and a member's name with its colon; false where the name is not UTF-8. */
bool bk_json_write_name(struct bk_json_writer *w, const char *name);

/*
 * Appends v. Plain strings (YAML) that read as a JSON number, true or false are written as
 * such. Recursion is as deep as the tree, which its reader has bounded.
 */
void bk_json_write_value(struct bk_json_writer *w, const struct bk_doc_value *v);

#endif
