/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP(S) requests, several at a time, on libcurl's multi interface (HTTP/2 where the server has it, connections
 * kept). One client a thread:
 *
 *	bk_http_new(&opts, &http, err);
 *	bk_http_do(http, &req, &resp, err);			one request to its end
 *
 *	bk_http_start(http, &req, ctx, &transfer, err);		or many: start, and take them as they end
 *	while (bk_http_next(http, &transfer, err) == 0 && transfer)
 *		... bk_http_transfer_result(transfer, &resp, err); bk_http_transfer_free(transfer);
 *
 * Redirects are followed here, hop by hop: the Authorization and the client certificate of one origin never
 * reach another, https never leads to http. What fails for the moment (connections that break before the
 * first byte, 408, 429, 5xx) is tried again, later each time, or when Retry-After says. Proxies come
 * from the environment (http_proxy, HTTPS_PROXY, ALL_PROXY, NO_PROXY), as libcurl reads it.
 *
 * No error and no log holds a query string, an Authorization or a body of a request.
 *
 * Uses: bk_url, libcurl. Used by: registry.
 */
#ifndef BK_HTTP_H
#define BK_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/bk_buf.h"
#include "http/bk_url.h"

#define BK_HTTP_HEADERS_MAX 200			/* of one answer */
#define BK_HTTP_HEADER_BYTES_MAX ((size_t)256 << 10)
#define BK_HTTP_REDIRECTS_MAX 10
#define BK_HTTP_RETRY_AFTER_MAX_MS 120000	/* a server that asks for more is given up */
#define BK_HTTP_RETRIES 5			/* after the first try */

struct bk_http;
struct bk_http_resp;
struct bk_http_transfer;

/* How a server is trusted; strings are the caller's. All zero: the system's certificates. */
struct bk_http_tls {
	bool insecure;		/* any certificate will do */
	const char *ca_file;	/* PEM, in place of the system's */
	const char *ca_dir;	/* hashed, in place of the system's */
	const char *cert_file;	/* of ours, PEM */
	const char *key_file;
};

struct bk_http_opts {
	const char *user_agent;
	uint32_t connect_timeout_ms;	/* 0: 30 s */
	uint32_t stall_ms;		/* less than 1 KiB/s for so long ends a transfer; 0: 60 s */
	uint32_t retries;		/* UINT32_MAX: none; 0: BK_HTTP_RETRIES */
	/* What holds for a server; NULL, or NULL from it: the system's. Asked for each hop. */
	const struct bk_http_tls *(*tls_for)(void *ctx, const struct bk_url *url);
	/* Told before a wait of more than a second, and of warnings; may be NULL. */
	void (*notice)(void *ctx, const char *text);
	/* Asked several times a second; true ends all that runs, and what is started then: -BK_ERR_IO with EINTR. May be NULL. */
	bool (*stopped)(void *ctx);
	void *ctx;
};

struct bk_http_req {
	const char *method;		/* "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" */
	const struct bk_url *url;
	char *const *headers;		/* strv of "Name: value"; NULL: none. None of them secret */
	const char *authorization;	/* value of Authorization, for url's origin alone; NULL: none */
	/* The body: memory, or body_size bytes of a file from body_offset. */
	const void *body;
	size_t body_len;
	int body_fd;			/* used where body_size > 0 */
	int64_t body_offset, body_size;
	/* The most that is taken of an answer's body. With a sink it applies to other answers than 2xx. */
	size_t max_body;
	/*
	 * Where the body of a 2xx answer goes, as it comes; NULL: to resp->body. `resp` has status and headers. An
	 * error of it ends the transfer with that error. A transfer that broke after it was called is not tried again.
	 */
	int (*sink)(void *ctx, const struct bk_http_resp *resp, const void *data, size_t len,
		    struct bk_err **err);
	/* Told of bytes of the body as they are sent; may be NULL. */
	void (*sent)(void *ctx, size_t len);
	void *ctx;
	bool no_redirect;		/* 3xx is an answer like others */
	bool once;			/* doing it twice is not the same: tried again only where it was refused unread */
};

/* An answer; owned by who called bk_http_do, by bk_http_resp_done. */
struct bk_http_resp {
	int status;
	char **headers;			/* strv of "name: value", names in lower case */
	struct bk_buf body;
	struct bk_url url;		/* where the answer came from, redirects followed */
};
#define BK_HTTP_RESP_INIT { 0 }

int bk_http_new(const struct bk_http_opts *opts, struct bk_http **ret, struct bk_err **err);
/* Ends what is running. */
void bk_http_free(struct bk_http *h);
BK_DEFINE_AUTO(bk_http, bk_http_free);
#define bk_autohttp bk_auto(bk_auto_bk_http_)

/*
 * One request to its end, while others that were started go on. 0 with any status; -BK_ERR_NETWORK where no answer
 * came (errno EPROTO: the server does not speak TLS), -BK_ERR_REGISTRY for one that is too long or against the rules.
 */
int bk_http_do(struct bk_http *h, const struct bk_http_req *req, struct bk_http_resp *ret,
	       struct bk_err **err);

/*
 * Starts a request; all that it points to but url, headers and authorization (copied) must stay until its end. It
 * moves on in bk_http_next and bk_http_do only.
 */
struct bk_http_transfer *bk_http_start(struct bk_http *h, const struct bk_http_req *req, void *ctx);
/* Moves all on until t has ended. */
void bk_http_wait(struct bk_http_transfer *t);
/* Waits for one that has ended and was not taken yet; NULL: none is running. */
struct bk_http_transfer *bk_http_next(struct bk_http *h);
/* As bk_http_next, at most timeout_ms. */
struct bk_http_transfer *bk_http_next_within(struct bk_http *h, int timeout_ms);
void *bk_http_transfer_ctx(const struct bk_http_transfer *t);
/* As bk_http_do returns. Moves the answer out. */
int bk_http_transfer_result(struct bk_http_transfer *t, struct bk_http_resp *ret, struct bk_err **err);
/* Ends it if it runs. */
void bk_http_transfer_free(struct bk_http_transfer *t);

/* The value of the first header of that name (lower case), NULL: none. Owned by r. */
const char *bk_http_header(const struct bk_http_resp *r, const char *name);
void bk_http_resp_done(struct bk_http_resp *r);
#define bk_autoresp bk_auto(bk_http_resp_done)

/*
 * Milliseconds that a Retry-After (seconds or an HTTP date, RFC 9110 10.2.3) asks for, seen from `now` (seconds since
 * 1970); -1 where it is neither.
 */
int64_t bk_http_retry_after_ms(const char *value, int64_t now);

#endif
