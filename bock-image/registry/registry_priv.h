/* SPDX-License-Identifier: Apache-2.0 */
/* What registry.c, registry_auth.c and registry_tls.c share. */
#ifndef REGISTRY_PRIV_H
#define REGISTRY_PRIV_H

#include "base/bk_map.h"
#include "registry/registry.h"

enum registry_scheme { REGISTRY_OPEN, REGISTRY_BASIC, REGISTRY_BEARER };

struct registry_token {
	struct registry_token *next;
	char *scope;	/* as asked for */
	char *token;
	int64_t expires; /* bk_clock_ms */
};

struct registry {
	struct registry_client *client;
	struct registry *next;
	char *domain;
	char *host;	/* that is connected to: registry-1.docker.io for docker.io */
	struct bk_url base;
	enum registry_scheme scheme;
	char *realm, *service;
	struct registry_token *tokens;
	bool looked_up;		/* credential is what creds have, or found is false */
	bool found;
	struct credential credential;
};

struct registry_client {
	struct registry_opts opts;
	struct bk_http *http;
	struct registry *registries;
	struct bk_map *tls;	/* authority -> struct registry_tls */
	struct bk_map *warned;	/* texts of warnings that were shown */
	bool unstopped;		/* opts.stopped is not asked any more */
};

/* registry_tls.c: what holds for an authority. ours: a registry or its token server, which --cert-dir and --tls-verify=false are for. */
void registry_tls_add_(struct registry_client *c, const char *authority, bool ours, bool insecure);
const struct bk_http_tls *registry_tls_for_(void *client, const struct bk_url *url);
void registry_tls_free_(void *tls);

/* The credential for r, looked up once; NULL: none. */
int registry_credential_(struct registry *r, const char *repo, const struct credential **ret,
			 struct bk_err **err);
void registry_tokens_free_(struct registry *r);

/* registry_auth.c: the Authorization (heap; NULL: none) for what scope wants to do. */
int registry_authorization_(struct registry *r, const struct registry_scope *scope, char **ret,
			    struct bk_err **err);
/* After a 401: learns from its challenge; the Authorization is a new one then. An error if that is no use. */
int registry_challenged_(struct registry *r, const struct registry_scope *scope,
			 const struct bk_http_resp *resp, struct bk_err **err);

#endif
