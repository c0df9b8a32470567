/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_doc_path.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_buf.h"
#include "codec/bk_doc_scalar.h"

#define PART_MAX	(BK_DOC_EXCERPT + 8)
#define NAMED_NODES_MAX 100000

/* ".name", "[\"odd name\"]"; `row`: the name comes from a table and is printed as it is. */
static void print_name(const char *name, size_t len, bool row, char part[PART_MAX])
{
	char text[BK_DOC_EXCERPT];
	bool simple = len > 0;

	for (size_t i = 0; i < len && simple && !row; i++)
		simple = isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '-';
	bk_doc_excerpt(name, len, text);
	snprintf(part, PART_MAX, simple ? ".%s" : "[\"%s\"]", text);
}

static void print_frame(const struct bk_doc_frame *f, char part[PART_MAX])
{
	bool seq = f->kind == BK_DOC_FRAME_SEQ || f->kind == BK_DOC_FRAME_SKIP_SEQ ||
		   f->kind == BK_DOC_FRAME_TREE_SEQ;

	part[0] = '\0';
	if (seq && f->n > 0)
		snprintf(part, PART_MAX, "[%zu]", f->n - 1);
	else if (!seq && f->key)
		print_name(f->key, f->key_len, f->kind == BK_DOC_FRAME_OBJ && f->field, part);
}

/* Appends part to the path in buf; what doesn't fit is cut from its front. */
static void append(char buf[BK_DOC_PATH_MAX], const char *part)
{
	size_t len = strlen(buf);
	size_t add = strlen(part);
	size_t keep;

	if (len == 0 && *part == '.') {
		snprintf(buf, BK_DOC_PATH_MAX, "%s", part + 1);
		return;
	}
	if (len + add >= BK_DOC_PATH_MAX) {
		keep = BK_DOC_PATH_MAX - 1 - add - strlen("...");
		memmove(buf + strlen("..."), buf + len - keep, keep + 1);
		memcpy(buf, "...", strlen("..."));
		len = strlen(buf);
	}
	memcpy(buf + len, part, add + 1);
}

const char *bk_doc_path_print(const char *base, const struct bk_doc_frame *frames, size_t depth,
			      char buf[BK_DOC_PATH_MAX])
{
	char part[PART_MAX];

	snprintf(buf, BK_DOC_PATH_MAX, "%s", base ? base : "");
	for (size_t i = 0; i < depth; i++) {
		print_frame(&frames[i], part);
		append(buf, part);
	}
	return buf;
}

struct naming {
	struct bk_arena *arena;
	const char *source;
	size_t named;
};

static const char *child_path(struct naming *n, const struct bk_doc_value *v, size_t i)
{
	char path[BK_DOC_PATH_MAX];
	char part[PART_MAX];

	if (n->named++ >= NAMED_NODES_MAX)
		return v->path;
	if (v->node == BK_DOC_NODE_MAP)
		print_name(v->keys[i], strlen(v->keys[i]), false, part);
	else
		snprintf(part, sizeof(part), "[%zu]", i);
	snprintf(path, sizeof(path), "%s", v->path);
	append(path, part);
	return bk_arena_strdup(n->arena, path);
}

/* Recursion is as deep as the tree, which its reader has bounded. */
static void name_children(struct naming *n, struct bk_doc_value *v)
{
	v->source = n->source;
	for (size_t i = 0; i < v->n; i++) {
		v->items[i].path = child_path(n, v, i);
		name_children(n, &v->items[i]);
	}
}

void bk_doc_path_name_tree(struct bk_doc_value *v, struct bk_arena *arena, const char *path,
			   const char *source)
{
	struct naming n = { .arena = arena, .source = source };

	v->path = bk_arena_strdup(arena, path);
	name_children(&n, v);
}
