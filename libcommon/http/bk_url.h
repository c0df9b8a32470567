/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of http and https, as servers give them in Location, Link and realm: strictly parsed (RFC 3986), without user
 * names and passwords, which are refused.
 *
 * Uses: base. Used by: bk_http, registry.
 */
#ifndef BK_URL_H
#define BK_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"

#define BK_URL_MAX 16384	/* bytes; pre-signed ones are long */

/* Heap strings. */
struct bk_url {
	bool https;
	char *host;	/* lower case; "[::1]" with its brackets */
	uint16_t port;	/* the scheme's own where none was given */
	char *path;	/* begins with '/' */
	char *query;	/* without '?'; NULL: none */
};

#define BK_URL_INIT { 0 }

/* Parses an absolute URL; a fragment is dropped. -BK_ERR_CONFIG says what is wrong, without the query. */
int bk_url_parse(const char *text, struct bk_url *ret, struct bk_err **err);
/* What `text`, absolute or relative, means where it was found in the answer of `base`. */
int bk_url_resolve(const struct bk_url *base, const char *text, struct bk_url *ret, struct bk_err **err);
void bk_url_done(struct bk_url *u);
#define bk_autourl bk_auto(bk_url_done)

void bk_url_copy(const struct bk_url *u, struct bk_url *ret);
/* The whole URL; heap. */
char *bk_url_text(const struct bk_url *u);
/* For messages: without the query, which may hold a signature; heap. */
char *bk_url_shown(const struct bk_url *u);
/* "host" or, where the port is not the scheme's, "host:port"; heap. */
char *bk_url_authority(const struct bk_url *u);
/* The same scheme, host and port: what credentials are for. */
bool bk_url_same_origin(const struct bk_url *a, const struct bk_url *b);
/* Appends name=value to the query, both escaped. */
void bk_url_query_add(struct bk_url *u, const char *name, const char *value);
/* s with all but unreserved characters as %XX; heap. */
char *bk_url_escape(const char *s);

#endif
