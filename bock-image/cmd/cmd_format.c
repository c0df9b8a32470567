/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_format.h"

#include <string.h>
#include <strings.h>

#include "base/bk_str.h"
#include "codec/bk_json_write.h"

/* Past the items of any list. */
#define INDEX_MAX ((size_t)1 << 24)

struct parser {
	const char *text; /* the whole, for messages */
	const char *at;
	struct bk_buf *out;
	struct bk_err **err;
};

static int wrong(const struct parser *p, const char *what)
{
	return bk_err_set(p->err, BK_ERR_CONFIG, 0, "template, at character %zu: %s",
			  (size_t)(p->at - p->text) + 1, what);
}

/* ---- values ---------------------------------------------------------------------------------------- */

/* NULL where there is none. */
static const struct bk_doc_value *own_member(const struct bk_doc_value *v, const char *name,
					     size_t len)
{
	if (!v || v->node != BK_DOC_NODE_MAP)
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		if (strlen(v->keys[i]) == len && strncmp(v->keys[i], name, len) == 0)
			return &v->items[i];
	for (size_t i = 0; i < v->n; i++)
		if (strlen(v->keys[i]) == len && strncasecmp(v->keys[i], name, len) == 0)
			return &v->items[i];
	return NULL;
}

static const struct bk_doc_value *member(const struct bk_doc_value *v, const char *name, size_t len)
{
	for (; v; v = own_member(v, "config", strlen("config"))) {
		const struct bk_doc_value *found = own_member(v, name, len);

		if (found)
			return found;
	}
	return NULL;
}

static void add_text(struct bk_buf *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			bk_buf_printf(out, "\\x%02x", c);
		else
			bk_buf_addc(out, *s);
	}
}

static void add_value(struct bk_buf *out, const struct bk_doc_value *v, bool top)
{
	if (!v || v->node == BK_DOC_NODE_NULL) {
		bk_buf_adds(out, top ? "<no value>" : "<nil>");
	} else if (v->node == BK_DOC_NODE_SEQ || v->node == BK_DOC_NODE_MAP) {
		bk_buf_adds(out, v->node == BK_DOC_NODE_MAP ? "map[" : "[");
		for (size_t i = 0; i < v->n; i++) {
			if (i > 0)
				bk_buf_addc(out, ' ');
			if (v->node == BK_DOC_NODE_MAP) {
				add_text(out, v->keys[i]);
				bk_buf_addc(out, ':');
			}
			/* as deep as the document, which its reader has bounded */
			add_value(out, &v->items[i], false);
		}
		bk_buf_addc(out, ']');
	} else {
		add_text(out, v->text);
	}
}

/* ---- what stands between the braces ------------------------------------------------------------------ */

static void skip_space(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(p->at, word, len) != 0 || !strchr(" \t}", p->at[len]))
		return false;
	p->at += len;
	skip_space(p);
	return true;
}

/* ".": the value itself; ".a.b" */
static int take_path(struct parser *p, const struct bk_doc_value *dot,
		     const struct bk_doc_value **ret)
{
	const struct bk_doc_value *v = dot;

	if (*p->at != '.')
		return wrong(
			p,
			"a path begins with a dot, as in {{.Digest}}; there is json, index, join and range beside");
	while (*p->at == '.') {
		size_t len =
			strspn(p->at + 1,
			       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

		if (len > 0)
			v = member(v, p->at + 1, len);
		else if (p->at[1] == '.')
			return wrong(p, "an empty name in a path");
		p->at += 1 + len;
	}
	skip_space(p);
	*ret = v;
	return 0;
}

/* "text" with \" and \\ in it. Heap. */
static int take_string(struct parser *p, char **ret)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);

	if (*p->at != '"')
		return wrong(p, "a string in quotes is missing");
	for (p->at++; *p->at && *p->at != '"'; p->at++) {
		if (*p->at == '\\' && p->at[1])
			p->at++;
		bk_buf_addc(&b, *p->at);
	}
	if (*p->at != '"')
		return wrong(p, "the string has no end");
	p->at++;
	skip_space(p);
	*ret = bk_strdup(bk_buf_str(&b));
	return 0;
}

static int take_end(struct parser *p)
{
	skip_space(p);
	if (strncmp(p->at, "}}", 2) != 0)
		return wrong(p, "}} is missing, or something else stands before it");
	p->at += 2;
	return 0;
}

static int do_json(struct parser *p, const struct bk_doc_value *dot)
{
	const struct bk_doc_value *v;
	int rc = take_path(p, dot, &v);
	struct bk_json_writer w = { .out = p->out };

	if (rc < 0)
		return rc;
	if (v)
		bk_json_write_value(&w, v);
	else
		bk_buf_adds(p->out, "null");
	return take_end(p);
}

static int do_index(struct parser *p, const struct bk_doc_value *dot)
{
	bk_autofree char *key = NULL;
	const struct bk_doc_value *v, *found = NULL;
	int rc = take_path(p, dot, &v);

	if (rc == 0 && *p->at >= '0' && *p->at <= '9') {
		size_t n = 0;

		for (; *p->at >= '0' && *p->at <= '9'; p->at++)
			n = n <= INDEX_MAX ? n * 10 + (size_t)(*p->at - '0') : n;
		if (v && v->node == BK_DOC_NODE_SEQ && n < v->n)
			found = &v->items[n];
	} else if (rc == 0) {
		rc = take_string(p, &key);
		for (size_t i = 0; rc == 0 && v && v->node == BK_DOC_NODE_MAP && i < v->n; i++)
			if (bk_streq(v->keys[i], key))
				found = &v->items[i];
	}
	if (rc == 0)
		rc = take_end(p);
	if (rc == 0)
		add_value(p->out, found, true);
	return rc;
}

static int do_join(struct parser *p, const struct bk_doc_value *dot)
{
	bk_autofree char *between = NULL;
	const struct bk_doc_value *v;
	int rc = take_path(p, dot, &v);

	if (rc == 0)
		rc = take_string(p, &between);
	if (rc == 0)
		rc = take_end(p);
	if (rc < 0)
		return rc;
	for (size_t i = 0; v && v->node == BK_DOC_NODE_SEQ && i < v->n; i++) {
		if (i > 0)
			add_text(p->out, between);
		add_value(p->out, &v->items[i], false);
	}
	return 0;
}

static int expand(struct parser *p, const struct bk_doc_value *dot, unsigned int depth);

static int do_range(struct parser *p, const struct bk_doc_value *dot, unsigned int depth)
{
	const struct bk_doc_value *v;
	struct bk_buf nowhere = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_buf *out = p->out;
	const char *body;
	size_t n;
	int rc = take_path(p, dot, &v);

	if (rc == 0)
		rc = take_end(p);
	if (rc < 0)
		return rc;
	if (depth >= CMD_FORMAT_DEPTH_MAX)
		return wrong(p, "ranges nested too deep");
	body = p->at;
	n = v && (v->node == BK_DOC_NODE_SEQ || v->node == BK_DOC_NODE_MAP) ? v->n : 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		p->at = body;
		rc = expand(p, &v->items[i], depth + 1);
	}
	/* of nothing the body is read all the same, for its end and its faults */
	if (n == 0) {
		p->out = &nowhere;
		rc = expand(p, NULL, depth + 1);
		p->out = out;
		bk_buf_done(&nowhere);
	}
	return rc;
}

/* p->at stands behind the "{{". *ret_end: it was an {{end}}. */
static int action(struct parser *p, const struct bk_doc_value *dot, unsigned int depth,
		  bool *ret_end)
{
	const struct bk_doc_value *v;
	int rc;

	skip_space(p);
	if (take_word(p, "end")) {
		*ret_end = true;
		return depth == 0 ? wrong(p, "an end without its range") : take_end(p);
	}
	if (take_word(p, "json"))
		return do_json(p, dot);
	if (take_word(p, "index"))
		return do_index(p, dot);
	if (take_word(p, "join"))
		return do_join(p, dot);
	if (take_word(p, "range"))
		return do_range(p, dot, depth);
	rc = take_path(p, dot, &v);
	if (rc == 0)
		rc = take_end(p);
	if (rc == 0)
		add_value(p->out, v, true);
	return rc;
}

/* To the end of the text, or behind the {{end}} of the range that this is the body of. */
static int expand(struct parser *p, const struct bk_doc_value *dot, unsigned int depth)
{
	while (*p->at) {
		bool end = false;
		int rc;

		if (p->at[0] == '\\' && (p->at[1] == 'n' || p->at[1] == 't')) {
			bk_buf_addc(p->out, p->at[1] == 'n' ? '\n' : '\t');
			p->at += 2;
		} else if (strncmp(p->at, "{{", 2) != 0) {
			bk_buf_addc(p->out, *p->at++);
		} else {
			p->at += 2;
			rc = action(p, dot, depth, &end);
			if (rc < 0 || end)
				return rc;
		}
	}
	return depth > 0 ? wrong(p, "a range without its end") : 0;
}

int cmd_format(const char *text, const struct bk_doc_value *v, struct bk_buf *out,
	       struct bk_err **err)
{
	struct parser p = { .text = text, .at = text, .out = out, .err = err };

	return expand(&p, v, 0);
}
