/* SPDX-License-Identifier: Apache-2.0 */
#include "http/bk_http.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bk_clock.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "http/bk_http_priv.h"

#define POLL_MAX_MS 1000
#define STOP_POLL_MS 100

int bk_http_new(const struct bk_http_opts *opts, struct bk_http **ret, struct bk_err **err)
{
	bk_autohttp struct bk_http *h = bk_calloc(1, sizeof(*h));

	h->opts = *opts;
	h->user_agent = bk_strdup(opts->user_agent);
	h->retries = opts->retries == 0 ? BK_HTTP_RETRIES : opts->retries;
	if (opts->retries == UINT32_MAX)
		h->retries = 0;
	if (h->opts.connect_timeout_ms == 0)
		h->opts.connect_timeout_ms = 30000;
	if (h->opts.stall_ms == 0)
		h->opts.stall_ms = 60000;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "libcurl can't be initialised");
	h->multi = curl_multi_init();
	if (!h->multi)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "libcurl gives no multi handle");
	(void)curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	*ret = bk_steal_ptr(&h);
	return 0;
}

void bk_http_free(struct bk_http *h)
{
	if (!h)
		return;
	for (struct bk_http_transfer *t = h->transfers, *next; t; t = next) {
		next = t->next;
		bk_http_transfer_free(t);
	}
	if (h->multi)
		(void)curl_multi_cleanup(h->multi);
	free(h->user_agent);
	free(h);
}

/* Begins what is due; *ret_wait_ms: how long until the next is. */
static void begin_due(struct bk_http *h, int *ret_wait_ms)
{
	int64_t now = bk_clock_ms();

	for (struct bk_http_transfer *t = h->transfers; t; t = t->next) {
		if (t->state != BK_HTTP_WAITING)
			continue;
		if (t->retry_at <= now)
			bk_http_transfer_begin_(t);
		else if (t->retry_at - now < *ret_wait_ms)
			*ret_wait_ms = (int)(t->retry_at - now);
	}
}

static void take_ended(struct bk_http *h)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(h->multi, &left))) {
		struct bk_http_transfer *t = NULL;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		(void)curl_multi_remove_handle(h->multi, msg->easy_handle);
		bk_http_transfer_finish_(t, code);
	}
}

static void stop_all(struct bk_http *h)
{
	for (struct bk_http_transfer *t = h->transfers; t; t = t->next)
		if (t->state != BK_HTTP_ENDED)
			bk_http_transfer_stop_(t);
}

/* Moves all transfers on, waiting at most max_ms for something to happen. */
static void step(struct bk_http *h, int max_ms)
{
	int wait_ms = max_ms < POLL_MAX_MS ? max_ms : POLL_MAX_MS;
	int running = 0;

	if (h->opts.stopped) {
		if (wait_ms > STOP_POLL_MS)
			wait_ms = STOP_POLL_MS;
		if (h->opts.stopped(h->opts.ctx))
			stop_all(h);
	}
	begin_due(h, &wait_ms);
	(void)curl_multi_perform(h->multi, &running);
	take_ended(h);
	for (const struct bk_http_transfer *t = h->transfers; t; t = t->next)
		if (t->state == BK_HTTP_ENDED)
			wait_ms = 0;
	if (wait_ms > 0)
		(void)curl_multi_poll(h->multi, NULL, 0, wait_ms, NULL);
}

struct bk_http_transfer *bk_http_start(struct bk_http *h, const struct bk_http_req *req, void *ctx)
{
	struct bk_http_transfer *t = bk_calloc(1, sizeof(*t));

	t->client = h;
	t->req = *req;
	t->req.url = NULL;
	t->req.authorization = NULL;
	t->ctx = ctx;
	t->own_headers = bk_strv_dup(req->headers);
	t->authorization = req->authorization ?
				   bk_asprintf("Authorization: %s", req->authorization) :
				   NULL;
	t->curl_error = bk_calloc(1, CURL_ERROR_SIZE);
	t->resp.body.max = req->max_body;
	bk_url_copy(req->url, &t->resp.url);
	t->next = h->transfers;
	h->transfers = t;
	bk_http_transfer_begin_(t);
	return t;
}

static void unlink_transfer(struct bk_http_transfer *t)
{
	struct bk_http_transfer **p = &t->client->transfers;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->client = NULL;
}

struct bk_http_transfer *bk_http_next_within(struct bk_http *h, int timeout_ms)
{
	int64_t end = bk_clock_ms() + timeout_ms;

	for (;;) {
		int64_t left = end - bk_clock_ms();

		for (struct bk_http_transfer *t = h->transfers; t; t = t->next) {
			if (t->state == BK_HTTP_ENDED) {
				unlink_transfer(t);
				return t;
			}
		}
		if (!h->transfers || (timeout_ms >= 0 && left <= 0))
			return NULL;
		step(h, timeout_ms < 0 ? POLL_MAX_MS : (int)left);
	}
}

struct bk_http_transfer *bk_http_next(struct bk_http *h)
{
	return bk_http_next_within(h, -1);
}

void *bk_http_transfer_ctx(const struct bk_http_transfer *t)
{
	return t->ctx;
}

int bk_http_transfer_result(struct bk_http_transfer *t, struct bk_http_resp *ret,
			    struct bk_err **err)
{
	if (t->rc < 0) {
		if (t->failed)
			bk_err_move(err, bk_steal_ptr(&t->failed));
		return t->rc;
	}
	*ret = t->resp;
	t->resp = (struct bk_http_resp)BK_HTTP_RESP_INIT;
	return 0;
}

void bk_http_wait(struct bk_http_transfer *t)
{
	while (t->state != BK_HTTP_ENDED)
		step(t->client, POLL_MAX_MS);
}

int bk_http_do(struct bk_http *h, const struct bk_http_req *req, struct bk_http_resp *ret,
	       struct bk_err **err)
{
	struct bk_http_transfer *t = bk_http_start(h, req, NULL);
	int rc;

	bk_http_wait(t);
	rc = bk_http_transfer_result(t, ret, err);
	bk_http_transfer_free(t);
	return rc;
}

void bk_http_transfer_free(struct bk_http_transfer *t)
{
	if (!t)
		return;
	if (t->easy && t->client && t->state == BK_HTTP_RUNNING)
		(void)curl_multi_remove_handle(t->client->multi, t->easy);
	if (t->client)
		unlink_transfer(t);
	if (t->easy)
		curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	if (t->authorization)
		explicit_bzero(t->authorization, strlen(t->authorization));
	free(t->authorization);
	bk_strv_free(t->own_headers);
	free(t->curl_error);
	bk_err_clear(&t->failed);
	bk_http_resp_done(&t->resp);
	free(t);
}

const char *bk_http_header(const struct bk_http_resp *r, const char *name)
{
	size_t len = strlen(name);

	for (char **h = r->headers; h && *h; h++)
		if (strncmp(*h, name, len) == 0 && (*h)[len] == ':')
			return *h + len + 1 + strspn(*h + len + 1, " ");
	return NULL;
}

void bk_http_resp_done(struct bk_http_resp *r)
{
	bk_strv_free(r->headers);
	bk_buf_done(&r->body);
	bk_url_done(&r->url);
	*r = (struct bk_http_resp)BK_HTTP_RESP_INIT;
}

int64_t bk_http_retry_after_ms(const char *value, int64_t now)
{
	uint64_t seconds;
	time_t at;

	if (bk_num_u64(value, INT64_MAX / 1000, &seconds, NULL) == 0)
		return (int64_t)seconds * 1000;
	/* All three forms of RFC 9110 5.6.7; curl_getdate takes more than these, which does no harm. */
	at = curl_getdate(value, NULL);
	if (at == (time_t)-1)
		return -1;
	return at > now ? (int64_t)(at - now) * 1000 : 0;
}
