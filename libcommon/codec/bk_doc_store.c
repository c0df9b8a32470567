/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_doc_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bk_str.h"
#include "codec/bk_json_write.h"

/* Compact JSON of a RAW member: each byte of text may become an escape of six. */
#define RAW_GROWTH 6

void bk_doc_reader_init(struct bk_doc_reader *r, const struct bk_doc_limits *limits,
			struct bk_arena *arena, struct bk_err **err)
{
	memset(r, 0, sizeof(*r));
	r->limits = limits;
	r->max_depth = limits->max_depth < BK_DOC_DEPTH_MAX ? limits->max_depth : BK_DOC_DEPTH_MAX;
	r->arena = arena;
	r->err = err;
}

void bk_doc_reader_done(struct bk_doc_reader *r)
{
	bk_doc_keys_done(&r->keys);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static int fail_path(const struct bk_doc_reader *r, enum bk_err_kind kind, const char *path,
		     const struct bk_doc_value *at, const char *text)
{
	const char *colon = *path ? ": " : "";

	if (!at || at->line == 0)
		return bk_err_set(r->err, kind, 0, "%s%s%s", path, colon, text);
	return bk_err_set(r->err, kind, 0, "%s:%u:%u: %s%s%s", at->source ? at->source : "",
			  at->line, at->column, path, colon, text);
}

static int fail_at(const struct bk_doc_reader *r, enum bk_err_kind kind, size_t depth,
		   const struct bk_doc_value *at, const char *text)
{
	char path[BK_DOC_PATH_MAX];

	return fail_path(r, kind, bk_doc_path_print(r->base, r->frames, depth, path), at, text);
}

int bk_doc_reader_error(const struct bk_doc_reader *r, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return fail_at(r, BK_ERR_CONFIG, r->depth, r->at, text);
}

/* YAML has its own words for the two containers. */
static const char *in_words_of(const struct bk_doc_reader *r, const char *what)
{
	if (!r->at || r->at->line == 0)
		return what;
	if (bk_streq(what, "an array"))
		return "a list";
	return bk_streq(what, "an object") ? "a map" : what;
}

static int fail_kind(struct bk_doc_reader *r, const char *expected, enum bk_doc_node found)
{
	bool forgotten = found == BK_DOC_NODE_NULL && r->at && r->at->line > 0;

	return bk_doc_reader_error(
		r, "expected %s, found %s%s", in_words_of(r, expected),
		in_words_of(r, bk_doc_scalar_found(found)),
		forgotten && bk_streq(expected, "a string") ? " (an empty string is \"\")" : "");
}

static int fail_unsupported(struct bk_doc_reader *r, const struct bk_doc_field *f)
{
	char text[BK_ERR_MSG_MAX];

	snprintf(text, sizeof(text), "not supported%s%s", f->note ? ": " : "",
		 f->note ? f->note : "");
	return fail_at(r, BK_ERR_UNSUPPORTED, r->depth, r->key_at ? r->key_at : r->at, text);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static struct bk_doc_frame *top(struct bk_doc_reader *r)
{
	return &r->frames[r->depth - 1];
}

static struct bk_doc_frame *push(struct bk_doc_reader *r, enum bk_doc_frame_kind kind)
{
	struct bk_doc_frame *f = &r->frames[r->depth++];

	*f = (struct bk_doc_frame){ .kind = kind, .number = r->objects++ };
	return f;
}

static int push_skip(struct bk_doc_reader *r, bool map)
{
	push(r, map ? BK_DOC_FRAME_SKIP_MAP : BK_DOC_FRAME_SKIP_SEQ);
	return 0;
}

static int push_tree(struct bk_doc_reader *r, struct bk_doc_value *v, bool map)
{
	v->node = map ? BK_DOC_NODE_MAP : BK_DOC_NODE_SEQ;
	push(r, map ? BK_DOC_FRAME_TREE_MAP : BK_DOC_FRAME_TREE_SEQ)->node = v;
	return 0;
}

static int push_obj(struct bk_doc_reader *r, const struct bk_doc_type *type, void *obj)
{
	struct bk_doc_frame *f = push(r, BK_DOC_FRAME_OBJ);

	f->type = type;
	f->obj = obj;
	return 0;
}

static int count_node(struct bk_doc_reader *r)
{
	if (r->nodes++ >= r->limits->max_nodes)
		return bk_doc_reader_error(r, "more than %zu values", r->limits->max_nodes);
	return 0;
}

/* A key of the parser's own buffer is gone with the next event. */
static const char *keep_key(struct bk_doc_reader *r, const char *key, size_t len)
{
	if ((uintptr_t)key >= (uintptr_t)r->text && (uintptr_t)key < (uintptr_t)r->text_end)
		return key;
	return bk_arena_strndup(r->arena, key, len);
}

static size_t row_of(const struct bk_doc_frame *f)
{
	return (size_t)(f->field - f->type->fields);
}

/* ---- arrays and maps in structs -------------------------------------------------------------- */

static size_t element_size(const struct bk_doc_field *field)
{
	switch (field->kind) {
	case BK_DOC_ENUMV:
		return sizeof(int);
	case BK_DOC_NUMV:
		return bk_doc_scalar_size(field->elem);
	case BK_DOC_OBJV:
	case BK_DOC_OBJMAP:
		return field->sub->size;
	case BK_DOC_STRMAP:
		return sizeof(struct bk_doc_pair);
	default: /* STRV, SETMAP */
		return sizeof(char *);
	}
}

/* Opens the array or map of a row: it is not NULL from now on. */
static int open_elements(struct bk_doc_reader *r, const struct bk_doc_frame *owner, bool map)
{
	const struct bk_doc_field *field = owner->field;
	struct bk_doc_frame *f = push(r, map ? BK_DOC_FRAME_MAP : BK_DOC_FRAME_SEQ);

	f->field = field;
	f->obj = owner->obj;
	*(void **)(f->obj + field->offset) = bk_arena_grow(r->arena, NULL, 0, element_size(field));
	return 0;
}

/* Room for one more element, zeroed. */
static void *add_element(struct bk_doc_reader *r, struct bk_doc_frame *f)
{
	const struct bk_doc_field *field = f->field;
	size_t size = element_size(field);
	void **array = (void **)(f->obj + field->offset);
	bool terminated = field->aux == BK_DOC_NO_AUX; /* by a NULL, which needs room too */
	size_t n = f->stored++;

	if (n > 0 || terminated)
		*array = bk_arena_grow(r->arena, *array, n + terminated, size);
	if (!terminated)
		*(size_t *)(f->obj + field->aux) = n + 1;
	return (char *)*array + n * size;
}

/* ---- members of several forms ---------------------------------------------------------------- */

static int store_raw(struct bk_doc_reader *r, const struct bk_doc_value *v, char **member)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(r->limits->max_size * RAW_GROWTH);
	struct bk_json_writer writer = { .out = &text };
	int rc;

	bk_json_write_value(&writer, v);
	rc = bk_buf_check(&text, "the value", r->err);
	if (rc < 0)
		return rc;
	*member = bk_arena_strdup(r->arena, bk_buf_str(&text));
	return 0;
}

static int store_tree(struct bk_doc_reader *r, const struct bk_doc_frame *f,
		      const struct bk_doc_value *v)
{
	void *member = f->obj + f->field->offset;

	if (f->field->kind == BK_DOC_RAW)
		return store_raw(r, v, member);
	return f->field->custom(f->field, v, r->arena, member, r->err);
}

/* The tree of the top frame's open member is complete. */
static int finish_member_tree(struct bk_doc_reader *r)
{
	char path[BK_DOC_PATH_MAX];

	bk_doc_path_print(r->base, r->frames, r->depth, path);
	bk_doc_path_name_tree(&r->member, r->arena, path, NULL);
	return store_tree(r, top(r), &r->member);
}

static bool wants_tree(const struct bk_doc_field *field)
{
	return field->kind == BK_DOC_RAW || field->kind == BK_DOC_CUSTOM;
}

/* The place in a tree where the next value of frame f goes. */
static struct bk_doc_value *add_tree_item(struct bk_doc_reader *r, struct bk_doc_frame *f)
{
	struct bk_doc_value *v = f->node;

	v->items = bk_arena_grow(r->arena, v->items, v->n, sizeof(*v->items));
	if (v->node == BK_DOC_NODE_MAP) {
		v->keys = bk_arena_grow(r->arena, v->keys, v->n, sizeof(*v->keys));
		v->keys[v->n] = (char *)(uintptr_t)f->key;
	}
	return &v->items[v->n++];
}

static int fill_tree_scalar(struct bk_doc_reader *r, struct bk_doc_value *v,
			    const struct bk_doc_scalar *s)
{
	if (memchr(s->text, '\0', s->len))
		return bk_doc_reader_error(r, "a string must not hold a NUL character");
	v->node = s->node;
	v->plain = s->plain;
	v->text = bk_arena_strndup(r->arena, s->text, s->len);
	return 0;
}

/* ---- scalars --------------------------------------------------------------------------------- */

static int put_scalar(struct bk_doc_reader *r, const struct bk_doc_field *field,
		      enum bk_doc_kind kind, const struct bk_doc_scalar *s, void *dst)
{
	char why[BK_DOC_WHY_MAX];

	if (s->node == BK_DOC_NODE_NULL || bk_doc_scalar_size(kind) == 0)
		return fail_kind(r, bk_doc_scalar_expected(kind), s->node);
	if (bk_doc_scalar_put(field, kind, s, r->arena, dst, why))
		return 0;
	return bk_doc_reader_error(r, "%s", why);
}

static int member_scalar(struct bk_doc_reader *r, struct bk_doc_frame *f,
			 const struct bk_doc_scalar *s)
{
	const struct bk_doc_field *field = f->field;
	int rc;

	if (!field || s->node == BK_DOC_NODE_NULL)
		return 0;
	if (field->flags & BK_DOC_UNSUPPORTED)
		return fail_unsupported(r, field);
	if (field->flags & BK_DOC_IGNORED)
		return 0;
	f->present |= UINT64_C(1) << row_of(f);
	if (wants_tree(field)) {
		r->member = (struct bk_doc_value){ 0 };
		rc = fill_tree_scalar(r, &r->member, s);
		return rc < 0 ? rc : finish_member_tree(r);
	}
	rc = put_scalar(r, field, field->kind, s, f->obj + field->offset);
	if (rc < 0)
		return rc;
	if ((field->flags & BK_DOC_NOT_EMPTY) && field->kind == BK_DOC_STR && s->len == 0)
		return bk_doc_reader_error(r, "must not be empty");
	if (field->aux != BK_DOC_NO_AUX)
		*(bool *)(f->obj + field->aux) = true;
	return 0;
}

static int item_scalar(struct bk_doc_reader *r, struct bk_doc_frame *f,
		       const struct bk_doc_scalar *s)
{
	const struct bk_doc_field *field = f->field;

	f->n++;
	switch (field->kind) {
	case BK_DOC_STRV:
		return put_scalar(r, field, BK_DOC_STR, s, add_element(r, f));
	case BK_DOC_ENUMV:
		return put_scalar(r, field, BK_DOC_ENUM, s, add_element(r, f));
	case BK_DOC_NUMV:
		return put_scalar(r, field, field->elem, s, add_element(r, f));
	default:
		return fail_kind(r, "an object", s->node);
	}
}

static int entry_scalar(struct bk_doc_reader *r, struct bk_doc_frame *f,
			const struct bk_doc_scalar *s)
{
	bool is_null = s->node == BK_DOC_NODE_NULL;
	struct bk_doc_pair *pair;

	/* JSON's null is absent; in YAML it is what is left when a value was forgotten */
	if (is_null && f->field->kind != BK_DOC_SETMAP && !(r->at && r->at->line > 0))
		return 0;
	f->n++;
	if (f->field->kind == BK_DOC_SETMAP && is_null) {
		*(char **)add_element(r, f) = bk_arena_strndup(r->arena, f->key, f->key_len);
		return 0;
	}
	if (f->field->kind != BK_DOC_STRMAP)
		return fail_kind(r, "an object", s->node);
	pair = add_element(r, f);
	pair->key = bk_arena_strndup(r->arena, f->key, f->key_len);
	return put_scalar(r, f->field, BK_DOC_STR, s, &pair->value);
}

int bk_doc_reader_scalar(struct bk_doc_reader *r, const struct bk_doc_scalar *s)
{
	struct bk_doc_frame *f;
	int rc = count_node(r);

	if (rc < 0)
		return rc;
	if (r->depth == 0)
		return r->tree ? fill_tree_scalar(r, r->tree, s)
			       : fail_kind(r, "an object", s->node);
	f = top(r);
	switch (f->kind) {
	case BK_DOC_FRAME_OBJ:
		return member_scalar(r, f, s);
	case BK_DOC_FRAME_SEQ:
		return item_scalar(r, f, s);
	case BK_DOC_FRAME_MAP:
		return entry_scalar(r, f, s);
	case BK_DOC_FRAME_TREE_SEQ:
	case BK_DOC_FRAME_TREE_MAP:
		f->n++;
		return fill_tree_scalar(r, add_tree_item(r, f), s);
	default:
		f->n++;
		return 0;
	}
}

/* ---- arrays and objects ---------------------------------------------------------------------- */

static enum bk_doc_node node_of(bool map)
{
	return map ? BK_DOC_NODE_MAP : BK_DOC_NODE_SEQ;
}

static int member_begin(struct bk_doc_reader *r, struct bk_doc_frame *f, bool map)
{
	const struct bk_doc_field *field = f->field;
	void *obj;

	if (!field || (field->flags & BK_DOC_IGNORED))
		return push_skip(r, map);
	if (field->flags & BK_DOC_UNSUPPORTED)
		return fail_unsupported(r, field);
	f->present |= UINT64_C(1) << row_of(f);
	switch (field->kind) {
	case BK_DOC_OBJ:
		if (!map)
			break;
		obj = bk_arena_alloc(r->arena, field->sub->size);
		*(void **)(f->obj + field->offset) = obj;
		return push_obj(r, field->sub, obj);
	case BK_DOC_STRV:
	case BK_DOC_ENUMV:
	case BK_DOC_NUMV:
	case BK_DOC_OBJV:
		if (map)
			break;
		return open_elements(r, f, false);
	case BK_DOC_STRMAP:
	case BK_DOC_OBJMAP:
	case BK_DOC_SETMAP:
		if (!map)
			break;
		return open_elements(r, f, true);
	case BK_DOC_RAW:
	case BK_DOC_CUSTOM:
		r->member = (struct bk_doc_value){ 0 };
		r->tree_depth = r->depth;
		return push_tree(r, &r->member, map);
	default:
		break;
	}
	return fail_kind(r, bk_doc_scalar_expected(field->kind), node_of(map));
}

static int item_begin(struct bk_doc_reader *r, struct bk_doc_frame *f, bool map)
{
	f->n++;
	if (f->field->kind == BK_DOC_OBJV && map)
		return push_obj(r, f->field->sub, add_element(r, f));
	if (f->field->kind == BK_DOC_OBJV)
		return fail_kind(r, "an object", node_of(map));
	return fail_kind(r, f->field->kind == BK_DOC_NUMV ? "an integer" : "a string",
			 node_of(map));
}

static int entry_begin(struct bk_doc_reader *r, struct bk_doc_frame *f, bool map)
{
	char **element;

	f->n++;
	if (!map || f->field->kind == BK_DOC_STRMAP)
		return fail_kind(r, f->field->kind == BK_DOC_STRMAP ? "a string" : "an object",
				 node_of(map));
	/* the key comes first in the struct of an OBJMAP, and is all of a SETMAP */
	element = add_element(r, f);
	*element = bk_arena_strndup(r->arena, f->key, f->key_len);
	if (f->field->kind == BK_DOC_SETMAP)
		return push_skip(r, map);
	return push_obj(r, f->field->sub, element);
}

static int root_begin(struct bk_doc_reader *r, bool map)
{
	if (r->tree) {
		r->tree_depth = 0;
		return push_tree(r, r->tree, map);
	}
	if (!map)
		return fail_kind(r, "an object", BK_DOC_NODE_SEQ);
	return push_obj(r, r->type, r->obj);
}

int bk_doc_reader_begin(struct bk_doc_reader *r, bool map)
{
	struct bk_doc_frame *f;
	int rc = count_node(r);

	if (rc < 0)
		return rc;
	if (r->depth >= r->max_depth)
		return bk_doc_reader_error(r, "nested deeper than %u levels", r->max_depth);
	if (r->depth == 0)
		return root_begin(r, map);
	f = top(r);
	switch (f->kind) {
	case BK_DOC_FRAME_OBJ:
		return member_begin(r, f, map);
	case BK_DOC_FRAME_SEQ:
		return item_begin(r, f, map);
	case BK_DOC_FRAME_MAP:
		return entry_begin(r, f, map);
	case BK_DOC_FRAME_TREE_SEQ:
	case BK_DOC_FRAME_TREE_MAP:
		f->n++;
		return push_tree(r, add_tree_item(r, f), map);
	default:
		f->n++;
		return push_skip(r, map);
	}
}

/* ---- members --------------------------------------------------------------------------------- */

static const char *row_name(size_t i, const void *fields)
{
	return ((const struct bk_doc_field *)fields)[i].name;
}

static int fail_unknown(struct bk_doc_reader *r, const struct bk_doc_frame *f, const char *key,
			size_t len)
{
	const struct bk_doc_value *at = r->key_at ? r->key_at : r->at;
	bk_autofree char *name = bk_strndup(key, len < BK_DOC_EXCERPT ? len : BK_DOC_EXCERPT);
	char path[BK_DOC_PATH_MAX];
	char text[BK_DOC_EXCERPT];
	char place[64] = "";
	const char *nearest;
	size_t rows = 0;

	while (f->type->fields[rows].name)
		rows++;
	nearest = bk_str_nearest(name, row_name, f->type->fields, rows);
	bk_doc_path_print(r->base, r->frames, r->depth - 1, path);
	if (at && at->line > 0)
		snprintf(place, sizeof(place), ":%u:%u: ", at->line, at->column);
	return bk_err_set(r->err, BK_ERR_CONFIG, 0, "%s%sunknown member '%s'%s%s%s%s%s%s",
			  *place && at->source ? at->source : "", place,
			  bk_doc_excerpt(key, len, text), *path ? " in '" : "", path,
			  *path ? "'" : "", nearest ? ", did you mean '" : "",
			  nearest ? nearest : "", nearest ? "'?" : "");
}

static const struct bk_doc_field *find_row(const struct bk_doc_type *type, const char *key,
					   size_t len)
{
	for (const struct bk_doc_field *row = type->fields; row->name; row++)
		if (row->name[0] == key[0] && strncmp(row->name, key, len) == 0 &&
		    row->name[len] == '\0')
			return row;
	return NULL;
}

/* The names of a table's rows are watched by a bit each, all others by the set of keys. */
static bool is_new_member(struct bk_doc_reader *r, struct bk_doc_frame *f)
{
	uint64_t bit;

	if (!f->field || f->kind != BK_DOC_FRAME_OBJ)
		return bk_doc_keys_add(&r->keys, f->number, f->key, f->key_len);
	bit = UINT64_C(1) << row_of(f);
	if (f->seen & bit)
		return false;
	f->seen |= bit;
	return true;
}

int bk_doc_reader_key(struct bk_doc_reader *r, const char *key, size_t len)
{
	struct bk_doc_frame *f = top(r);

	f->key_len = strnlen(key, len);
	if (f->key_len < len) {
		f->field = NULL;
		f->key = bk_arena_strndup(r->arena, key, len);
		return bk_doc_reader_error(r, "a member's name must not hold a NUL character");
	}
	if (f->kind == BK_DOC_FRAME_OBJ) {
		f->field = len > 0 ? find_row(f->type, key, len) : NULL;
		if (!f->field && r->limits->unknown_is_error)
			return fail_unknown(r, f, key, len);
	}
	if (f->kind == BK_DOC_FRAME_OBJ && f->field)
		f->key = f->field->name;
	else if (f->kind == BK_DOC_FRAME_TREE_MAP)
		f->key = bk_arena_strndup(r->arena, key, len);
	else
		f->key = keep_key(r, key, len);
	if (!is_new_member(r, f))
		return fail_at(r, BK_ERR_CONFIG, r->depth, r->key_at, "duplicate member");
	return 0;
}

static int check_required(struct bk_doc_reader *r, const struct bk_doc_frame *f)
{
	const struct bk_doc_value *at = r->at;
	char missing[BK_DOC_PATH_MAX + BK_DOC_EXCERPT];
	char path[BK_DOC_PATH_MAX];

	for (size_t i = 0; f->type->fields[i].name; i++) {
		if (!(f->type->fields[i].flags & BK_DOC_REQUIRED) || (f->present >> i & 1))
			continue;
		bk_doc_path_print(r->base, r->frames, r->depth - 1, path);
		snprintf(missing, sizeof(missing), "%s%s%s", path, *path ? "." : "",
			 f->type->fields[i].name);
		return fail_path(r, BK_ERR_CONFIG, missing, at, "required member is missing");
	}
	return 0;
}

int bk_doc_reader_end(struct bk_doc_reader *r)
{
	struct bk_doc_frame *f = top(r);
	int rc = 0;

	switch (f->kind) {
	case BK_DOC_FRAME_OBJ:
		rc = check_required(r, f);
		r->depth--;
		break;
	case BK_DOC_FRAME_SEQ:
	case BK_DOC_FRAME_MAP:
		r->depth--;
		if ((f->field->flags & BK_DOC_NOT_EMPTY) && f->n == 0)
			rc = bk_doc_reader_error(r, "must not be empty");
		break;
	case BK_DOC_FRAME_TREE_SEQ:
	case BK_DOC_FRAME_TREE_MAP:
		r->depth--;
		if (r->depth == r->tree_depth && r->depth > 0)
			rc = finish_member_tree(r);
		break;
	default:
		r->depth--;
		break;
	}
	return rc;
}

/* ---- value trees ----------------------------------------------------------------------------- */

static int walk(struct bk_doc_reader *r, const struct bk_doc_value *v);

/* A member of several forms gets the node as it stands: nothing has to be collected. */
static bool takes_node(const struct bk_doc_reader *r, const struct bk_doc_value *v)
{
	const struct bk_doc_frame *f = r->depth > 0 ? &r->frames[r->depth - 1] : NULL;

	return f && f->kind == BK_DOC_FRAME_OBJ && f->field && wants_tree(f->field) &&
	       v->node != BK_DOC_NODE_NULL &&
	       !(f->field->flags & (BK_DOC_UNSUPPORTED | BK_DOC_IGNORED));
}

static int walk_container(struct bk_doc_reader *r, const struct bk_doc_value *v)
{
	bool map = v->node == BK_DOC_NODE_MAP;
	int rc = bk_doc_reader_begin(r, map);

	for (size_t i = 0; i < v->n && rc == 0; i++) {
		if (map) {
			r->key_at = v->key_marks ? &v->key_marks[i] : v;
			rc = bk_doc_reader_key(r, v->keys[i], strlen(v->keys[i]));
		}
		if (rc == 0)
			rc = walk(r, &v->items[i]);
	}
	if (rc < 0)
		return rc;
	r->at = v;
	return bk_doc_reader_end(r);
}

static int walk(struct bk_doc_reader *r, const struct bk_doc_value *v)
{
	struct bk_doc_scalar s = { .node = v->node, .plain = v->plain };

	r->at = v;
	if (takes_node(r, v)) {
		top(r)->present |= UINT64_C(1) << row_of(top(r));
		return store_tree(r, top(r), v);
	}
	if (v->node == BK_DOC_NODE_SEQ || v->node == BK_DOC_NODE_MAP)
		return walk_container(r, v);
	s.text = v->text ? v->text : "";
	s.len = strlen(s.text);
	return bk_doc_reader_scalar(r, &s);
}

int bk_doc_store(const struct bk_doc_type *t, const struct bk_doc_value *v,
		 const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
		 struct bk_err **err)
{
	struct bk_doc_reader r;
	int rc;

	bk_doc_reader_init(&r, limits, arena, err);
	r.type = t;
	r.obj = obj;
	r.base = v->path;
	rc = walk(&r, v);
	bk_doc_reader_done(&r);
	return rc;
}
