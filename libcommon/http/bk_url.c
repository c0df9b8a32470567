/* SPDX-License-Identifier: Apache-2.0 */
#include "http/bk_url.h"

#include <stdlib.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_path.h"
#include "base/bk_str.h"

#define HOST_MAX 255

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Characters of a path (or of a query, which may have '?' too) and whole %XX. */
static bool chars_ok(const char *s, size_t len, bool query)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%') {
			if (i + 2 >= len || !is_hex(s[i + 1]) || !is_hex(s[i + 2]))
				return false;
			i += 2;
			continue;
		}
		if (s[i] == '\0' ||
		    (!is_alnum(s[i]) && !strchr("-._~!$&'()*+,;=:@/", s[i]) &&
		     !(query && strchr("?|[]{}\"<>^`\\", s[i]))))
			return false;
	}
	return true;
}

static bool host_ok(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > HOST_MAX)
		return false;
	if (s[0] == '[') {
		if (len < 4 || s[len - 1] != ']')
			return false;
		for (i = 1; i < len - 1; i++)
			if (!is_hex(s[i]) && s[i] != ':' && s[i] != '.')
				return false;
		return true;
	}
	for (i = 0; i < len; i++)
		if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '.' && s[i] != '_')
			return false;
	return s[0] != '.' && s[0] != '-';
}

static int bad(const char *text, const char *why, struct bk_err **err)
{
	size_t len = strcspn(text, "?#");

	/* What stands before an '@' may be a password. */
	if (memchr(text, '@', len))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "URL with a user name: %s", why);
	return bk_err_set(err, BK_ERR_CONFIG, 0, "URL '%.*s': %s", len > 200 ? 200 : (int)len, text,
			  why);
}

static int parse_authority(const char *text, const char *s, size_t len, struct bk_url *u,
			   struct bk_err **err)
{
	bk_autofree char *port = NULL;
	const char *colon = NULL;
	size_t host = len;
	uint32_t n;

	if (memchr(s, '@', len))
		return bad(text, "user names and passwords are not taken there", err);
	for (size_t i = len; i > 0 && s[i - 1] != ']'; i--) {
		if (s[i - 1] == ':') {
			colon = s + i - 1;
			host = (size_t)(colon - s);
			break;
		}
	}
	if (!host_ok(s, host))
		return bad(text, "that is no host", err);
	u->port = u->https ? 443 : 80;
	if (colon && host + 1 < len) {
		port = bk_strndup(colon + 1, len - host - 1);
		if (bk_num_u32(port, UINT16_MAX, &n, NULL) < 0 || n == 0)
			return bad(text, "that is no port", err);
		u->port = (uint16_t)n;
	}
	u->host = bk_strndup(s, host);
	for (char *p = u->host; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return 0;
}

/* Path and query, "" is "/". */
static int parse_rest(const char *text, const char *s, struct bk_url *u, struct bk_err **err)
{
	size_t path = strcspn(s, "?#");
	const char *query = s[path] == '?' ? s + path + 1 : NULL;
	size_t query_len = query ? strcspn(query, "#") : 0;

	if (!chars_ok(s, path, false) || (path > 0 && s[0] != '/'))
		return bad(text, "its path has characters that a URL can't have", err);
	if (query && !chars_ok(query, query_len, true))
		return bad(text, "its query has characters that a URL can't have", err);
	u->path = path ? bk_strndup(s, path) : bk_strdup("/");
	u->query = query ? bk_strndup(query, query_len) : NULL;
	return 0;
}

int bk_url_parse(const char *text, struct bk_url *ret, struct bk_err **err)
{
	bk_autourl struct bk_url u = BK_URL_INIT;
	const char *s;
	int rc;

	if (strnlen(text, BK_URL_MAX + 1) > BK_URL_MAX)
		return bad(text, "it is too long", err);
	if (strncasecmp(text, "https://", strlen("https://")) == 0)
		u.https = true;
	else if (strncasecmp(text, "http://", strlen("http://")) != 0)
		return bad(text, "it is neither https:// nor http://", err);
	s = strchr(text, '/') + 2;
	rc = parse_authority(text, s, strcspn(s, "/?#"), &u, err);
	if (rc == 0)
		rc = parse_rest(text, s + strcspn(s, "/?#"), &u, err);
	if (rc < 0)
		return rc;
	*ret = u;
	u = (struct bk_url)BK_URL_INIT;
	return 0;
}

/* RFC 3986 5.2.4: "." and ".." go; a folder keeps its slash. */
static char *remove_dots(const char *path)
{
	bool last = bk_has_suffix(path, "/.") || bk_has_suffix(path, "/..");
	bool folder = last || bk_has_suffix(path, "/");
	bk_autofree char *clean = NULL;

	if (!last && !strstr(path, "/./") && !strstr(path, "/../"))
		return bk_strdup(path);
	clean = bk_path_clean(path);
	return folder && !bk_streq(clean, "/") ? bk_asprintf("%s/", clean) : bk_steal_ptr(&clean);
}

int bk_url_resolve(const struct bk_url *base, const char *text, struct bk_url *ret,
		   struct bk_err **err)
{
	bk_autofree char *joined = NULL;
	bk_autourl struct bk_url u = { .https = base->https, .port = base->port };
	const char *slash = strrchr(base->path, '/');
	char *path;
	int rc;

	if (strnlen(text, BK_URL_MAX + 1) > BK_URL_MAX)
		return bad(text, "it is too long", err);
	if (strstr(text, "://") && strcspn(text, "/?#") == strcspn(text, ":") + 1)
		return bk_url_parse(text, ret, err);
	if (text[0] == '/' && text[1] == '/') {
		joined = bk_asprintf("http%s:%s", base->https ? "s" : "", text);
		return bk_url_parse(joined, ret, err);
	}
	if (text[0] == '/')
		joined = bk_strdup(text);
	else if (text[0] == '?' || text[0] == '\0' || text[0] == '#')
		joined = bk_asprintf("%s%s", base->path, text);
	else
		joined = bk_asprintf("%.*s/%s", (int)(slash - base->path), base->path, text);
	rc = parse_rest(joined, joined, &u, err);
	if (rc < 0)
		return rc;
	path = remove_dots(u.path);
	free(u.path);
	u.path = path;
	u.host = bk_strdup(base->host);
	*ret = u;
	u = (struct bk_url)BK_URL_INIT;
	return 0;
}

void bk_url_done(struct bk_url *u)
{
	free(u->host);
	free(u->path);
	free(u->query);
	*u = (struct bk_url)BK_URL_INIT;
}

void bk_url_copy(const struct bk_url *u, struct bk_url *ret)
{
	*ret = (struct bk_url){
		.https = u->https,
		.host = bk_strdup(u->host),
		.port = u->port,
		.path = bk_strdup(u->path),
		.query = u->query ? bk_strdup(u->query) : NULL,
	};
}

char *bk_url_authority(const struct bk_url *u)
{
	if (u->port == (u->https ? 443 : 80))
		return bk_strdup(u->host);
	return bk_asprintf("%s:%u", u->host, u->port);
}

char *bk_url_shown(const struct bk_url *u)
{
	bk_autofree char *authority = bk_url_authority(u);

	return bk_asprintf("http%s://%s%s", u->https ? "s" : "", authority, u->path);
}

char *bk_url_text(const struct bk_url *u)
{
	bk_autofree char *shown = bk_url_shown(u);

	return bk_asprintf("%s%s%s", shown, u->query ? "?" : "", u->query ? u->query : "");
}

bool bk_url_same_origin(const struct bk_url *a, const struct bk_url *b)
{
	return a->https == b->https && a->port == b->port && bk_streq(a->host, b->host);
}

char *bk_url_escape(const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = bk_malloc(strlen(s) * 3 + 1);
	char *p = out;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (is_alnum(*s) || strchr("-._~", *s)) {
			*p++ = *s;
			continue;
		}
		*p++ = '%';
		*p++ = hex[c >> 4];
		*p++ = hex[c & 15];
	}
	*p = '\0';
	return out;
}

void bk_url_query_add(struct bk_url *u, const char *name, const char *value)
{
	bk_autofree char *n = bk_url_escape(name);
	bk_autofree char *v = bk_url_escape(value);
	char *query = bk_asprintf("%s%s%s=%s", u->query ? u->query : "",
				  u->query && *u->query ? "&" : "", n, v);

	free(u->query);
	u->query = query;
}
