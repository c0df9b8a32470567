/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "registry/registry_priv.h"

#define HUB	 "docker.io"
#define HUB_HOST "registry-1.docker.io"
#define MESSAGE_MAX 300 /* bytes of a registry's words in an error */
#define CHALLENGES_MAX 2
#define PAUSE_MS	500
#define PAUSE_MAX_MS	15000

static void show_notice(void *ctx, const char *text)
{
	const struct registry_client *c = ctx;

	if (c->opts.notice)
		c->opts.notice(c->opts.ctx, text);
}

static bool is_stopped(void *ctx)
{
	const struct registry_client *c = ctx;

	return !c->unstopped && c->opts.stopped && c->opts.stopped(c->opts.ctx);
}

void registry_unstop(struct registry *r)
{
	r->client->unstopped = true;
}

int registry_client_new(const struct registry_opts *opts, struct registry_client **ret,
			struct bk_err **err)
{
	bk_autoregistryclient struct registry_client *c = bk_calloc(1, sizeof(*c));
	const struct bk_http_opts ho = {
		.user_agent = "bock-image/" PACKAGE_VERSION,
		.stall_ms = opts->stall_ms,
		.retries = opts->retries,
		.tls_for = registry_tls_for_,
		.notice = show_notice,
		.stopped = opts->stopped ? is_stopped : NULL,
		.ctx = c,
	};
	int rc;

	c->opts = *opts;
	c->tls = bk_map_new(registry_tls_free_);
	c->warned = bk_map_new(NULL);
	rc = bk_http_new(&ho, &c->http, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&c);
	return 0;
}

static void registry_free(struct registry *r)
{
	registry_tokens_free_(r);
	credential_done(&r->credential);
	bk_url_done(&r->base);
	free(r->domain);
	free(r->host);
	free(r->realm);
	free(r->service);
	free(r);
}

void registry_client_free(struct registry_client *c)
{
	if (!c)
		return;
	bk_http_free(c->http);
	while (c->registries) {
		struct registry *r = c->registries;

		c->registries = r->next;
		registry_free(r);
	}
	bk_map_free(c->tls);
	bk_map_free(c->warned);
	free(c);
}

struct bk_http *registry_http(const struct registry *r)
{
	return r->client->http;
}

bool registry_refuses_foreign(const struct registry *r)
{
	return r->client->opts.refuse_foreign;
}

unsigned int registry_retries(const struct registry *r)
{
	uint32_t n = r->client->opts.retries;

	if (n == 0)
		return BK_HTTP_RETRIES;
	return n == UINT32_MAX ? 0 : n;
}

int64_t registry_pause_ms(unsigned int failures)
{
	int64_t ms = PAUSE_MS;

	while (failures-- > 1 && ms < PAUSE_MAX_MS)
		ms *= 2;
	return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

static bool is_loopback(const char *host)
{
	return bk_streq(host, "localhost") || bk_streq(host, "[::1]") ||
	       (bk_skip_prefix(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

/* A loopback registry that can't do TLS is asked in the clear, where nobody listens, and one that may be insecure. */
static void probe_tls(struct registry *r)
{
	struct bk_http_req req = { .method = "GET", .url = &r->base, .max_body = REGISTRY_ERROR_MAX };
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	bk_autourl struct bk_url url = BK_URL_INIT;
	struct bk_err *why = NULL;

	if (registry_url(r, "/v2/", &url, NULL) < 0)
		return;
	req.url = &url;
	if (bk_http_do(r->client->http, &req, &resp, &why) < 0 && bk_err_errno(why) == EPROTO)
		r->base.https = false;
	bk_err_clear(&why);
}

int registry_open_endpoint(struct registry_client *c, const char *domain, bool insecure,
			   struct registry **ret, struct bk_err **err)
{
	bk_autofree char *url = NULL;
	bk_autofree char *authority = NULL;
	struct registry *r;
	int rc;

	for (r = c->registries; r; r = r->next) {
		if (bk_streq(r->domain, domain)) {
			*ret = r;
			return 0;
		}
	}
	r = bk_calloc(1, sizeof(*r));
	r->client = c;
	r->domain = bk_strdup(domain);
	r->host = bk_strdup(bk_streq(domain, HUB) ? HUB_HOST : domain);
	url = bk_asprintf("http%s://%s/", c->opts.plain_http ? "" : "s", r->host);
	rc = bk_url_parse(url, &r->base, err);
	if (rc < 0) {
		registry_free(r);
		return bk_err_wrap(err, rc, "registry '%s'", domain);
	}
	authority = bk_url_authority(&r->base);
	registry_tls_add_(c, authority, true, insecure || c->opts.insecure);
	r->next = c->registries;
	c->registries = r;
	if (r->base.https && (insecure || is_loopback(r->base.host)))
		probe_tls(r);
	*ret = r;
	return 0;
}

int registry_open(struct registry_client *c, const char *domain, struct registry **ret,
		  struct bk_err **err)
{
	return registry_open_endpoint(c, domain, false, ret, err);
}

const char *registry_domain(const struct registry *r)
{
	return r->domain;
}

int registry_url(const struct registry *r, const char *path, struct bk_url *ret, struct bk_err **err)
{
	return bk_url_resolve(&r->base, path, ret, err);
}

/* ---- what a registry says ------------------------------------------------------------------------ */

struct said {
	char *code, *message;
};
static const struct bk_doc_field said_fields[] = {
	BK_DOC_STR_F(struct said, code, "code", 0),
	BK_DOC_STR_F(struct said, message, "message", 0),
	BK_DOC_END,
};
static const struct bk_doc_type said_type = BK_DOC_TYPE(struct said, said_fields);
struct said_all {
	struct said *errors;
	size_t n;
};
static const struct bk_doc_field said_all_fields[] = {
	BK_DOC_OBJV_F(struct said_all, errors, n, "errors", 0, said_type),
	BK_DOC_END,
};
static const struct bk_doc_type said_all_type = BK_DOC_TYPE(struct said_all, said_all_fields);

int registry_failed(const struct bk_http_resp *resp, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum bk_err_kind kind = BK_ERR_REGISTRY;
	struct said_all all = { 0 };
	const struct said *s = NULL;

	if (resp->body.len > 0 &&
	    bk_json_decode(&said_all_type, "answer", resp->body.data, resp->body.len,
			   &bk_doc_limits_oci, arena, &all, NULL) == 0 &&
	    all.n > 0)
		s = &all.errors[0];
	if (resp->status == 404)
		kind = BK_ERR_NOT_FOUND;
	else if (resp->status == 401 || resp->status == 403)
		kind = BK_ERR_PERMISSION;
	if (s && s->code)
		return bk_err_set(err, kind, 0, "status %d: %.*s%s%.*s", resp->status, MESSAGE_MAX,
				  s->code, s->message && *s->message ? ": " : "", MESSAGE_MAX,
				  s->message ? s->message : "");
	return bk_err_set(err, kind, 0, "status %d", resp->status);
}

/* Each text of a registry's Warning headers once (distribution-spec, "Warnings"). */
static void show_warnings(struct registry *r, const struct bk_http_resp *resp)
{
	const struct registry_opts *o = &r->client->opts;

	for (char **h = resp->headers; o->notice && h && *h; h++) {
		const char *value = bk_skip_prefix(*h, "warning:");
		const char *text = value ? strchr(value, '"') : NULL;
		bk_autofree char *line = NULL;

		if (!text || !strstr(value, "299 "))
			continue;
		text++;
		line = bk_asprintf("%s says: %.*s", r->domain, (int)strcspn(text, "\""), text);
		if (bk_map_len(r->client->warned) < 100 && !bk_map_has(r->client->warned, line)) {
			(void)bk_map_set(r->client->warned, line, NULL);
			o->notice(o->ctx, line);
		}
	}
}

/* ---- requests ------------------------------------------------------------------------------------ */

static int judge(struct registry *r, const struct bk_http_resp *resp, struct bk_err **err)
{
	bk_autofree char *shown = NULL;
	int rc;

	show_warnings(r, resp);
	if (resp->status != 401 && resp->status != 403)
		return 0;
	shown = bk_url_shown(&resp->url);
	rc = registry_failed(resp, err);
	rc = bk_err_wrap(err, rc, "%s", shown);
	return r->found ? rc : bk_err_hint(err, rc, "bock-image login %s", r->domain);
}

static bool is_ours(const struct registry *r, const struct registry_call *c)
{
	return !c->bare && bk_url_same_origin(&r->base, c->url);
}

int registry_call_start(struct registry *r, struct registry_call *c, void *ctx, struct bk_err **err)
{
	bk_autofree char *authorization = NULL;
	struct bk_http_req copy = *c->req;
	int rc = is_ours(r, c) ? registry_authorization_(r, c->scope, &authorization, err) : 0;

	if (rc < 0)
		return rc;
	copy.url = c->url;
	copy.authorization = authorization;
	if (copy.max_body == 0)
		copy.max_body = REGISTRY_ERROR_MAX;
	c->transfer = bk_http_start(r->client->http, &copy, ctx);
	if (authorization)
		explicit_bzero(authorization, strlen(authorization));
	return 0;
}

void registry_call_done(struct registry_call *c)
{
	bk_http_transfer_free(c->transfer);
	c->transfer = NULL;
}

int registry_call_end(struct registry *r, struct registry_call *c, bool *ret_again,
		      struct bk_http_resp *ret, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	int rc = bk_http_transfer_result(c->transfer, &resp, err);

	registry_call_done(c);
	*ret_again = false;
	if (rc < 0)
		return rc;
	if (resp.status == 401 && is_ours(r, c) && c->challenges < CHALLENGES_MAX &&
	    bk_url_same_origin(&r->base, &resp.url)) {
		c->challenges++;
		*ret_again = true;
		return registry_challenged_(r, c->scope, &resp, err);
	}
	rc = c->bare ? 0 : judge(r, &resp, err);
	if (rc < 0)
		return rc;
	*ret = resp;
	resp = (struct bk_http_resp)BK_HTTP_RESP_INIT;
	return 0;
}

int registry_do_url(struct registry *r, const struct registry_scope *scope,
		    const struct bk_url *url, const struct bk_http_req *req,
		    struct bk_http_resp *ret, struct bk_err **err)
{
	struct registry_call c = { .scope = scope, .url = url, .req = req };
	bool again = true;
	int rc = 0;

	while (rc == 0 && again) {
		rc = registry_call_start(r, &c, NULL, err);
		if (rc < 0)
			return rc;
		bk_http_wait(c.transfer);
		rc = registry_call_end(r, &c, &again, ret, err);
	}
	return rc;
}

int registry_do(struct registry *r, const struct registry_scope *scope, const char *path,
		const struct bk_http_req *req, struct bk_http_resp *ret, struct bk_err **err)
{
	bk_autourl struct bk_url url = BK_URL_INIT;
	int rc = registry_url(r, path, &url, err);

	return rc < 0 ? rc : registry_do_url(r, scope, &url, req, ret, err);
}

int registry_check_login(struct registry *r, bool *ret_used, struct bk_err **err)
{
	const struct bk_http_req req = { .method = "GET", .max_body = REGISTRY_ERROR_MAX };
	const struct registry_scope scope = { 0 };
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	int rc = registry_do(r, &scope, "/v2/", &req, &resp, err);

	if (rc < 0)
		return rc;
	if (resp.status != 200)
		return registry_failed(&resp, err);
	*ret_used = r->scheme != REGISTRY_OPEN;
	return 0;
}
