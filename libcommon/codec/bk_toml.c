/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bk_toml.h"

#include <string.h>

#include "base/bk_str.h"
#include "codec/bk_utf8.h"

#define NESTING_MAX 32 /* arrays in arrays */
#define PARTS_MAX   8  /* of a table's name */

struct toml {
	const char *source;
	const char *p, *end;
	unsigned int line;
	const struct bk_doc_limits *limits;
	size_t nodes;
	struct bk_arena *arena;
	struct bk_doc_value *root;
	struct bk_err **err;
};

static int bad(const struct toml *t, const char *why)
{
	return bk_err_set(t->err, BK_ERR_CONFIG, 0, "%s:%u: %s", t->source, t->line, why);
}

static char peek(const struct toml *t)
{
	return t->p < t->end ? *t->p : '\0';
}

static void spaces(struct toml *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
		t->p++;
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Behind a value: nothing but a comment up to the end of the line. */
static int end_of_line(struct toml *t)
{
	spaces(t);
	if (peek(t) == '#')
		while (t->p < t->end && *t->p != '\n')
			t->p++;
	if (peek(t) == '\r' && t->p + 1 < t->end && t->p[1] == '\n')
		t->p++;
	if (t->p < t->end && *t->p != '\n')
		return bad(t, "something stands behind the end");
	if (t->p < t->end) {
		t->p++;
		t->line++;
	}
	return 0;
}

/* White space, comments and line ends, between the items of an array. */
static void blank(struct toml *t)
{
	for (;;) {
		spaces(t);
		if (peek(t) == '#') {
			while (t->p < t->end && *t->p != '\n')
				t->p++;
		} else if (peek(t) == '\n' || peek(t) == '\r') {
			t->line += *t->p == '\n';
			t->p++;
		} else {
			return;
		}
	}
}

/* ---- scalars ------------------------------------------------------------------------------------- */

static int escape(struct toml *t, char *out, size_t *n)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	const char *at;

	t->p++;
	at = peek(t) ? strchr(from, peek(t)) : NULL;
	if (!at)
		return bad(t, "an escape that is not known here");
	out[(*n)++] = to[at - from];
	t->p++;
	return 0;
}

static int string(struct toml *t, char **ret)
{
	char quote = *t->p;
	char *out = bk_arena_alloc(t->arena, (size_t)(t->end - t->p) + 1);
	size_t n = 0;
	int rc = 0;

	if (t->end - t->p >= 3 && t->p[1] == quote && t->p[2] == quote)
		return bad(t, "strings of several lines are not supported");
	t->p++;
	while (rc == 0 && peek(t) != quote) {
		unsigned char c = (unsigned char)peek(t);

		if (t->p >= t->end || c == '\n' || c == '\r')
			return bad(t, "a string has no end");
		if (c != '\t' && (c < 0x20 || c == 0x7f))
			return bad(t, "a control character in a string");
		if (c == '\\' && quote == '"')
			rc = escape(t, out, &n);
		else
			out[n++] = *t->p++;
	}
	if (rc < 0)
		return rc;
	t->p++;
	*ret = out;
	return 0;
}

static int word(struct toml *t, struct bk_doc_value *ret)
{
	const char *start = t->p;
	size_t len;

	while (is_bare(peek(t)) || peek(t) == '+' || peek(t) == '.' || peek(t) == ':')
		t->p++;
	len = (size_t)(t->p - start);
	ret->text = bk_arena_strndup(t->arena, start, len);
	if (bk_streq(ret->text, "true") || bk_streq(ret->text, "false")) {
		ret->node = BK_DOC_NODE_BOOL;
		return 0;
	}
	ret->node = BK_DOC_NODE_NUMBER;
	start = ret->text + (*ret->text == '-' || *ret->text == '+');
	if (bk_str_all_of(start, "0123456789") && (*start != '0' || !start[1]))
		return 0;
	return bad(t, "a value that is no string, integer, boolean or array");
}

static int value(struct toml *t, unsigned int depth, struct bk_doc_value *ret);

static int array(struct toml *t, unsigned int depth, struct bk_doc_value *ret)
{
	ret->node = BK_DOC_NODE_SEQ;
	if (depth >= NESTING_MAX)
		return bad(t, "arrays are nested too deeply");
	t->p++;
	for (;;) {
		int rc;

		blank(t);
		if (peek(t) == ']') {
			t->p++;
			return 0;
		}
		ret->items = bk_arena_grow(t->arena, ret->items, ret->n, sizeof(*ret->items));
		rc = value(t, depth + 1, &ret->items[ret->n]);
		if (rc < 0)
			return rc;
		ret->n++;
		blank(t);
		if (peek(t) == ',')
			t->p++;
		else if (peek(t) != ']')
			return bad(t, "an array without its end");
	}
}

static int value(struct toml *t, unsigned int depth, struct bk_doc_value *ret)
{
	if (++t->nodes > t->limits->max_nodes)
		return bad(t, "too many values");
	ret->line = t->line;
	ret->source = t->source;
	if (peek(t) == '"' || peek(t) == '\'') {
		ret->node = BK_DOC_NODE_STRING;
		return string(t, &ret->text);
	}
	if (peek(t) == '[')
		return array(t, depth, ret);
	if (peek(t) == '{')
		return bad(t, "inline tables are not supported");
	return word(t, ret);
}

/* ---- keys and tables ----------------------------------------------------------------------------- */

static int key(struct toml *t, char **ret)
{
	const char *start = t->p;

	if (peek(t) == '"' || peek(t) == '\'')
		return string(t, ret);
	while (is_bare(peek(t)))
		t->p++;
	if (t->p == start)
		return bad(t, "a key is expected");
	*ret = bk_arena_strndup(t->arena, start, (size_t)(t->p - start));
	return 0;
}

static struct bk_doc_value *member(struct bk_doc_value *map, const char *name)
{
	for (size_t i = 0; i < map->n; i++)
		if (bk_streq(map->keys[i], name))
			return &map->items[i];
	return NULL;
}

static struct bk_doc_value *add_member(struct toml *t, struct bk_doc_value *map, char *name)
{
	map->items = bk_arena_grow(t->arena, map->items, map->n, sizeof(*map->items));
	map->keys = bk_arena_grow(t->arena, map->keys, map->n, sizeof(*map->keys));
	map->keys[map->n] = name;
	t->nodes++;
	return &map->items[map->n++];
}

/* From a table to that of a name in it, which is made; an array of tables stands for its last. */
static int enter(struct toml *t, char *name, bool last, bool list, struct bk_doc_value **at)
{
	struct bk_doc_value *m = member(*at, name);

	if (last && !list && m)
		return bad(t, "a table stands there twice");
	if (!m) {
		m = add_member(t, *at, name);
		m->node = last && list ? BK_DOC_NODE_SEQ : BK_DOC_NODE_MAP;
		m->source = t->source;
		m->line = t->line;
	}
	if (last && list) {
		if (m->node != BK_DOC_NODE_SEQ || (m->n > 0 && m->items[0].node != BK_DOC_NODE_MAP))
			return bad(t, "it is no array of tables");
		m->items = bk_arena_grow(t->arena, m->items, m->n, sizeof(*m->items));
		m->items[m->n++] = (struct bk_doc_value){ .node = BK_DOC_NODE_MAP,
							  .source = t->source,
							  .line = t->line };
	}
	if (m->node == BK_DOC_NODE_SEQ && m->n > 0)
		m = &m->items[m->n - 1];
	if (m->node != BK_DOC_NODE_MAP)
		return bad(t, "it is a value, and no table");
	*at = m;
	return 0;
}

/* "[a]", "[[a.b]]": the table that what follows goes into. */
static int header(struct toml *t, struct bk_doc_value **ret)
{
	struct bk_doc_value *at = t->root;
	bool list = t->end - t->p > 1 && t->p[1] == '[';
	unsigned int parts = 0;
	bool last = false;

	t->p += list ? 2 : 1;
	while (!last) {
		char *name;
		int rc;

		spaces(t);
		rc = key(t, &name);
		if (rc < 0)
			return rc;
		spaces(t);
		last = peek(t) == ']';
		if ((!last && peek(t) != '.') || ++parts > PARTS_MAX ||
		    t->nodes > t->limits->max_nodes)
			return bad(t, "that is no name of a table");
		t->p++;
		rc = enter(t, name, last, list, &at);
		if (rc < 0)
			return rc;
	}
	if (list && peek(t) != ']')
		return bad(t, "that is no name of a table");
	t->p += list;
	*ret = at;
	return end_of_line(t);
}

static int assignment(struct toml *t, struct bk_doc_value *into)
{
	struct bk_doc_value v = { 0 };
	char *name;
	int rc = key(t, &name);

	if (rc < 0)
		return rc;
	spaces(t);
	if (peek(t) == '.')
		return bad(t, "dotted keys are not supported");
	if (peek(t) != '=')
		return bad(t, "'=' is expected");
	t->p++;
	spaces(t);
	if (member(into, name))
		return bad(t, "a key stands there twice");
	rc = value(t, 0, &v);
	if (rc < 0)
		return rc;
	*add_member(t, into, name) = v;
	return end_of_line(t);
}

int bk_toml_parse(const char *source, const char *text, size_t len,
		  const struct bk_doc_limits *limits, struct bk_arena *arena,
		  struct bk_doc_value *ret, struct bk_err **err)
{
	struct bk_doc_value root = { .node = BK_DOC_NODE_MAP, .source = source, .line = 1 };
	struct bk_doc_value *into = &root;
	struct toml t = {
		.source = source,
		.p = text,
		.end = text + len,
		.line = 1,
		.limits = limits,
		.arena = arena,
		.root = &root,
		.err = err,
	};

	if (len > limits->max_size)
		return bad(&t, "the file is too large");
	if (bk_utf8_check(text, len) != len || memchr(text, '\0', len))
		return bad(&t, "the file is not UTF-8");
	while (t.p < t.end) {
		int rc = 0;

		spaces(&t);
		if (peek(&t) == '[')
			rc = header(&t, &into);
		else if (t.p < t.end && !strchr("#\r\n", *t.p))
			rc = assignment(&t, into);
		else
			rc = end_of_line(&t);
		if (rc < 0)
			return rc;
	}
	*ret = root;
	return 0;
}
