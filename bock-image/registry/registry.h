/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registries (distribution-spec): a client, which has connections, credentials and trust, and registries opened by
 * it, each of which knows how it wants to be asked.
 *
 *	registry_client_new(&opts, &client, err);
 *	registry_open(client, "docker.io", &r, err);
 *	registry_manifest_get(r, ...), registry_pull(...), ...
 *	registry_client_free(client);			(and with it its registries)
 *
 * Credentials go to the registry's own origin and its token server, never where it redirects to. A token server must
 * be https unless the registry itself is http (CVE-2019-10214).
 *
 * Uses: http, creds, store. Used by: cmd.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "creds/creds.h"
#include "http/bk_http.h"

#define REGISTRY_ERROR_MAX ((size_t)64 << 10)	/* bytes of an answer that says why not */
#define REGISTRY_TOKEN_MAX ((size_t)1 << 20)	/* bytes of a token server's answer */

struct registry_client;
struct registry;

struct registry_opts {
	struct creds *creds;			/* NULL: none; the caller's */
	const struct credential *credential;	/* in place of creds; NULL: those */
	const char *cert_dir;			/* in place of certs.d; NULL: that */
	bool insecure;				/* certificates of registries are not verified */
	bool plain_http;			/* registries are asked by http */
	bool refuse_foreign;			/* nothing is fetched from a layer's own URLs (registry_fetch.h) */
	uint32_t stall_ms, retries;		/* as bk_http_opts */
	/* Told of waits, warnings of registries; may be NULL. */
	void (*notice)(void *ctx, const char *text);
	bool (*stopped)(void *ctx);		/* as bk_http_opts; NULL: never */
	void *ctx;
};

int registry_client_new(const struct registry_opts *opts, struct registry_client **ret,
			struct bk_err **err);
void registry_client_free(struct registry_client *c);
BK_DEFINE_AUTO(registry_client, registry_client_free);
#define bk_autoregistryclient bk_auto(bk_auto_registry_client_)

/*
 * The registry of a domain as references have it ("docker.io", "localhost:5000"); the client's. The first call finds out
 * whether a loopback registry speaks TLS: without, plain http will do there.
 */
int registry_open(struct registry_client *c, const char *domain, struct registry **ret,
		  struct bk_err **err);
/* The same; insecure: as registries.conf means it, any certificate will do, and http where TLS is not spoken. */
int registry_open_endpoint(struct registry_client *c, const char *domain, bool insecure,
			   struct registry **ret, struct bk_err **err);
const char *registry_domain(const struct registry *r);
/* The connections, for requests that the caller starts itself; the client's. */
struct bk_http *registry_http(const struct registry *r);
/* registry_opts.refuse_foreign */
bool registry_refuses_foreign(const struct registry *r);
/* How often what may pass is tried again. */
unsigned int registry_retries(const struct registry *r);

/* What a request wants to do: one token for all of these. */
struct registry_scope {
	const char *repo;	/* NULL: none, only to be known */
	const char *actions;	/* "pull", "pull,push" */
	const char *from;	/* NULL, or a repository to pull from too (mounts) */
};

/*
 * One request of r: path ("/v2/...", with query) of its origin, authorised as r wants it, once more after a 401. req's url
 * and authorization are set here. Any status but 401 and 403 is the caller's to judge; these two are errors.
 */
int registry_do(struct registry *r, const struct registry_scope *scope, const char *path,
		const struct bk_http_req *req, struct bk_http_resp *ret, struct bk_err **err);
/* The same for a URL that the registry gave: credentials only if it is of its origin. */
int registry_do_url(struct registry *r, const struct registry_scope *scope,
		    const struct bk_url *url, const struct bk_http_req *req,
		    struct bk_http_resp *ret, struct bk_err **err);

/* The URL of a path. */
int registry_url(const struct registry *r, const char *path, struct bk_url *ret, struct bk_err **err);

/*
 * registry_do_url in two halves, for several requests at a time:
 *
 *	registry_call_start(r, &call, ctx, err);
 *	t = bk_http_next(registry_http(r)); its ctx tells which call has ended
 *	registry_call_end(r, &call, &again, &resp, err);	again: start it once more
 *
 * The first request to a registry is best alone: what it wants is learnt by its answer.
 */
struct registry_call {
	const struct registry_scope *scope;
	const struct bk_url *url;
	const struct bk_http_req *req;
	bool bare;	/* not of the registry's: no credentials, and no challenge is answered, whatever url is */
	/* Not the caller's: all zero at first. */
	struct bk_http_transfer *transfer;	/* NULL: it does not run */
	unsigned int challenges;
};
/* Starts it; what c points to stays until its end. Its transfer has that ctx. */
int registry_call_start(struct registry *r, struct registry_call *c, void *ctx, struct bk_err **err);
/* *ret_again: a challenge was answered; ret is not set then. */
int registry_call_end(struct registry *r, struct registry_call *c, bool *ret_again,
		      struct bk_http_resp *ret, struct bk_err **err);
/* Ends it if it runs. */
void registry_call_done(struct registry_call *c);

/* The milliseconds to wait before another try after so many failures. */
int64_t registry_pause_ms(unsigned int failures);
/* For a moment even what opts.stopped has ended may ask: uploads are given up. */
void registry_unstop(struct registry *r);

/*
 * -BK_ERR_REGISTRY (NOT_FOUND for 404, PERMISSION for 401 and 403) "status 404: MANIFEST_UNKNOWN: ..." from an answer.
 */
int registry_failed(const struct bk_http_resp *resp, struct bk_err **err);

/*
 * That the registry takes the client's credential, or lets everybody in: GET /v2/ (`login`). *ret_used: the credential was
 * asked for.
 */
int registry_check_login(struct registry *r, bool *ret_used, struct bk_err **err);

#endif
