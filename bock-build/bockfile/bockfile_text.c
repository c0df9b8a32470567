/* SPDX-License-Identifier: Apache-2.0 */
#include "bockfile/bockfile_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/bk_json.h"

int bockfile_text_unsupported(const struct bk_doc_value *at, struct bk_err **err, const char *fmt,
			      ...)
{
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "%s", text);
	return bockfile_text_wrap(at, err, -BK_ERR_UNSUPPORTED);
}

int bockfile_text_wrap(const struct bk_doc_value *at, struct bk_err **err, int rc)
{
	const char *path = at && at->path ? at->path : "";

	if (!at)
		return rc;
	if (at->line == 0)
		return *path ? bk_err_wrap(err, rc, "%s", path) : rc;
	return bk_err_wrap(err, rc, "%s:%u:%u%s%s", at->source ? at->source : "", at->line,
			   at->column, *path ? ": " : "", path);
}

static const char *node_name(const struct bk_doc_value *v)
{
	switch (v->node) {
	case BK_DOC_NODE_NULL:
		return "nothing (an empty string is \"\")";
	case BK_DOC_NODE_SEQ:
		return "a list";
	case BK_DOC_NODE_MAP:
		return "a map";
	default:
		return "a string";
	}
}

static int expect(const struct bk_doc_value *v, const char *what, struct bk_err **err)
{
	return bk_doc_value_error(v, err, "expected %s, found %s", what, node_name(v));
}

static bool is_scalar(const struct bk_doc_value *v)
{
	return v->node == BK_DOC_NODE_STRING || v->node == BK_DOC_NODE_NUMBER ||
	       v->node == BK_DOC_NODE_BOOL;
}

static int read_scalar(const struct bk_doc_value *v, struct bockfile_text *ret, struct bk_err **err)
{
	if (!is_scalar(v))
		return expect(v, "a string", err);
	*ret = (struct bockfile_text){ .text = v->text ? v->text : "", .at = v };
	return 0;
}

static int check_empty(const struct bk_doc_field *f, const struct bk_doc_value *v, bool empty,
		       struct bk_err **err)
{
	if ((f->flags & BK_DOC_NOT_EMPTY) && empty)
		return bk_doc_value_error(v, err, "must not be empty");
	return 0;
}

int bockfile_text_read(const struct bk_doc_field *f, const struct bk_doc_value *v,
		       struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_text *t = member;
	int rc;

	(void)arena;
	rc = read_scalar(v, t, err);
	return rc < 0 ? rc : check_empty(f, v, *t->text == '\0', err);
}

int bockfile_text_read_list(const struct bk_doc_field *f, const struct bk_doc_value *v,
			    struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_list *list = member;
	int rc;

	if (v->node != BK_DOC_NODE_SEQ)
		return expect(v, "a list of strings", err);
	list->items = bk_arena_alloc(arena, (v->n + 1) * sizeof(*list->items));
	for (size_t i = 0; i < v->n; i++) {
		rc = read_scalar(&v->items[i], &list->items[i], err);
		if (rc < 0)
			return rc;
	}
	list->n = v->n;
	list->at = v;
	return check_empty(f, v, v->n == 0, err);
}

int bockfile_text_read_one_or_list(const struct bk_doc_field *f, const struct bk_doc_value *v,
				   struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_list *list = member;

	if (!is_scalar(v))
		return v->node == BK_DOC_NODE_SEQ
			       ? bockfile_text_read_list(f, v, arena, member, err)
			       : expect(v, "a string or a list of strings", err);
	list->items = bk_arena_alloc(arena, sizeof(*list->items));
	list->n = 1;
	list->at = v;
	return bockfile_text_read(f, v, arena, &list->items[0], err);
}

int bockfile_text_read_map(const struct bk_doc_field *f, const struct bk_doc_value *v,
			   struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_map *map = member;
	int rc;

	if (v->node != BK_DOC_NODE_MAP)
		return expect(v, "a map of strings", err);
	map->items = bk_arena_alloc(arena, (v->n + 1) * sizeof(*map->items));
	for (size_t i = 0; i < v->n; i++) {
		map->items[i].key = v->keys[i];
		rc = read_scalar(&v->items[i], &map->items[i].value, err);
		if (rc < 0)
			return rc;
	}
	map->n = v->n;
	map->at = v;
	return check_empty(f, v, v->n == 0, err);
}

int bockfile_text_read_command(const struct bk_doc_field *f, const struct bk_doc_value *v,
			       struct bk_arena *arena, void *member, struct bk_err **err)
{
	struct bockfile_command *command = member;

	command->shell = is_scalar(v);
	return bockfile_text_read_one_or_list(f, v, arena, &command->args, err);
}

/* ---- flow text ----------------------------------------------------------------------------------- */

/*
 * Plain in flow YAML, whatever stands around it (YAML 1.1, 9.1.3). Stricter than YAML with the first
 * character: then it is quoted needlessly.
 */
static bool is_plain(const char *s)
{
	if (!isalnum((unsigned char)*s) && *s != '/' && *s != '.' && *s != '$' && *s != '_')
		return false;
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || strchr("[]{},\x7f", *p) ||
		    (*p == ':' && (p[1] == ' ' || !p[1])) || (*p == ' ' && (p[1] == '#' || !p[1])))
			return false;
	return true;
}

static void flow_text(const char *s, struct bk_buf *out)
{
	if (is_plain(s))
		bk_buf_adds(out, s);
	else
		bk_json_quote(out, s);
}

static void flow(const struct bk_doc_value *v, struct bk_buf *out, bool outermost)
{
	bool map = v->node == BK_DOC_NODE_MAP;

	if (v->node != BK_DOC_NODE_SEQ && !map) {
		flow_text(v->text ? v->text : "", out);
		return;
	}
	if (!outermost)
		bk_buf_addc(out, map ? '{' : '[');
	for (size_t i = 0; i < v->n; i++) {
		if (i > 0)
			bk_buf_adds(out, ", ");
		if (map) {
			flow_text(v->keys[i], out);
			bk_buf_adds(out, ": ");
		}
		flow(&v->items[i], out, false);
	}
	if (!outermost)
		bk_buf_addc(out, map ? '}' : ']');
}

void bockfile_text_flow(const struct bk_doc_value *v, struct bk_buf *out)
{
	flow(v, out, false);
}

void bockfile_text_flow_step(const struct bk_doc_value *v, struct bk_buf *out)
{
	flow(v, out, v->node == BK_DOC_NODE_MAP);
}
