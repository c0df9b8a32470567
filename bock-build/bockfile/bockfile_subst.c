/* SPDX-License-Identifier: Apache-2.0 */
#include "bockfile/bockfile_subst.h"

#include <ctype.h>
#include <string.h>

#include "base/bk_str.h"

#define NAME_SHOWN 64 /* bytes of a name in a message */

struct subst {
	const struct bockfile_scope *scope;
	const struct bk_doc_value *at;
	struct bk_buf *out;
	struct bk_err **err;
};

/* Only for messages: the scalar that has no place (a command line) gets one without line. */
static int fail(const struct subst *s, const char *name, size_t len, const char *why)
{
	int shown = (int)(len < NAME_SHOWN ? len : NAME_SHOWN);

	return bk_doc_value_error(s->at, s->err, "${%.*s}: %s", shown, name, why);
}

static int lookup_known(const struct subst *s, const char *name, size_t len, const char *value,
			const char *why, bool tolerant, const char **ret)
{
	*ret = value;
	return value || tolerant ? 0 : fail(s, name, len, why);
}

static bool declared(const struct bockfile *b, const char *name)
{
	for (size_t i = 0; i < b->args.n; i++)
		if (bk_streq(b->args.items[i].name, name))
			return true;
	return false;
}

/* *ret is NULL for a name without value, which is an error unless tolerant. */
static int lookup(const struct subst *s, const char *text, size_t len, bool tolerant,
		  const char **ret)
{
	const struct bockfile_scope *scope = s->scope;
	bk_autofree char *name = bk_strndup(text, len);
	const char *rest;

	if (bk_skip_prefix(name, "git."))
		return bockfile_text_unsupported(s->at, s->err,
						 "${%.64s}: this version does not ask git", name);
	rest = bk_skip_prefix(name, "env.");
	if (rest && !scope->has_env)
		return fail(s, text, len, "a stage's environment is not known here");
	if (rest)
		return lookup_known(s, text, len, bk_env_get(scope->env, rest),
				    "not in the stage's environment", tolerant, ret);
	if (bk_streq(name, "metadata.name"))
		return lookup_known(s, text, len, scope->name, "not given, or not known here",
				    tolerant, ret);
	if (bk_streq(name, "metadata.version"))
		return lookup_known(s, text, len, scope->version, "not given, or not known here",
				    tolerant, ret);
	if (bk_streq(name, "timestamp"))
		return lookup_known(s, text, len, scope->timestamp, "not known here", tolerant,
				    ret);
	return lookup_known(s, text, len, bk_doc_pair_get(scope->args, scope->n_args, name),
			    declared(scope->bockfile, name) ? "the argument has no value"
							    : "unknown name",
			    tolerant, ret);
}

/* The end of the braces that were opened before s, or NULL. */
static const char *closing(const char *s, const char *end)
{
	unsigned int depth = 1;

	for (; s < end; s++) {
		if (s + 1 < end && s[0] == '$' && (s[1] == '{' || s[1] == '$')) {
			depth += s[1] == '{';
			s++;
		} else if (*s == '}' && --depth == 0) {
			return s;
		}
	}
	return NULL;
}

static size_t name_len(const char *s, const char *end)
{
	const char *p = s;

	if (p < end && !isalpha((unsigned char)*p) && *p != '_')
		return 0;
	while (p < end && (isalnum((unsigned char)*p) || *p == '_' || *p == '.'))
		p++;
	return (size_t)(p - s);
}

static int expand(const struct subst *s, const char *p, const char *end, unsigned int depth);

static int fail_message(const struct subst *s, const char *name, size_t len, const char *message,
			const char *end, unsigned int depth)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	struct subst inner = *s;
	int rc;

	inner.out = &text;
	rc = expand(&inner, message, end, depth + 1);
	return rc < 0 ? rc : fail(s, name, len, text.len > 0 ? bk_buf_str(&text) : "must be given");
}

/* What stands between the braces. */
static int expand_name(const struct subst *s, const char *p, const char *end, unsigned int depth)
{
	size_t len = name_len(p, end);
	const char *op = p + len;
	const char *value = NULL;
	bool has_default = end - op >= 2 && op[0] == ':' && op[1] == '-';
	bool has_message = end - op >= 2 && op[0] == ':' && op[1] == '?';
	int rc;

	if (len == 0 || (op < end && !has_default && !has_message))
		return fail(s, p, (size_t)(end - p),
			    "expected a name, NAME:-default or NAME:?message");
	rc = lookup(s, p, len, has_default || has_message, &value);
	if (rc < 0)
		return rc;
	if (value && (*value || (!has_default && !has_message))) {
		bk_buf_adds(s->out, value);
		return 0;
	}
	if (has_message)
		return fail_message(s, p, len, op + 2, end, depth);
	return expand(s, op + 2, end, depth + 1);
}

static int expand(const struct subst *s, const char *p, const char *end, unsigned int depth)
{
	int rc;

	if (depth > BOCKFILE_SUBST_DEPTH_MAX)
		return bk_doc_value_error(s->at, s->err,
					  "substitutions nested deeper than %d levels",
					  BOCKFILE_SUBST_DEPTH_MAX);
	while (p < end) {
		const char *close;

		if (*p != '$' || p + 1 == end || (p[1] != '$' && p[1] != '{')) {
			bk_buf_addc(s->out, *p++);
			continue;
		}
		if (p[1] == '$') {
			bk_buf_addc(s->out, '$');
			p += 2;
			continue;
		}
		p += 2;
		close = closing(p, end);
		if (!close)
			return bk_doc_value_error(s->at, s->err, "'${' without '}'");
		rc = expand_name(s, p, close, depth);
		if (rc < 0)
			return rc;
		p = close + 1;
	}
	return 0;
}

int bockfile_subst(const struct bockfile_scope *scope, const struct bockfile_text *text, char **ret,
		   struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	const struct subst s = { .scope = scope, .at = text->at, .out = &out, .err = err };
	int rc = expand(&s, text->text, text->text + strlen(text->text), 0);

	if (rc < 0)
		return rc;
	rc = bk_buf_check(&out, "the text with its names replaced", err);
	if (rc < 0)
		return bockfile_text_wrap(text->at, err, rc);
	*ret = out.len > 0 ? bk_buf_steal(&out) : bk_strdup("");
	return 0;
}

int bockfile_subst_list(const struct bockfile_scope *scope, const struct bockfile_list *list,
			char ***ret, struct bk_err **err)
{
	bk_autostrv char **v = NULL;

	for (size_t i = 0; i < list->n; i++) {
		char *item = NULL;
		int rc = bockfile_subst(scope, &list->items[i], &item, err);

		if (rc < 0)
			return rc;
		bk_strv_push(&v, item);
	}
	*ret = bk_steal_ptr(&v);
	return 0;
}
