/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bk_http share: bk_http.c (the client and its loop) and bk_http_transfer.c (one request). */
#ifndef BK_HTTP_PRIV_H
#define BK_HTTP_PRIV_H

#include <curl/curl.h>

#include "http/bk_http.h"

enum bk_http_state {
	BK_HTTP_WAITING,	/* to be tried at retry_at */
	BK_HTTP_RUNNING,
	BK_HTTP_ENDED,
};

struct bk_http_transfer {
	struct bk_http *client;		/* NULL once taken out of it */
	struct bk_http_transfer *next;
	struct bk_http_req req;
	void *ctx;
	enum bk_http_state state;
	CURL *easy;
	struct curl_slist *headers;
	char *authorization;		/* full header line; NULL: none, or dropped by a redirect */
	char **own_headers;		/* strv */
	char *curl_error;		/* CURL_ERROR_SIZE bytes */
	struct bk_http_resp resp;
	size_t header_bytes;
	size_t n_headers;
	bool touched;			/* the sink was called */
	int64_t body_pos;
	unsigned int redirects;
	unsigned int tries;
	int64_t retry_at;		/* bk_clock_ms */
	struct bk_err *failed;		/* the sink's error, or why we broke it off */
	int rc;
};

struct bk_http {
	CURLM *multi;
	struct bk_http_opts opts;
	char *user_agent;
	struct bk_http_transfer *transfers;
	uint32_t retries;
};

/* (Re)builds the handle for the current resp.url and adds it to the multi handle. */
void bk_http_transfer_begin_(struct bk_http_transfer *t);
/* curl has ended: follows a redirect, arranges another try, or makes t ENDED. */
void bk_http_transfer_finish_(struct bk_http_transfer *t, CURLcode code);
/* Makes t ENDED, whatever it does: for opts.stopped. */
void bk_http_transfer_stop_(struct bk_http_transfer *t);

#endif
