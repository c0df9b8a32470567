/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in a document something stands: the frames of what is open, and the path that messages name
 * ("mounts[3].destination").
 * Uses / used by: bk_doc.h / bk_doc_store, bk_json, bk_yaml.
 */
#ifndef BK_DOC_PATH_H
#define BK_DOC_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "codec/bk_doc.h"

enum bk_doc_frame_kind {
	BK_DOC_FRAME_OBJ,      /* an object with a table */
	BK_DOC_FRAME_SEQ,      /* an array that a row describes */
	BK_DOC_FRAME_MAP,      /* an object with free keys that a row describes */
	BK_DOC_FRAME_SKIP_SEQ, /* of no interest; watched for duplicate members only */
	BK_DOC_FRAME_SKIP_MAP,
	BK_DOC_FRAME_TREE_SEQ, /* collected as bk_doc_value */
	BK_DOC_FRAME_TREE_MAP,
};

/* An array or object that is open. */
struct bk_doc_frame {
	enum bk_doc_frame_kind kind;
	uint32_t number;		/* of the object, for the duplicate check */
	const struct bk_doc_type *type; /* OBJ */
	/* OBJ: of the open member, NULL unknown; SEQ, MAP: the row */
	const struct bk_doc_field *field;
	char *obj;		/* the struct that has the member */
	uint64_t seen, present; /* OBJ: rows met, rows with a value other than null */
	const char *key;	/* of the open member */
	size_t key_len;
	size_t n;		   /* items begun */
	size_t stored;		   /* SEQ, MAP: items that the struct has */
	struct bk_doc_value *node; /* TREE */
};

/* A longer path is cut in front. */
#define BK_DOC_PATH_MAX 320

/*
 * The path through `depth` frames to the open member or item of the last, behind `base`, the path of
 * the document itself (NULL or "": none); buf is returned.
 */
const char *bk_doc_path_print(const char *base, const struct bk_doc_frame *frames, size_t depth,
			      char buf[BK_DOC_PATH_MAX]);

/*
 * Gives each node of a tree its path (below `path`) and source. Paths longer than BK_DOC_PATH_MAX
 * are cut, and past 100,000 nodes a node gets its parent's: their memory is bounded.
 */
void bk_doc_path_name_tree(struct bk_doc_value *v, struct bk_arena *arena, const char *path,
			   const char *source);

#endif
