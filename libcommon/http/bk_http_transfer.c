/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_clock.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "http/bk_http_priv.h"

#define STALL_BYTES  1024L
#define BACKOFF_MS   500
#define BACKOFF_MAX_MS 30000
#define NOTICE_MS    1000
#define REFUSED_TRIES 2 /* of a server that takes no connections */

/* ---- what curl calls ---------------------------------------------------------------------------- */

static bool is_ok(const struct bk_http_transfer *t)
{
	return t->resp.status >= 200 && t->resp.status < 300;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct bk_http_transfer *t = ctx;
	size_t len = size * n;
	const char *colon;
	char *line;

	if (len >= 5 && strncmp(data, "HTTP/", 5) == 0) {
		/* another answer begins: behind 100 Continue */
		bk_strv_free(t->resp.headers);
		t->resp.headers = NULL;
		t->n_headers = 0;
		return len;
	}
	t->header_bytes += len;
	while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
		len--;
	colon = memchr(data, ':', len);
	if (!colon || memchr(data, '\0', len))
		return size * n;
	if (t->header_bytes > BK_HTTP_HEADER_BYTES_MAX || ++t->n_headers > BK_HTTP_HEADERS_MAX) {
		(void)bk_err_set(&t->failed, BK_ERR_REGISTRY, 0, "the answer has too many headers");
		return 0;
	}
	line = bk_strndup(data, len);
	for (char *p = line; *p != ':'; p++)
		*p = (char)tolower((unsigned char)*p);
	bk_strv_push(&t->resp.headers, line);
	return size * n;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct bk_http_transfer *t = ctx;
	size_t len = size * n;
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->resp.status = (int)status;
	if (t->req.sink && is_ok(t)) {
		t->touched = true;
		if (t->req.sink(t->req.ctx, &t->resp, data, len, &t->failed) == 0)
			return len;
		if (!t->failed)
			(void)bk_err_set(&t->failed, BK_ERR_INTERNAL, 0, "it was not taken");
		return 0;
	}
	if (bk_buf_add(&t->resp.body, data, len) || !is_ok(t))
		return len; /* the text of a failure may be cut */
	(void)bk_err_set(&t->failed, BK_ERR_REGISTRY, 0,
			 "the answer is longer than %zu bytes, which is the most that is taken",
			 t->resp.body.max);
	return 0;
}

static int64_t body_size(const struct bk_http_req *r)
{
	return r->body_size > 0 ? r->body_size : (int64_t)r->body_len;
}

static size_t on_read(char *buf, size_t size, size_t n, void *ctx)
{
	struct bk_http_transfer *t = ctx;
	int64_t left = body_size(&t->req) - t->body_pos;
	size_t len = size * n;
	ssize_t got;

	if (left <= 0)
		return 0;
	if ((int64_t)len > left)
		len = (size_t)left;
	if (t->req.body_size > 0) {
		got = pread(t->req.body_fd, buf, len, t->req.body_offset + t->body_pos);
		if (got <= 0) {
			(void)bk_err_set(&t->failed, BK_ERR_IO, got < 0 ? errno : EIO,
					 "read what is to be sent");
			return CURL_READFUNC_ABORT;
		}
		len = (size_t)got;
	} else {
		memcpy(buf, (const char *)t->req.body + t->body_pos, len);
	}
	t->body_pos += (int64_t)len;
	if (t->req.sent)
		t->req.sent(t->req.ctx, len);
	return len;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct bk_http_transfer *t = ctx;

	if (origin != SEEK_SET || offset < 0 || offset > body_size(&t->req))
		return CURL_SEEKFUNC_FAIL;
	t->body_pos = offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- a try --------------------------------------------------------------------------------------- */

static void set_body(struct bk_http_transfer *t)
{
	bool has_body = t->req.body_size > 0 || t->req.body;

	t->body_pos = 0;
	if (bk_streq(t->req.method, "HEAD")) {
		(void)curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
	} else if (has_body || bk_streq(t->req.method, "POST") || bk_streq(t->req.method, "PUT") ||
		   bk_streq(t->req.method, "PATCH")) {
		(void)curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE,
				       (curl_off_t)body_size(&t->req));
		(void)curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_read);
		(void)curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
		(void)curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_seek);
		(void)curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
		(void)curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
	}
	(void)curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, t->req.method);
}

static void set_tls(struct bk_http_transfer *t)
{
	const struct bk_http_opts *o = &t->client->opts;
	const struct bk_http_tls *tls = o->tls_for ? o->tls_for(o->ctx, &t->resp.url) : NULL;

	(void)curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!tls)
		return;
	if (tls->insecure) {
		(void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (tls->ca_file)
		(void)curl_easy_setopt(t->easy, CURLOPT_CAINFO, tls->ca_file);
	if (tls->ca_dir)
		(void)curl_easy_setopt(t->easy, CURLOPT_CAPATH, tls->ca_dir);
	if (tls->cert_file)
		(void)curl_easy_setopt(t->easy, CURLOPT_SSLCERT, tls->cert_file);
	if (tls->key_file)
		(void)curl_easy_setopt(t->easy, CURLOPT_SSLKEY, tls->key_file);
}

static void set_headers(struct bk_http_transfer *t)
{
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	for (char *const *h = t->own_headers; h && *h; h++)
		t->headers = curl_slist_append(t->headers, *h);
	if (t->authorization)
		t->headers = curl_slist_append(t->headers, t->authorization);
	(void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	/* none of them is for a proxy */
	(void)curl_easy_setopt(t->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
}

void bk_http_transfer_begin_(struct bk_http_transfer *t)
{
	const struct bk_http_opts *o = &t->client->opts;
	bk_autofree char *url = bk_url_text(&t->resp.url);

	if (t->easy)
		curl_easy_reset(t->easy);
	else
		t->easy = curl_easy_init();
	if (!t->easy)
		abort(); /* for want of memory only */
	bk_strv_free(t->resp.headers);
	t->resp.headers = NULL;
	t->resp.status = 0;
	t->header_bytes = t->n_headers = 0;
	bk_buf_reset(&t->resp.body);
	t->curl_error[0] = '\0';
	(void)curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	(void)curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	(void)curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(t->easy, CURLOPT_USERAGENT, t->client->user_agent);
	(void)curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, 256L << 10);
	(void)curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms);
	(void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES);
	(void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)(o->stall_ms + 999) / 1000);
	(void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_error);
	(void)curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	set_body(t);
	set_tls(t);
	set_headers(t);
	t->state = BK_HTTP_RUNNING;
	if (curl_multi_add_handle(t->client->multi, t->easy) != CURLM_OK)
		abort();
}

/* ---- its end -------------------------------------------------------------------------------------- */

static void end(struct bk_http_transfer *t, int rc)
{
	bk_autofree char *shown = bk_url_shown(&t->resp.url);

	t->state = BK_HTTP_ENDED;
	t->rc = rc < 0 ? bk_err_wrap(&t->failed, rc, "%s %s", t->req.method, shown) : 0;
}

static void fail(struct bk_http_transfer *t, enum bk_err_kind kind, int errnum, const char *text)
{
	bk_err_clear(&t->failed);
	end(t, bk_err_set(&t->failed, kind, errnum, "%s", text));
}

/* Up to a quarter more, so that many clients don't come back at once. */
static int64_t with_jitter(int64_t ms)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) < 0)
		r = 0;
	return ms + (ms / 4) * (int64_t)(r % 1000) / 1000;
}

/* Arranges another try in ms, and says so. */
static void again(struct bk_http_transfer *t, int64_t ms, const char *why)
{
	const struct bk_http_opts *o = &t->client->opts;
	bk_autofree char *shown = bk_url_shown(&t->resp.url);
	bk_autofree char *text = NULL;

	t->tries++;
	t->retry_at = bk_clock_ms() + ms;
	t->state = BK_HTTP_WAITING;
	if (!o->notice || ms < NOTICE_MS)
		return;
	text = bk_asprintf("%s %s: %s; trying again in %lld s", t->req.method, shown, why,
			   (long long)(ms + 500) / 1000);
	o->notice(o->ctx, text);
}

static int64_t backoff(const struct bk_http_transfer *t)
{
	int64_t ms = BACKOFF_MS;

	for (unsigned int i = 0; i < t->tries && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return with_jitter(ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS);
}

static bool passing(int status)
{
	static const int codes[] = { 408, 429, 500, 502, 503, 504, 522 };

	for (size_t i = 0; i < BK_ARRAY_SIZE(codes); i++)
		if (codes[i] == status)
			return true;
	return false;
}

/* Whether doing it twice does no harm. */
static bool idempotent(const struct bk_http_transfer *t)
{
	return !t->req.once && !bk_streq(t->req.method, "POST") && !bk_streq(t->req.method, "PATCH");
}

/* A status that may pass: true if another try is arranged, or t was ended. */
static bool retry_status(struct bk_http_transfer *t)
{
	const char *value = bk_http_header(&t->resp, "retry-after");
	int status = t->resp.status;
	bk_autofree char *why = NULL;
	int64_t ms;

	if (!passing(status) || t->touched || t->tries >= t->client->retries)
		return false;
	if (status != 429 && status != 503 && !idempotent(t))
		return false;
	ms = value ? bk_http_retry_after_ms(value, time(NULL)) : -1;
	why = bk_asprintf("status %d", status);
	if (ms > BK_HTTP_RETRY_AFTER_MAX_MS) {
		bk_err_clear(&t->failed);
		end(t, bk_err_set(&t->failed, BK_ERR_REGISTRY, 0,
				  "status %d: the server asks to come back in %lld s", status,
				  (long long)ms / 1000));
		return true;
	}
	again(t, ms >= 0 ? with_jitter(ms) : backoff(t), why);
	return true;
}

static bool retry_curl(struct bk_http_transfer *t, CURLcode code)
{
	unsigned int most = t->client->retries;

	if (t->failed || t->touched)
		return false;
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		most = most < REFUSED_TRIES ? most : REFUSED_TRIES;
		break;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_OPERATION_TIMEDOUT:
		if (!idempotent(t))
			return false;
		break;
	default:
		return false;
	}
	if (t->tries >= most)
		return false;
	again(t, backoff(t), curl_easy_strerror(code));
	return true;
}

/* 3xx with a Location: true if the next hop is begun, or t was ended. */
static bool redirect(struct bk_http_transfer *t)
{
	const char *location = bk_http_header(&t->resp, "location");
	bool plain = bk_streq(t->req.method, "GET") || bk_streq(t->req.method, "HEAD");
	int status = t->resp.status;
	struct bk_url to = BK_URL_INIT;
	int rc;

	if (t->req.no_redirect || !location)
		return false;
	/* 301 to 303 would turn another method into GET: no registry means that. */
	if (status != 307 && status != 308 && !(plain && status >= 301 && status <= 303))
		return false;
	if (++t->redirects > BK_HTTP_REDIRECTS_MAX) {
		fail(t, BK_ERR_REGISTRY, 0, "more redirects than are followed: they go in a circle");
		return true;
	}
	rc = bk_url_resolve(&t->resp.url, location, &to, &t->failed);
	if (rc < 0) {
		end(t, bk_err_wrap(&t->failed, rc, "its redirect"));
		return true;
	}
	if (t->resp.url.https && !to.https) {
		bk_url_done(&to);
		fail(t, BK_ERR_REGISTRY, 0, "it redirects from https to http, which is not followed");
		return true;
	}
	if (!bk_url_same_origin(&t->resp.url, &to) && t->authorization) {
		explicit_bzero(t->authorization, strlen(t->authorization));
		free(t->authorization);
		t->authorization = NULL;
	}
	bk_url_done(&t->resp.url);
	t->resp.url = to;
	bk_http_transfer_begin_(t);
	return true;
}

void bk_http_transfer_stop_(struct bk_http_transfer *t)
{
	if (t->state == BK_HTTP_RUNNING)
		(void)curl_multi_remove_handle(t->client->multi, t->easy);
	fail(t, BK_ERR_IO, EINTR, "stopped");
}

/* Words for what curl says, where its own could hold more than a message should: URLs are shown by us. */
static void fail_curl(struct bk_http_transfer *t, CURLcode code)
{
	const char *text = t->curl_error[0] ? t->curl_error : curl_easy_strerror(code);

	if (code == CURLE_OPERATION_TIMEDOUT && t->resp.status != 0)
		text = "it stalled: less than 1 KiB/s arrived for too long";
	else if (code == CURLE_PARTIAL_FILE)
		text = "the connection ended before the answer did";
	fail(t, BK_ERR_NETWORK, code == CURLE_SSL_CONNECT_ERROR ? EPROTO : 0, text);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		t->rc = bk_err_hint(&t->failed, t->rc,
				    "put its CA's certificate into certs.d, or see --tls-verify");
}

void bk_http_transfer_finish_(struct bk_http_transfer *t, CURLcode code)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->resp.status = (int)status;
	if (t->failed) {
		end(t, -(int)bk_err_kind_of(t->failed));
	} else if (code != CURLE_OK) {
		if (!retry_curl(t, code))
			fail_curl(t, code);
	} else if (!redirect(t) && !retry_status(t)) {
		end(t, 0);
	}
}
