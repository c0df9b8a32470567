/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/bk_num.h"
#include "base/bk_str.h"

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *spaces(const char *s)
{
	return s + strspn(s, " \t");
}

static size_t token_len(const char *s)
{
	size_t n = 0;

	while (is_token(s[n]))
		n++;
	return n;
}

static char *lower(struct bk_arena *arena, const char *s, size_t len)
{
	char *copy = bk_arena_strndup(arena, s, len);

	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

/* A quoted string at *s, which is moved behind it; NULL: it has no end. */
static char *quoted(const char **s, struct bk_arena *arena)
{
	char *out = bk_arena_alloc(arena, strlen(*s) + 1);
	const char *p = *s + 1;
	size_t n = 0;

	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		out[n++] = *p;
	}
	if (*p != '"')
		return NULL;
	*s = p + 1;
	return out;
}

static int bad(const char *why, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_REGISTRY, 0, "WWW-Authenticate: %s", why);
}

/* name=value at *s: 1 taken, 0 there is none there. */
static int param(const char **s, struct bk_arena *arena, struct registry_challenge *c,
		 struct bk_err **err)
{
	size_t len = token_len(*s);
	const char *p = spaces(*s + len);
	struct registry_param *out;
	char *value;

	/* "=" alone, or "==", ends a token68 */
	if (len == 0 || *p != '=' || p[1] == '=' || p[1] == '\0' || p[1] == ',')
		return 0;
	p = spaces(p + 1);
	if (*p == '"') {
		value = quoted(&p, arena);
		if (!value)
			return bad("a quoted string has no end", err);
	} else {
		size_t n = token_len(p);

		/* servers leave quotes out where they should not */
		while (p[n] && !strchr(" \t,\"", p[n]))
			n++;
		value = bk_arena_strndup(arena, p, n);
		p += n;
	}
	if (c->n >= REGISTRY_PARAMS_MAX)
		return bad("too many parameters", err);
	c->params = bk_arena_grow(arena, c->params, c->n, sizeof(*c->params));
	out = &c->params[c->n++];
	out->name = lower(arena, *s, len);
	out->value = value;
	*s = p;
	return 1;
}

/* What stands behind a scheme: parameters parted by commas, or one token68. */
static int params(const char **s, struct bk_arena *arena, struct registry_challenge *c,
		  struct bk_err **err)
{
	const char *p = spaces(*s);
	int rc = param(&p, arena, c, err);
	size_t len;

	if (rc < 0)
		return rc;
	if (rc == 0) {
		len = token_len(p);
		len += strspn(p + len, "/=");
		/* A scheme alone is followed by a comma or the end. */
		if (len > 0 && (p[len] == '\0' || p[len] == ',') && p > *s) {
			c->token68 = bk_arena_strndup(arena, p, len);
			p += len;
		}
		*s = p;
		return 0;
	}
	for (;;) {
		const char *q = spaces(p);

		while (*q == ',')
			q = spaces(q + 1);
		*s = p;
		if (q == spaces(p))
			return 0;
		rc = param(&q, arena, c, err);
		if (rc <= 0)
			return rc;
		p = q;
	}
}

int registry_challenge_parse(const char *value, struct bk_arena *arena,
			     struct registry_challenge **challenges, size_t *n, struct bk_err **err)
{
	const char *s = value;

	if (strnlen(value, REGISTRY_HEADER_MAX + 1) > REGISTRY_HEADER_MAX)
		return bad("it is too long", err);
	for (;;) {
		struct registry_challenge *c;
		size_t len;
		int rc;

		s = spaces(s);
		while (*s == ',')
			s = spaces(s + 1);
		if (!*s)
			return 0;
		len = token_len(s);
		if (len == 0)
			return bad("it has not the form of a challenge", err);
		if (*n >= REGISTRY_CHALLENGES_MAX)
			return bad("too many challenges", err);
		*challenges = bk_arena_grow(arena, *challenges, *n, sizeof(**challenges));
		c = &(*challenges)[(*n)++];
		c->scheme = lower(arena, s, len);
		s += len;
		rc = params(&s, arena, c, err);
		if (rc < 0)
			return rc;
		if (*spaces(s) && *spaces(s) != ',')
			return bad("it has not the form of a challenge", err);
	}
}

const char *registry_challenge_get(const struct registry_challenge *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (bk_streq(c->params[i].name, name))
			return c->params[i].value;
	return NULL;
}

/* Whether a link's parameters, up to its end, say that it is the next page; *s is moved there. */
static bool is_next(const char **s)
{
	bool next = false;
	const char *p = *s;

	while (*p && *p != ',') {
		const char *value;
		size_t len, name;

		p = spaces(p + (*p == ';'));
		name = token_len(p);
		value = spaces(p + name);
		if (*value != '=') {
			p = value + (*value && *value != ',' && *value != ';');
			continue;
		}
		value = spaces(value + 1);
		if (*value == '"') {
			len = strcspn(value + 1, "\"");
			next |= name == 3 && strncasecmp(p, "rel", 3) == 0 && len == 4 &&
				strncasecmp(value + 1, "next", 4) == 0;
			p = value + 1 + len + (value[1 + len] == '"');
		} else {
			len = strcspn(value, ";, \t");
			next |= name == 3 && strncasecmp(p, "rel", 3) == 0 && len == 4 &&
				strncasecmp(value, "next", 4) == 0;
			p = value + len;
		}
		p = spaces(p);
	}
	*s = p;
	return next;
}

char *registry_link_next(const char *value)
{
	const char *s = value;

	if (strnlen(value, REGISTRY_HEADER_MAX + 1) > REGISTRY_HEADER_MAX)
		return NULL;
	for (;;) {
		const char *target;
		size_t len;

		s += strspn(s, " \t,");
		if (*s != '<')
			return NULL;
		target = s + 1;
		len = strcspn(target, ">");
		if (target[len] != '>')
			return NULL;
		s = target + len + 1;
		if (is_next(&s))
			return bk_strndup(target, len);
	}
}

/* Digits at *s, which is moved behind them. */
static bool number(const char **s, int64_t *ret)
{
	size_t len = strspn(*s, "0123456789");
	bk_autofree char *text = bk_strndup(*s, len);

	if (bk_num_i64(text, 0, INT64_MAX, ret, NULL) < 0)
		return false;
	*s += len;
	return true;
}

bool registry_content_range(const char *value, int64_t *ret_first, int64_t *ret_last,
			    int64_t *ret_size)
{
	const char *s = strncasecmp(value, "bytes", 5) == 0 ? spaces(value + 5) : "";

	if (!number(&s, ret_first) || *s++ != '-' || !number(&s, ret_last) || *s++ != '/')
		return false;
	if (*s == '*') {
		*ret_size = -1;
		s++;
	} else if (!number(&s, ret_size)) {
		return false;
	}
	return *spaces(s) == '\0' && *ret_first <= *ret_last;
}

bool registry_upload_range(const char *value, int64_t *ret_last)
{
	const char *s = strncasecmp(value, "bytes=", 6) == 0 ? value + 6 : value;
	int64_t first;

	return number(&s, &first) && first == 0 && *s++ == '-' && number(&s, ret_last) &&
	       *spaces(s) == '\0';
}
