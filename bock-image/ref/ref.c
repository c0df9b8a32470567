/* SPDX-License-Identifier: Apache-2.0 */
#include "ref/ref.h"

#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* One component of a path: alphanumerics, parted by one '.', one or two '_', or any number of '-'. */
static bool component_ok(const char *s, size_t len)
{
	size_t i = 0;

	if (len == 0)
		return false;
	for (;;) {
		size_t start = i;

		while (i < len && is_lower_alnum(s[i]))
			i++;
		if (i == start)
			return false;
		if (i == len)
			return true;
		if (s[i] == '-') {
			while (i < len && s[i] == '-')
				i++;
		} else if (s[i] == '_' && i + 1 < len && s[i + 1] == '_') {
			i += 2;
		} else if (s[i] == '_' || s[i] == '.') {
			i++;
		} else {
			return false;
		}
	}
}

static bool path_ok(const char *s, size_t len)
{
	while (len > 0) {
		const char *slash = memchr(s, '/', len);
		size_t part = slash ? (size_t)(slash - s) : len;

		if (!component_ok(s, part))
			return false;
		if (!slash)
			return true;
		s += part + 1;
		len -= part + 1;
	}
	return false;
}

/* "[::1]": what stands between the brackets is hex digits and colons. Returns its length or 0. */
static size_t ipv6_len(const char *s, size_t len)
{
	size_t n = 1;

	while (n < len && strchr("0123456789abcdefABCDEF:", s[n]))
		n++;
	return n > 2 && n < len && s[n] == ']' ? n + 1 : 0;
}

/* A host name or address, and perhaps a port. */
static bool domain_ok(const char *s, size_t len)
{
	size_t i = 0;

	if (len > 0 && s[0] == '[') {
		i = ipv6_len(s, len);
		if (i == 0)
			return false;
	} else {
		for (;;) {
			size_t start = i;

			while (i < len && (is_alnum(s[i]) || s[i] == '-'))
				i++;
			if (i == start || s[start] == '-' || s[i - 1] == '-')
				return false;
			if (i == len || s[i] != '.')
				break;
			i++;
		}
	}
	if (i == len)
		return true;
	if (s[i++] != ':' || i == len || len - i > 5)
		return false;
	for (; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static bool tag_ok(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > REF_TAG_MAX || !(is_alnum(s[0]) || s[0] == '_'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(s[i]) && !strchr("_.-", s[i]))
			return false;
	return true;
}

/* What is before the first '/' is a registry if it can't be a folder of Docker Hub. */
static size_t domain_len(const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	size_t n = slash ? (size_t)(slash - s) : 0;

	if (!slash)
		return 0;
	if (n == strlen("localhost") && strncmp(s, "localhost", n) == 0)
		return n;
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || (s[i] >= 'A' && s[i] <= 'Z'))
			return n;
	return 0;
}

static int bad(const char *text, const char *why, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "image name '%.*s': %s", REF_MAX, text, why);
}

/* Fills domain and path from the name, which is what remains without tag and digest. */
static int parse_name(const char *text, size_t len, struct ref *r, struct bk_err **err)
{
	size_t domain = domain_len(text, len);
	const char *path = domain ? text + domain + 1 : text;
	size_t path_len = len - (size_t)(path - text);

	if (len == 0)
		return bad(text, "it has no name", err);
	if (domain && !domain_ok(text, domain))
		return bad(text, "what stands before the first '/' is no registry", err);
	if (!path_ok(path, path_len))
		return bad(
			text,
			"a name is lower-case letters and digits, parted by '.', '_', '__', '-' or '/'",
			err);
	r->domain = domain ? bk_strndup(text, domain) : bk_strdup(REF_DEFAULT_DOMAIN);
	if (bk_streq(r->domain, "index.docker.io")) {
		free(r->domain);
		r->domain = bk_strdup(REF_DEFAULT_DOMAIN);
	}
	if (bk_streq(r->domain, REF_DEFAULT_DOMAIN) && !memchr(path, '/', path_len))
		r->path = bk_asprintf("library/%.*s", (int)path_len, path);
	else
		r->path = bk_strndup(path, path_len);
	if (strlen(r->domain) + 1 + strlen(r->path) > REF_NAME_MAX)
		return bad(text, "it is longer than 255 bytes", err);
	return 0;
}

int ref_parse(const char *text, struct ref *ret, struct bk_err **err)
{
	bk_autoref struct ref r = REF_INIT;
	bk_autofree char *copy = NULL;
	char *at, *colon;
	int rc;

	if (strlen(text) > REF_MAX)
		return bad(text, "it is too long", err);
	copy = bk_strdup(text);
	at = strchr(copy, '@');
	if (at) {
		*at = '\0';
		rc = bk_digest_parse(at + 1, NULL, NULL, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "image name '%s'", text);
		r.digest = bk_strdup(at + 1);
	}
	colon = strrchr(copy, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		if (!tag_ok(colon + 1))
			return bad(
				text,
				"a tag is at most 128 letters, digits, '_', '.' and '-', and begins with none of the last two",
				err);
		r.tag = bk_strdup(colon + 1);
	}
	rc = parse_name(copy, strlen(copy), &r, err);
	if (rc < 0)
		return rc;
	if (!r.tag && !r.digest)
		r.tag = bk_strdup(REF_DEFAULT_TAG);
	*ret = r;
	r = (struct ref)REF_INIT;
	return 0;
}

void ref_done(struct ref *r)
{
	free(r->domain);
	free(r->path);
	free(r->tag);
	free(r->digest);
	*r = (struct ref)REF_INIT;
}

char *ref_text(const struct ref *r)
{
	return bk_asprintf("%s/%s%s%s%s%s", r->domain, r->path, r->tag ? ":" : "",
			   r->tag ? r->tag : "", r->digest ? "@" : "", r->digest ? r->digest : "");
}

int ref_check(const char *text, struct bk_err **err)
{
	size_t len = strlen(text);

	if (len == 0)
		return bad(text, "it is empty", err);
	if (len > REF_MAX)
		return bad(text, "it is too long", err);
	if (!is_alnum(text[0]) && text[0] != '_' && text[0] != '[')
		return bad(text, "it begins with neither a letter nor a digit", err);
	if (text[len - 1] == '/' || text[len - 1] == ':' || text[len - 1] == '@')
		return bad(text, "something is missing at its end", err);
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(text[i]) && !strchr("-._:@+/[]", text[i]))
			return bad(text, "it has characters that no name has", err);
		if (text[i] == '/' && text[i + 1] == '/')
			return bad(text, "a part of it is empty", err);
	}
	return 0;
}

char *ref_canonical(const char *text)
{
	bk_autoref struct ref r = REF_INIT;

	if (ref_parse(text, &r, NULL) < 0)
		return bk_strdup(text);
	return ref_text(&r);
}

bool ref_same(const char *a, const char *b)
{
	bk_autofree char *ca = NULL;
	bk_autofree char *cb = NULL;

	if (bk_streq(a, b))
		return true;
	ca = ref_canonical(a);
	cb = ref_canonical(b);
	return bk_streq(ca, cb);
}
