/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine that stores documents by their tables. A reader (bk_json, or bk_doc_store() walking a
 * YAML tree) feeds it one event after the other:
 *
 *	bk_doc_reader_init(&r, ...);
 *	r.type = t; r.obj = obj;		(or r.tree = value, to get a tree)
 *	bk_doc_reader_begin(&r, true); bk_doc_reader_key(&r, ...); ... bk_doc_reader_end(&r);
 *	bk_doc_reader_done(&r);
 *
 * Each event returns 0, or -kind with *err set: then the document is given up. The path in a message
 * is made from the frames when it is needed, never before.
 * Uses / used by: bk_doc, bk_doc_keys, bk_doc_path, bk_doc_scalar, bk_json_write / bk_json.
 */
#ifndef BK_DOC_STORE_H
#define BK_DOC_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/bk_doc.h"
#include "codec/bk_doc_keys.h"
#include "codec/bk_doc_path.h"
#include "codec/bk_doc_scalar.h"

#define BK_DOC_DEPTH_MAX 128 /* what limits->max_depth may be at most */

struct bk_doc_reader {
	const struct bk_doc_type *type;	   /* what the document is stored by ... */
	void *obj;			   /* ... and where */
	struct bk_doc_value *tree;	   /* or where its tree goes */
	const char *base;		   /* path of the document, where it is a part of another */
	const char *text, *text_end;	   /* keys within stay until the end: no copy is needed */
	const struct bk_doc_value *at;	   /* the node being stored, for line and column; or NULL */
	const struct bk_doc_value *key_at; /* its member's name */

	const struct bk_doc_limits *limits;
	unsigned int max_depth;
	struct bk_arena *arena;
	struct bk_err **err;
	size_t nodes;
	uint32_t objects;
	size_t tree_depth;	    /* frames below a member that is collected */
	struct bk_doc_value member; /* ... into this */
	struct bk_doc_keys keys;
	size_t depth;
	struct bk_doc_frame frames[BK_DOC_DEPTH_MAX];
};

void bk_doc_reader_init(struct bk_doc_reader *r, const struct bk_doc_limits *limits,
			struct bk_arena *arena, struct bk_err **err);
void bk_doc_reader_done(struct bk_doc_reader *r);

/* What a parser calls for each of its events, in the order of the text: 0, or -kind with *err set. */
int bk_doc_reader_scalar(struct bk_doc_reader *r, const struct bk_doc_scalar *s);
int bk_doc_reader_begin(struct bk_doc_reader *r, bool map);
int bk_doc_reader_key(struct bk_doc_reader *r, const char *key, size_t len);
int bk_doc_reader_end(struct bk_doc_reader *r);

/* -BK_ERR_CONFIG "PATH: message" for what the reader itself finds at the place reached. */
int bk_doc_reader_error(const struct bk_doc_reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

#endif
