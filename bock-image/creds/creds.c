/* SPDX-License-Identifier: Apache-2.0 */
#include "creds/creds.h"

#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_base64.h"
#include "creds/creds_priv.h"

void creds_forget_(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void credential_done(struct credential *c)
{
	creds_forget_(&c->username);
	creds_forget_(&c->password);
	creds_forget_(&c->identity_token);
	creds_forget_(&c->registry_token);
	creds_forget_(&c->email);
}

char *credential_to_docker_auth(const struct credential *c)
{
	char *plain = bk_asprintf("%s:%s", c->username ? c->username : "",
				  c->password ? c->password : "");
	char *text = bk_base64_encode(plain, strlen(plain));

	creds_forget_(&plain);
	return text;
}

int credential_from_docker_auth(const char *auth, struct credential *ret, struct bk_err **err)
{
	unsigned char *plain = NULL;
	size_t len = 0;
	const char *colon;
	int rc = 0;

	if (bk_base64_decode(auth, strlen(auth), &plain, &len, NULL) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "auth: not base64");
	while (len > 0 && plain[len - 1] == '\0')
		len--;
	colon = memchr(plain, ':', len);
	if (!colon || memchr(plain, '\0', len)) {
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "auth: not base64 of USER:PASSWORD");
	} else {
		size_t user = (size_t)(colon - (const char *)plain);

		ret->username = bk_strndup((const char *)plain, user);
		ret->password = bk_strndup(colon + 1, len - user - 1);
	}
	explicit_bzero(plain, len);
	free(plain);
	return rc;
}

static bool is_hub(const char *host, size_t len)
{
	static const char *const names[] = { "docker.io", "index.docker.io",
					     "registry-1.docker.io" };

	for (size_t i = 0; i < BK_ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], host, len) == 0)
			return true;
	return false;
}

char *creds_key(const char *text)
{
	const char *s = text;
	size_t len, host;
	bool scheme = true;

	if (strncasecmp(s, "https://", 8) == 0)
		s += 8;
	else if (strncasecmp(s, "http://", 7) == 0)
		s += 7;
	else
		scheme = false;
	len = strlen(s);
	host = strcspn(s, "/");
	/* The path of a URL names a version of the API, that of a plain key repositories. */
	if (scheme || bk_streq(s + host, "/v1/") || bk_streq(s + host, "/v2/"))
		len = host;
	while (len > 0 && s[len - 1] == '/')
		len--;
	if (is_hub(s, host))
		return bk_asprintf(CREDS_HUB "%.*s", (int)(len > host ? len - host : 0), s + host);
	return bk_strndup(s, len);
}

bool creds_key_parent_(char *key)
{
	char *slash = strrchr(key, '/');

	if (slash)
		*slash = '\0';
	return slash != NULL;
}

const char *creds_server_(const char *key)
{
	return bk_streq(key, CREDS_HUB) ? CREDS_HUB_URL : key;
}

static int check_key(const char *key, struct bk_err **err)
{
	size_t len = strnlen(key, CREDS_KEY_MAX + 1);

	if (len == 0 || len > CREDS_KEY_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "a registry's name of more than 0 and at most %d bytes is expected",
				  CREDS_KEY_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)key[i] <= ' ' || key[i] == 0x7f)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "a registry's name has no white space or control characters");
	return 0;
}

int creds_get(struct creds *s, const char *key, struct credential *ret, bool *ret_found,
	      struct bk_err **err)
{
	bk_autofree char *k = NULL;
	bool found = false;
	int rc = check_key(key, err);

	if (rc < 0)
		return rc;
	k = creds_key(key);
	rc = s->ops->get(s, k, ret, &found, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "credentials for '%s'", k);
	*ret_found = found;
	return 0;
}

static int cannot(const struct creds *s, const char *what, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "credentials in the %s can't be %s",
			  s->ops->name, what);
}

int creds_store(struct creds *s, const char *key, const struct credential *c, struct bk_err **err)
{
	bk_autofree char *k = NULL;
	int rc = s->ops->store ? check_key(key, err) : cannot(s, "stored", err);

	if (rc < 0)
		return rc;
	k = creds_key(key);
	return s->ops->store(s, k, c, err);
}

int creds_erase(struct creds *s, const char *key, bool *ret_found, struct bk_err **err)
{
	bk_autofree char *k = NULL;
	int rc = s->ops->erase ? check_key(key, err) : cannot(s, "removed", err);

	if (rc < 0)
		return rc;
	k = creds_key(key);
	return s->ops->erase(s, k, ret_found, err);
}

int creds_list(struct creds *s, char ***ret, struct bk_err **err)
{
	return s->ops->list(s, ret, err);
}

int creds_clear(struct creds *s, struct bk_err **err)
{
	return s->ops->clear ? s->ops->clear(s, err) : cannot(s, "removed", err);
}

const char *creds_name(const struct creds *s)
{
	return s->ops->name;
}

void creds_free(struct creds *s)
{
	if (s)
		s->ops->release(s);
}
