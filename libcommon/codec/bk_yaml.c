/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/bk_str.h"
#include "codec/bk_doc_keys.h"
#include "codec/bk_doc_path.h"
#include "codec/bk_utf8.h"

#define DEPTH_MAX  128
#define CORE_TAG   "tag:yaml.org,2002:"

#define auto_event bk_auto(yaml_event_delete) yaml_event_t

/* A node with a name ("&name"); its children stay where they are, so a copy of the node is enough. */
struct anchor {
	const char *name;
	struct bk_doc_value value;
};

struct composer {
	yaml_parser_t parser;
	const char *source;
	const char *text;
	size_t len;
	const struct bk_doc_limits *limits;
	unsigned int max_depth;
	struct bk_arena *arena;
	struct bk_err **err;
	size_t nodes;
	uint32_t maps;
	struct bk_doc_keys keys;
	struct anchor *anchors;
	size_t n_anchors;
	size_t depth;
	struct bk_doc_frame frames[DEPTH_MAX]; /* for the path in messages */
};

/* ---- errors ---------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static int fail(const struct composer *c, size_t line,
						      size_t column, const char *fmt, ...)
{
	struct bk_doc_value at = { .source = c->source,
				   .line = (unsigned int)line,
				   .column = (unsigned int)column };
	char path[BK_DOC_PATH_MAX];
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	at.path = bk_doc_path_print(NULL, c->frames, c->depth, path);
	return bk_doc_value_error(&at, c->err, "%s", text);
}

static int fail_mark(const struct composer *c, const yaml_mark_t *mark, const char *text)
{
	return fail(c, mark->line + 1, mark->column + 1, "%s", text);
}

static int fail_node(const struct composer *c, const struct bk_doc_value *v, const char *text)
{
	return fail(c, v->line, v->column, "%s", text);
}

static int fail_offset(const struct composer *c, size_t offset, const char *text)
{
	size_t line = 1;
	size_t column = 1;

	for (size_t i = 0; i < offset && i < c->len; i++) {
		column += ((unsigned char)c->text[i] & 0xc0) != 0x80;
		if (c->text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return fail(c, line, column, "%s", text);
}

/* The byte at a mark, whose index counts characters. */
static char byte_at(const struct composer *c, const yaml_mark_t *mark)
{
	size_t chars = 0;

	for (size_t i = 0; i < c->len; i++) {
		if (((unsigned char)c->text[i] & 0xc0) == 0x80)
			continue;
		if (chars++ == mark->index)
			return c->text[i];
	}
	return '\0';
}

static int fail_parser(const struct composer *c)
{
	const yaml_parser_t *p = &c->parser;
	char text[256];

	if (p->error == YAML_READER_ERROR)
		return fail_offset(c, p->problem_offset, p->problem ? p->problem : "not YAML");
	if (p->error == YAML_SCANNER_ERROR && byte_at(c, &p->problem_mark) == '\t')
		return fail_mark(c, &p->problem_mark, "a tab can't be used for indentation");
	snprintf(text, sizeof(text), "not YAML: %s%s%s", p->context ? p->context : "",
		 p->context ? ": " : "", p->problem ? p->problem : "out of memory");
	return fail_mark(c, &p->problem_mark, text);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static int next_event(struct composer *c, yaml_event_t *event)
{
	if (!yaml_parser_parse(&c->parser, event))
		return fail_parser(c);
	return 0;
}

static void set_mark(struct bk_doc_value *v, const struct composer *c, const yaml_mark_t *mark)
{
	v->line = (unsigned int)mark->line + 1;
	v->column = (unsigned int)mark->column + 1;
	v->source = c->source;
}

static int count_node(struct composer *c, const struct bk_doc_value *at)
{
	char text[64];

	if (c->nodes++ < c->limits->max_nodes)
		return 0;
	snprintf(text, sizeof(text), "more than %zu values", c->limits->max_nodes);
	return fail_node(c, at, text);
}

/* Opens v; `at` is the place that the message names. */
static int enter(struct composer *c, const struct bk_doc_value *v, const struct bk_doc_value *at)
{
	char text[64];

	if (c->depth >= c->max_depth) {
		snprintf(text, sizeof(text), "nested deeper than %u levels", c->max_depth);
		return fail_node(c, at, text);
	}
	c->frames[c->depth++] = (struct bk_doc_frame){
		.kind = v->node == BK_DOC_NODE_MAP ? BK_DOC_FRAME_TREE_MAP : BK_DOC_FRAME_TREE_SEQ,
	};
	return 0;
}

/* Control characters but tab and line ends: C0, DEL and C1 (in UTF-8: c2 80 to c2 9f). */
static bool has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < len && (unsigned char)s[i + 1] < 0xa0)
			return true;
	}
	return false;
}

/* "!" and the core tag of the node's own kind say nothing new; all others ask for a type of their own. */
static int check_tag(struct composer *c, const struct bk_doc_value *v, const yaml_char_t *tag,
		     const char *core)
{
	const char *name = (const char *)tag;
	char text[160];

	if (!name || bk_streq(name, "!") || bk_streq(name, core))
		return 0;
	snprintf(text, sizeof(text), "the tag '%.100s' is not supported", name);
	return fail_node(c, v, text);
}

static bool is_null(const char *text)
{
	return *text == '\0' || bk_streq(text, "~") || bk_streq(text, "null") ||
	       bk_streq(text, "Null") || bk_streq(text, "NULL");
}

static int compose_scalar(struct composer *c, const yaml_event_t *event, struct bk_doc_value *v)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	int rc = check_tag(c, v, event->data.scalar.tag, CORE_TAG "str");

	if (rc < 0)
		return rc;
	if (has_control(text, len))
		return fail_node(c, v, "a string must not hold control characters");
	v->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
	v->node = v->plain && is_null(text) ? BK_DOC_NODE_NULL : BK_DOC_NODE_STRING;
	v->text = bk_arena_strndup(c->arena, text, len);
	return 0;
}

static void set_anchor(struct composer *c, const yaml_char_t *name, const struct bk_doc_value *v)
{
	if (!name)
		return;
	c->anchors = bk_arena_grow(c->arena, c->anchors, c->n_anchors, sizeof(*c->anchors));
	c->anchors[c->n_anchors++] = (struct anchor){
		.name = bk_arena_strdup(c->arena, (const char *)name), .value = *v
	};
}

/*
 * A deep copy, since each copy's nodes have paths of their own; every node counts. They keep the place
 * where their text stands.
 */
static int copy_node(struct composer *c, const struct bk_doc_value *from,
		     const struct bk_doc_value *alias, struct bk_doc_value *v)
{
	int rc = count_node(c, alias);

	*v = *from;
	if (rc < 0 || from->n == 0)
		return rc;
	rc = enter(c, from, alias);
	if (rc < 0)
		return rc;
	v->items = bk_arena_alloc(c->arena, from->n * sizeof(*v->items));
	for (size_t i = 0; i < from->n && rc == 0; i++) {
		struct bk_doc_frame *f = &c->frames[c->depth - 1];

		f->n = i + 1;
		if (from->keys) {
			f->key = from->keys[i];
			f->key_len = strlen(f->key);
		}
		rc = copy_node(c, &from->items[i], alias, &v->items[i]);
	}
	if (rc == 0)
		c->depth--;
	return rc;
}

static int compose_alias(struct composer *c, const yaml_event_t *event, struct bk_doc_value *v)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct bk_doc_value alias = *v;
	char text[160];

	/* the latest of that name; one that is still open is not there yet, so no node holds itself */
	for (size_t i = c->n_anchors; i > 0; i--)
		if (bk_streq(c->anchors[i - 1].name, name))
			return copy_node(c, &c->anchors[i - 1].value, &alias, v);
	snprintf(text, sizeof(text), "no anchor '&%.100s' stands before this alias", name);
	return fail_node(c, v, text);
}

static int compose_node(struct composer *c, const yaml_event_t *event, struct bk_doc_value *v);

static int compose_seq(struct composer *c, struct bk_doc_value *v)
{
	int rc = enter(c, v, v);

	while (rc == 0) {
		auto_event event = { 0 };

		rc = next_event(c, &event);
		if (rc < 0 || event.type == YAML_SEQUENCE_END_EVENT)
			break;
		c->frames[c->depth - 1].n++;
		v->items = bk_arena_grow(c->arena, v->items, v->n, sizeof(*v->items));
		rc = compose_node(c, &event, &v->items[v->n++]);
	}
	if (rc == 0)
		c->depth--;
	return rc;
}

/* ---- maps ------------------------------------------------------------------------------------ */

static struct bk_doc_value *add_entry(struct composer *c, struct bk_doc_value *v, const char *key,
				      const struct bk_doc_value *mark)
{
	struct bk_doc_value *marks = (struct bk_doc_value *)(uintptr_t)v->key_marks;

	v->items = bk_arena_grow(c->arena, v->items, v->n, sizeof(*v->items));
	v->keys = bk_arena_grow(c->arena, v->keys, v->n, sizeof(*v->keys));
	marks = bk_arena_grow(c->arena, marks, v->n, sizeof(*marks));
	v->keys[v->n] = (char *)(uintptr_t)key;
	marks[v->n] = *mark;
	v->key_marks = marks;
	return &v->items[v->n++];
}

/* Merged members come behind the map's own, which win; of two merged maps the first wins. */
static int merge_map(struct composer *c, struct bk_doc_value *v, uint32_t number,
		     const struct bk_doc_value *from)
{
	if (from->node != BK_DOC_NODE_MAP)
		return fail_node(c, from, "'<<' takes a map or a list of maps");
	for (size_t i = 0; i < from->n; i++)
		if (bk_doc_keys_add(&c->keys, number, from->keys[i], strlen(from->keys[i])))
			*add_entry(c, v, from->keys[i], &from->key_marks[i]) = from->items[i];
	return 0;
}

static int merge(struct composer *c, struct bk_doc_value *v, uint32_t number,
		 const struct bk_doc_value *from)
{
	int rc = 0;

	if (from->node != BK_DOC_NODE_SEQ)
		return merge_map(c, v, number, from);
	for (size_t i = 0; i < from->n && rc == 0; i++)
		rc = merge_map(c, v, number, &from->items[i]);
	return rc;
}

struct map_key {
	struct bk_doc_value value; /* its text and mark */
	bool is_merge;
};

static int read_key(struct composer *c, const yaml_event_t *event, uint32_t number,
		    struct map_key *ret)
{
	struct bk_doc_frame *f = &c->frames[c->depth - 1];
	struct map_key key = { 0 };
	int rc;

	set_mark(&key.value, c, &event->start_mark);
	f->key = NULL;
	if (event->type != YAML_SCALAR_EVENT)
		return fail_node(c, &key.value, "a key must be a string");
	if (event->data.scalar.anchor)
		return fail_node(c, &key.value, "a key can't have an anchor");
	rc = compose_scalar(c, event, &key.value);
	if (rc < 0)
		return rc;
	f->key = key.value.text;
	f->key_len = event->data.scalar.length; /* without a NUL, which is a control character */
	if (!bk_doc_keys_add(&c->keys, number, f->key, f->key_len))
		return fail_node(c, &key.value, "duplicate member");
	key.is_merge = key.value.plain && bk_streq(key.value.text, "<<");
	*ret = key;
	return 0;
}

static int compose_map(struct composer *c, struct bk_doc_value *v)
{
	struct bk_doc_value merged = { 0 };
	uint32_t number = c->maps++;
	bool has_merge = false;
	int rc = enter(c, v, v);

	while (rc == 0) {
		auto_event key_event = { 0 };
		auto_event event = { 0 };
		struct map_key key = { 0 };

		rc = next_event(c, &key_event);
		if (rc < 0 || key_event.type == YAML_MAPPING_END_EVENT)
			break;
		rc = read_key(c, &key_event, number, &key);
		if (rc == 0)
			rc = next_event(c, &event);
		if (rc < 0)
			break;
		has_merge = has_merge || key.is_merge;
		rc = compose_node(c, &event,
				  key.is_merge ? &merged
					       : add_entry(c, v, key.value.text, &key.value));
	}
	if (rc == 0 && has_merge)
		rc = merge(c, v, number, &merged);
	if (rc == 0)
		c->depth--;
	return rc;
}

static int compose_node(struct composer *c, const yaml_event_t *event, struct bk_doc_value *v)
{
	const yaml_char_t *anchor = NULL;
	int rc;

	set_mark(v, c, &event->start_mark);
	if (event->type == YAML_ALIAS_EVENT)
		return compose_alias(c, event, v);
	rc = count_node(c, v);
	if (rc < 0)
		return rc;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		rc = compose_scalar(c, event, v);
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		v->node = BK_DOC_NODE_SEQ;
		rc = check_tag(c, v, event->data.sequence_start.tag, CORE_TAG "seq");
		if (rc == 0)
			rc = compose_seq(c, v);
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		v->node = BK_DOC_NODE_MAP;
		rc = check_tag(c, v, event->data.mapping_start.tag, CORE_TAG "map");
		if (rc == 0)
			rc = compose_map(c, v);
		break;
	default:
		rc = fail_node(c, v, "a value was expected");
		break;
	}
	if (rc == 0)
		set_anchor(c, anchor, v);
	return rc;
}

/* ---- the document ---------------------------------------------------------------------------- */

/* Reads one event that has to be of this type. */
static int expect(struct composer *c, yaml_event_type_t type, const char *otherwise)
{
	auto_event event = { 0 };
	int rc = next_event(c, &event);

	if (rc == 0 && event.type != type)
		return fail_mark(c, &event.start_mark, otherwise);
	return rc;
}

static int compose_document(struct composer *c, struct bk_doc_value *v)
{
	auto_event event = { 0 };
	int rc = expect(c, YAML_STREAM_START_EVENT, "not YAML");

	if (rc == 0)
		rc = expect(c, YAML_DOCUMENT_START_EVENT, "the document is empty");
	if (rc == 0)
		rc = next_event(c, &event);
	if (rc == 0)
		rc = compose_node(c, &event, v);
	if (rc == 0)
		rc = expect(c, YAML_DOCUMENT_END_EVENT, "the document goes on behind its end");
	if (rc == 0)
		rc = expect(c, YAML_STREAM_END_EVENT, "a second document begins here");
	return rc;
}

static int check_text(const struct composer *c)
{
	size_t at;

	if (c->len > c->limits->max_size)
		return bk_err_set(c->err, BK_ERR_CONFIG, 0, "%s: larger than %zu bytes", c->source,
				  c->limits->max_size);
	at = bk_utf8_check(c->text, c->len);
	if (at < c->len)
		return fail_offset(c, at, "not UTF-8");
	return 0;
}

int bk_yaml_parse(const char *source, const char *text, size_t len,
		  const struct bk_doc_limits *limits, struct bk_arena *arena,
		  struct bk_doc_value *ret, struct bk_err **err)
{
	unsigned int max_depth = limits->max_depth < DEPTH_MAX ? limits->max_depth : DEPTH_MAX;
	struct composer c = { .source = bk_arena_strdup(arena, source),
			      .text = text,
			      .len = len,
			      .limits = limits,
			      .max_depth = max_depth,
			      .arena = arena,
			      .err = err };
	struct bk_doc_value value = { 0 };
	int rc = check_text(&c);

	if (rc < 0)
		return rc;
	if (!yaml_parser_initialize(&c.parser))
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "make a YAML parser");
	/* or it would guess UTF-16 from the first bytes */
	yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&c.parser, (const unsigned char *)text, len);
	rc = compose_document(&c, &value);
	yaml_parser_delete(&c.parser);
	bk_doc_keys_done(&c.keys);
	if (rc < 0)
		return rc;
	bk_doc_path_name_tree(&value, arena, "", c.source);
	*ret = value;
	return 0;
}

int bk_yaml_decode(const struct bk_doc_type *t, const char *source, const char *text, size_t len,
		   const struct bk_doc_limits *limits, struct bk_arena *arena, void *obj,
		   struct bk_err **err)
{
	struct bk_doc_value value;
	int rc = bk_yaml_parse(source, text, len, limits, arena, &value, err);

	if (rc < 0)
		return rc;
	memset(obj, 0, t->size);
	return bk_doc_store(t, &value, limits, arena, obj, err);
}
