/* SPDX-License-Identifier: Apache-2.0 */
/* How a registry is convinced: Basic, or a bearer token of its token server (distribution's auth/token.md, oauth.md). */
#include <stdlib.h>
#include <string.h>

#include "base/bk_clock.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_base64.h"
#include "codec/bk_json.h"
#include "registry/registry_header.h"
#include "registry/registry_priv.h"

#define CLIENT_ID	 "bock-image"
#define EXPIRES_DEFAULT	 60   /* seconds, where the server says nothing */
#define EXPIRES_MAX	 86400
#define EXPIRES_EARLY_MS 5000 /* so that a token is not too old when it arrives */

static void forget(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void registry_tokens_free_(struct registry *r)
{
	while (r->tokens) {
		struct registry_token *t = r->tokens;

		r->tokens = t->next;
		free(t->scope);
		forget(&t->token);
		free(t);
	}
}

int registry_credential_(struct registry *r, const char *repo, const struct credential **ret,
			 struct bk_err **err)
{
	const struct registry_opts *o = &r->client->opts;
	bk_autofree char *key = NULL;
	int rc = 0;

	if (o->credential) {
		r->found = true;
		*ret = o->credential;
		return 0;
	}
	if (!r->looked_up && o->creds) {
		key = bk_asprintf("%s%s%s", r->domain, repo ? "/" : "", repo ? repo : "");
		rc = creds_get(o->creds, key, &r->credential, &r->found, err);
		if (rc < 0)
			return rc;
		r->looked_up = true;
	}
	*ret = r->found ? &r->credential : NULL;
	return 0;
}

/* "repository:a:pull repository:b:pull"; heap, "" for none. */
static char *scope_text(const struct registry_scope *s)
{
	if (!s || !s->repo)
		return bk_strdup("");
	if (!s->from)
		return bk_asprintf("repository:%s:%s", s->repo, s->actions);
	return bk_asprintf("repository:%s:%s repository:%s:pull", s->repo, s->actions, s->from);
}

static char *basic(const struct credential *c)
{
	char *auth = credential_to_docker_auth(c);
	char *value = bk_asprintf("Basic %s", auth);

	forget(&auth);
	return value;
}

struct answer {
	char *token, *access_token;
	int64_t expires_in;
};
static const struct bk_doc_field answer_fields[] = {
	BK_DOC_STR_F(struct answer, token, "token", 0),
	BK_DOC_STR_F(struct answer, access_token, "access_token", 0),
	BK_DOC_NUM_F(struct answer, expires_in, "expires_in", BK_DOC_I64, 0),
	BK_DOC_END,
};
static const struct bk_doc_type answer_type = BK_DOC_TYPE(struct answer, answer_fields);

static void form_add(struct bk_buf *b, const char *name, const char *value)
{
	bk_autofree char *v = bk_url_escape(value);

	bk_buf_printf(b, "%s%s=%s", b->len ? "&" : "", name, v);
	explicit_bzero(v, strlen(v));
}

/* POST, for a refresh token (oauth.md). */
static int ask_by_post(struct registry *r, const struct bk_url *realm, const char *scope,
		       const char *refresh, struct bk_http_resp *ret, struct bk_err **err)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
					       NULL };
	struct bk_buf form = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_http_req req = {
		.method = "POST",
		.url = realm,
		.headers = (char *const *)(uintptr_t)headers,
		.max_body = REGISTRY_TOKEN_MAX,
	};
	int rc;

	form_add(&form, "grant_type", "refresh_token");
	form_add(&form, "refresh_token", refresh);
	form_add(&form, "service", r->service ? r->service : "");
	form_add(&form, "client_id", CLIENT_ID);
	if (*scope)
		form_add(&form, "scope", scope);
	req.body = bk_buf_str(&form);
	req.body_len = form.len;
	/* A form that went to another host would take the token there. */
	req.no_redirect = true;
	rc = bk_buf_check(&form, "the token request", err);
	if (rc == 0)
		rc = bk_http_do(r->client->http, &req, ret, err);
	explicit_bzero(form.data, form.cap);
	bk_buf_done(&form);
	return rc;
}

static int ask_by_get(struct registry *r, const struct bk_url *realm, const char *scope,
		      const struct credential *c, struct bk_http_resp *ret, struct bk_err **err)
{
	bk_autostrv char **scopes = bk_strv_split(scope, " ");
	bk_autourl struct bk_url url = BK_URL_INIT;
	char *authorization = c && c->username ? basic(c) : NULL;
	struct bk_http_req req = {
		.method = "GET",
		.url = &url,
		.authorization = authorization,
		.max_body = REGISTRY_TOKEN_MAX,
	};
	int rc;

	bk_url_copy(realm, &url);
	if (r->service)
		bk_url_query_add(&url, "service", r->service);
	for (char **s = scopes; s && *s; s++)
		bk_url_query_add(&url, "scope", *s);
	if (c && c->username)
		bk_url_query_add(&url, "account", c->username);
	rc = bk_http_do(r->client->http, &req, ret, err);
	forget(&authorization);
	return rc;
}

static int check_realm(const struct registry *r, struct bk_url *ret, struct bk_err **err)
{
	int rc = bk_url_parse(r->realm, ret, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "registry '%s': realm", r->domain);
	if (!ret->https && r->base.https)
		return bk_err_set(err, BK_ERR_PERMISSION, 0,
				  "registry '%s' wants credentials sent to %s in the clear",
				  r->domain, ret->host);
	return 0;
}

static int take_answer(struct registry *r, const char *scope, const struct bk_http_resp *resp,
		       struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct registry_token *t;
	struct answer a;
	const char *token;
	int rc = bk_json_decode(&answer_type, "token server's answer", bk_buf_str(&resp->body),
				resp->body.len, &bk_doc_limits_oci, arena, &a, err);

	if (rc < 0)
		return rc;
	token = a.token && *a.token ? a.token : a.access_token;
	if (!token || !*token || strpbrk(token, "\r\n"))
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "the token server gave no token");
	if (a.expires_in <= 0)
		a.expires_in = EXPIRES_DEFAULT;
	if (a.expires_in > EXPIRES_MAX)
		a.expires_in = EXPIRES_MAX;
	t = bk_calloc(1, sizeof(*t));
	t->scope = bk_strdup(scope);
	t->token = bk_strdup(token);
	t->expires = bk_clock_ms() + a.expires_in * 1000 - EXPIRES_EARLY_MS;
	t->next = r->tokens;
	r->tokens = t;
	return 0;
}

static int fetch_token(struct registry *r, const char *scope, const struct credential *c,
		       struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	bk_autourl struct bk_url realm = BK_URL_INIT;
	bk_autofree char *authority = NULL;
	bool post = c && c->identity_token;
	int rc = check_realm(r, &realm, err);

	if (rc < 0)
		return rc;
	authority = bk_url_authority(&realm);
	if (!bk_map_has(r->client->tls, authority))
		registry_tls_add_(r->client, authority, true, r->client->opts.insecure);
	if (post) {
		rc = ask_by_post(r, &realm, scope, c->identity_token, &resp, err);
		if (rc == 0 && (resp.status == 404 || resp.status == 405)) {
			bk_http_resp_done(&resp);
			post = false;
		}
	}
	if (rc == 0 && !post)
		rc = ask_by_get(r, &realm, scope, c, &resp, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "get a token");
	if (resp.status != 200) {
		rc = bk_err_wrap(err, registry_failed(&resp, err), "get a token from %s",
				 authority);
		return c ? rc : bk_err_hint(err, rc, "bock-image login %s", r->domain);
	}
	return take_answer(r, scope, &resp, err);
}

static const char *cached(struct registry *r, const char *scope)
{
	for (const struct registry_token *t = r->tokens; t; t = t->next)
		if (bk_streq(t->scope, scope) && t->expires > bk_clock_ms())
			return t->token;
	return NULL;
}

int registry_authorization_(struct registry *r, const struct registry_scope *scope, char **ret,
			    struct bk_err **err)
{
	bk_autofree char *text = scope_text(scope);
	const struct credential *c = NULL;
	const char *token;
	int rc;

	*ret = NULL;
	if (r->scheme == REGISTRY_OPEN)
		return 0;
	rc = registry_credential_(r, scope ? scope->repo : NULL, &c, err);
	if (rc < 0)
		return rc;
	if (c && c->registry_token) {
		*ret = bk_asprintf("Bearer %s", c->registry_token);
		return 0;
	}
	if (r->scheme == REGISTRY_BASIC) {
		if (c && c->username)
			*ret = basic(c);
		return 0;
	}
	token = cached(r, text);
	if (!token) {
		rc = fetch_token(r, text, c, err);
		if (rc < 0)
			return rc;
		token = r->tokens->token;
	}
	*ret = bk_asprintf("Bearer %s", token);
	return 0;
}

static const struct registry_challenge *find(const struct registry_challenge *c, size_t n,
					     const char *scheme)
{
	for (size_t i = 0; i < n; i++)
		if (bk_streq(c[i].scheme, scheme))
			return &c[i];
	return NULL;
}

static void drop_token(struct registry *r, const char *scope)
{
	for (struct registry_token **p = &r->tokens; *p;) {
		struct registry_token *t = *p;

		if (!bk_streq(t->scope, scope)) {
			p = &t->next;
			continue;
		}
		*p = t->next;
		free(t->scope);
		forget(&t->token);
		free(t);
	}
}

static void replace(char **s, const char *value)
{
	free(*s);
	*s = value ? bk_strdup(value) : NULL;
}

static int refused(struct registry *r, const struct bk_http_resp *resp, struct bk_err **err)
{
	bk_autofree char *shown = bk_url_shown(&resp->url);
	int rc = bk_err_wrap(err, registry_failed(resp, err), "%s", shown);

	return r->found ? rc : bk_err_hint(err, rc, "bock-image login %s", r->domain);
}

int registry_challenged_(struct registry *r, const struct registry_scope *scope,
			 const struct bk_http_resp *resp, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autofree char *text = scope_text(scope);
	struct registry_challenge *challenges = NULL;
	const struct registry_challenge *bearer, *basic_one;
	const struct credential *c = NULL;
	const char *realm;
	size_t n = 0;
	int rc = 0;

	for (char **h = resp->headers; rc == 0 && h && *h; h++) {
		const char *value = bk_skip_prefix(*h, "www-authenticate:");

		if (value)
			rc = registry_challenge_parse(value, arena, &challenges, &n, err);
	}
	if (rc == 0)
		rc = registry_credential_(r, scope ? scope->repo : NULL, &c, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "registry '%s'", r->domain);
	bearer = find(challenges, n, "bearer");
	basic_one = find(challenges, n, "basic");
	realm = bearer ? registry_challenge_get(bearer, "realm") : NULL;
	if (realm && !(c && c->registry_token && r->scheme == REGISTRY_BEARER)) {
		r->scheme = REGISTRY_BEARER;
		replace(&r->realm, realm);
		replace(&r->service, registry_challenge_get(bearer, "service"));
		drop_token(r, text);
		return 0;
	}
	if (basic_one && r->scheme != REGISTRY_BASIC && c && (c->username || c->registry_token)) {
		r->scheme = REGISTRY_BASIC;
		return 0;
	}
	return refused(r, resp, err);
}
