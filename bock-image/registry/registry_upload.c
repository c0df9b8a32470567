/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_upload.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_clock.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "registry/registry_header.h"
#include "store/store_blob.h"

#define WAIT_MS	  200
#define CANCEL_MS 5000 /* for all sessions that are given up */

/* What a blob's next request is. */
enum step {
	EXISTS, /* HEAD */
	OPEN,	/* POST: a session, or a mount */
	CHUNK,	/* PATCH */
	OFFSET, /* GET: how far it got */
	FINISH, /* PUT: what is left, none after chunks, and the digest */
	CLOSE,	/* DELETE, to begin anew */
	ENDED,
};

struct sending;

struct session {
	struct sending *all;
	const struct registry_upload *u;
	enum step step;
	struct bk_url location; /* always the latest one; host NULL: no session is open */
	int fd;
	int64_t offset;		/* bytes that the registry has */
	int64_t chunk;
	int64_t begun;		/* bytes sent of the request under way */
	int64_t not_before;
	unsigned int failures;	/* since it got on */
	unsigned int restarts;
	bool mount;
	bool told;
	/* the request under way */
	struct registry_call call;
	struct registry_scope scope;
	struct bk_http_req req;
	struct bk_url url;
	char *range;
	char *headers[3];
};

struct sending {
	struct registry *r;
	const struct store *s;
	const struct registry_upload_opts *opts;
	struct session *sessions;
	size_t n, left;
	unsigned int jobs, running;
	bool known; /* the registry has answered: how it wants to be asked is known */
};

static char *const octets = (char *)(uintptr_t) "Content-Type: application/octet-stream";

static void tell(const struct session *s, enum registry_event event, int64_t done)
{
	const struct registry_progress *p = s->all->opts->progress;

	if (p && p->event)
		p->event(p->ctx, event, s->u->desc, done);
}

static void sent(void *ctx, size_t len)
{
	struct session *s = ctx;

	s->begun += (int64_t)len;
	if (s->begun > s->req.body_size)
		s->begun = (int64_t)len; /* from the beginning again */
	tell(s, REGISTRY_PROGRESS, s->offset + s->begun);
}

static void stop_request(struct session *s)
{
	if (s->call.transfer)
		s->all->running--;
	registry_call_done(&s->call);
}

static void session_done(struct session *s)
{
	stop_request(s);
	bk_url_done(&s->location);
	bk_url_done(&s->url);
	bk_close(&s->fd);
	free(s->range);
	s->range = NULL;
}

/* ---- what is asked -------------------------------------------------------------------------------- */

static int64_t left_of(const struct session *s)
{
	return s->u->desc->size - s->offset;
}

static enum step next_part(const struct session *s)
{
	return s->u->desc->size > s->chunk && left_of(s) > 0 ? CHUNK : FINISH;
}

static int url_of(struct session *s, const char *path, struct bk_err **err)
{
	bk_autofree char *whole = bk_asprintf("/v2/%s/blobs/%s", s->all->opts->repo, path);

	return registry_url(s->all->r, whole, &s->url, err);
}

static int open_url(struct session *s, struct bk_err **err)
{
	const char *digest = s->u->desc->digest;
	enum bk_digest_alg alg;
	int rc = url_of(s, "uploads/", err);

	if (rc == 0)
		rc = bk_digest_parse(digest, &alg, NULL, err);
	if (rc < 0)
		return rc;
	if (s->mount) {
		s->scope.from = s->u->from;
		bk_url_query_add(&s->url, "mount", digest);
		bk_url_query_add(&s->url, "from", s->u->from);
	} else if (alg != BK_DIGEST_SHA256) {
		bk_url_query_add(&s->url, "digest-algorithm", bk_digest_alg_name(alg));
	}
	return 0;
}

static void body(struct session *s, int64_t len)
{
	s->begun = 0;
	s->headers[0] = octets;
	s->req.headers = s->headers;
	s->req.body = "";
	s->req.body_fd = s->fd;
	s->req.body_offset = s->offset;
	s->req.body_size = len;
	s->req.sent = sent;
	s->req.ctx = s;
}

static void chunk(struct session *s)
{
	int64_t len = left_of(s) < s->chunk ? left_of(s) : s->chunk;

	s->req.method = "PATCH";
	body(s, len);
	free(s->range);
	s->range = bk_asprintf("Content-Range: %" PRId64 "-%" PRId64, s->offset,
			       s->offset + len - 1);
	s->headers[1] = s->range;
}

static int prepare(struct session *s, struct bk_err **err)
{
	bk_url_done(&s->url);
	s->req = (struct bk_http_req){ .method = "GET", .max_body = REGISTRY_ERROR_MAX };
	s->scope = (struct registry_scope){ .repo = s->all->opts->repo, .actions = "pull,push" };
	memset(s->headers, 0, sizeof(s->headers));
	if (s->step > OPEN)
		bk_url_copy(&s->location, &s->url);
	switch (s->step) {
	case EXISTS:
		s->req.method = "HEAD";
		return url_of(s, s->u->desc->digest, err);
	case OPEN:
		s->req.method = "POST";
		s->req.body = "";
		return open_url(s, err);
	case CHUNK:
		chunk(s);
		break;
	case FINISH:
		s->req.method = "PUT";
		s->req.once = true;
		body(s, left_of(s));
		bk_url_query_add(&s->url, "digest", s->u->desc->digest);
		break;
	case CLOSE:
		s->req.method = "DELETE";
		s->req.once = true;
		break;
	case OFFSET:
	case ENDED:
		break;
	}
	return 0;
}

/* Mounts are worth a try, and no more: who may push here may not pull there. */
static bool mount_refused(struct session *s, int rc, struct bk_err **err)
{
	if (s->step != OPEN || !s->mount ||
	    (rc != -BK_ERR_PERMISSION && rc != -BK_ERR_REGISTRY && rc != -BK_ERR_NOT_FOUND))
		return false;
	bk_err_clear(err);
	s->mount = false;
	return true;
}

static int start(struct session *s, struct bk_err **err)
{
	int rc = prepare(s, err);

	if (rc < 0)
		return rc;
	s->call.scope = &s->scope;
	s->call.url = &s->url;
	s->call.req = &s->req;
	rc = registry_call_start(s->all->r, &s->call, s, err);
	if (rc == 0)
		s->all->running++;
	return rc;
}

static int begin(struct session *s, struct bk_err **err)
{
	int rc = s->fd < 0 ? store_blob_open(s->all->s, s->u->desc->digest, s->u->desc->size, &s->fd,
					     NULL, err) :
			     0;

	if (rc < 0)
		return rc;
	if (!s->told)
		tell(s, REGISTRY_BEGUN, 0);
	s->told = true;
	rc = start(s, err);
	return rc < 0 && mount_refused(s, rc, err) ? start(s, err) : rc;
}

/* ---- what is answered ----------------------------------------------------------------------------- */

static void end(struct session *s, bool had)
{
	s->step = ENDED;
	s->all->left--;
	session_done(s);
	tell(s, had ? REGISTRY_EXISTS : REGISTRY_DONE, s->u->desc->size);
}

/* The Location of an answer is where it goes on. */
static int take_location(struct session *s, const struct bk_http_resp *resp, struct bk_err **err)
{
	const char *location = bk_http_header(resp, "location");
	struct bk_url to = BK_URL_INIT;
	int rc;

	if (!location)
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "status %d without a Location to go on at", resp->status);
	rc = bk_url_resolve(&resp->url, location, &to, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "Location");
	if (resp->url.https && !to.https) {
		bk_url_done(&to);
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "it wants the upload by http, which is not done");
	}
	bk_url_done(&s->location);
	s->location = to;
	return 0;
}

/* The session is of no use any more: another one later, or rc. */
static int restart(struct session *s, int rc, struct bk_err **err)
{
	if (++s->restarts > registry_retries(s->all->r))
		return rc;
	bk_err_clear(err);
	s->failures = 0;
	s->not_before = bk_clock_ms() + registry_pause_ms(s->restarts);
	s->step = s->location.host ? CLOSE : EXISTS;
	return 0;
}

/* A request was not answered, or by a failure that may pass; why is in *err. Later again, or rc. */
static int broke_off(struct session *s, int rc, struct bk_err **err)
{
	if (s->step == EXISTS)
		return rc; /* was tried again already */
	if (s->step != CHUNK)
		return restart(s, rc, err);
	if (++s->failures > registry_retries(s->all->r))
		return rc;
	bk_err_clear(err);
	/* It may have come further than we know. */
	s->not_before = bk_clock_ms() + registry_pause_ms(s->failures);
	s->step = OFFSET;
	return 0;
}

static int took_open(struct session *s, const struct bk_http_resp *resp, struct bk_err **err)
{
	const char *min = bk_http_header(resp, "oci-chunk-min-length");
	int64_t n;
	int rc;

	if (resp->status == 201) {
		if (!s->mount)
			return bk_err_set(err, BK_ERR_REGISTRY, 0,
					  "status 201 before anything was sent");
		end(s, true);
		return 0;
	}
	if (resp->status != 202)
		return registry_failed(resp, err);
	rc = take_location(s, resp, err);
	if (rc < 0)
		return rc;
	s->mount = false; /* once is enough */
	if (min && bk_num_i64(min, 1, INT64_MAX / 2, &n, NULL) == 0 && n > s->chunk)
		s->chunk = n;
	s->offset = 0;
	s->step = next_part(s);
	return 0;
}

static int took_chunk(struct session *s, const struct bk_http_resp *resp, struct bk_err **err)
{
	int64_t len = s->req.body_size;
	const char *got = bk_http_header(resp, "range");
	int64_t last;
	int rc;

	if (resp->status == 416) {
		/* The registry has another idea of what comes next. */
		s->step = OFFSET;
		return ++s->failures <= registry_retries(s->all->r) ? 0 : registry_failed(resp, err);
	}
	if (resp->status != 202)
		return registry_failed(resp, err);
	rc = take_location(s, resp, err);
	if (rc < 0)
		return rc;
	/* What it has is what counts, if it says so. */
	if (got && registry_upload_range(got, &last) && last + 1 > s->offset &&
	    last < s->offset + len)
		s->offset = last + 1;
	else
		s->offset += len;
	s->failures = 0;
	s->step = next_part(s);
	return 0;
}

static int took_offset(struct session *s, const struct bk_http_resp *resp, struct bk_err **err)
{
	const char *range = bk_http_header(resp, "range");
	int64_t last = 0;
	int rc;

	if (resp->status != 204 || !range || !registry_upload_range(range, &last) ||
	    last >= s->u->desc->size) {
		rc = bk_err_set(err, BK_ERR_REGISTRY, 0,
				"status %d, Range '%.100s': how far the upload got is not known",
				resp->status, range ? range : "");
		return restart(s, rc, err);
	}
	rc = bk_http_header(resp, "location") ? take_location(s, resp, err) : 0;
	if (rc < 0)
		return rc;
	/* "0-0" is said of nothing, too; sending one byte twice is refused, so it is taken for nothing. */
	s->offset = last > 0 ? last + 1 : 0;
	s->step = next_part(s);
	return 0;
}

static int took_finish(struct session *s, const struct bk_http_resp *resp, struct bk_err **err)
{
	const char *said = bk_http_header(resp, "docker-content-digest");

	if (resp->status != 201)
		return registry_failed(resp, err);
	if (said && !bk_streq(said, s->u->desc->digest))
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "the registry took it for %.*s",
				  BK_DIGEST_TEXT_SIZE, said);
	end(s, false);
	return 0;
}

/* What may be another the next time; 429 and 503 have been tried again by then. */
static bool passes(int status)
{
	return status == 408 || status == 500 || status == 502 || status == 504 || status == 522;
}

static int judge(struct session *s, const struct bk_http_resp *resp, struct bk_err **err)
{
	if (passes(resp->status) && s->step != CLOSE)
		return broke_off(s, registry_failed(resp, err), err);
	switch (s->step) {
	case EXISTS:
		if (resp->status == 200)
			end(s, true);
		else if (resp->status != 404)
			return registry_failed(resp, err);
		else
			s->step = OPEN;
		return 0;
	case OPEN:
		return took_open(s, resp, err);
	case CHUNK:
		return took_chunk(s, resp, err);
	case OFFSET:
		return took_offset(s, resp, err);
	case FINISH:
		return took_finish(s, resp, err);
	case CLOSE:
	case ENDED:
		break;
	}
	/* What giving up says is of no interest. */
	bk_url_done(&s->location);
	s->step = EXISTS;
	return 0;
}

static int took(struct session *s, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	struct sending *a = s->all;
	bool again;
	int rc = registry_call_end(a->r, &s->call, &again, &resp, err);

	a->running--;
	if (rc == 0 && again)
		return 0;
	s->call.challenges = 0;
	a->known = a->known || rc == 0;
	if (rc == -BK_ERR_NETWORK && s->step == CLOSE) {
		bk_err_clear(err);
		rc = judge(s, &resp, err);
	} else if (rc == -BK_ERR_NETWORK) {
		rc = broke_off(s, rc, err);
	} else if (rc == 0) {
		rc = judge(s, &resp, err);
	}
	if (rc < 0 && mount_refused(s, rc, err))
		rc = 0;
	return rc < 0 ? bk_err_wrap(err, rc, "blob %s", s->u->desc->digest) : 0;
}

/* ---- all of them ---------------------------------------------------------------------------------- */

/* Those that were begun come first, being the larger ones. */
static int start_some(struct sending *a, struct bk_err **err)
{
	int64_t now = bk_clock_ms();

	for (size_t i = 0; i < a->n && a->running < (a->known ? a->jobs : 1); i++) {
		struct session *s = &a->sessions[i];
		int rc;

		if (s->step == ENDED || s->call.transfer || now < s->not_before)
			continue;
		rc = begin(s, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "blob %s", s->u->desc->digest);
	}
	return 0;
}

static int loop(struct sending *a, struct bk_err **err)
{
	while (a->left > 0) {
		struct bk_http_transfer *t;
		int rc = start_some(a, err);

		if (rc < 0)
			return rc;
		t = bk_http_next_within(registry_http(a->r), WAIT_MS);
		if (t)
			rc = took(bk_http_transfer_ctx(t), err);
		else if (a->running == 0)
			(void)poll(NULL, 0, WAIT_MS);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Gives up what is under way. */
static void cancel(struct sending *a)
{
	int64_t end_at = bk_clock_ms() + CANCEL_MS;

	registry_unstop(a->r);
	for (size_t i = 0; i < a->n; i++)
		stop_request(&a->sessions[i]);
	for (size_t i = 0; i < a->n; i++) {
		struct session *s = &a->sessions[i];

		s->step = CLOSE;
		s->call.challenges = 0;
		if (s->location.host)
			(void)begin(s, NULL);
	}
	while (a->running > 0) {
		int64_t left = end_at - bk_clock_ms();
		struct bk_http_transfer *t =
			left > 0 ? bk_http_next_within(registry_http(a->r), (int)left) : NULL;

		if (!t)
			break;
		stop_request(bk_http_transfer_ctx(t));
	}
}

static int by_size(const void *a, const void *b)
{
	int64_t x = ((const struct session *)a)->u->desc->size;
	int64_t y = ((const struct session *)b)->u->desc->size;

	return (x < y) - (x > y);
}

int registry_upload(struct registry *r, const struct store *s, const struct registry_upload *blobs,
		    size_t n, const struct registry_upload_opts *opts, struct bk_err **err)
{
	struct sending a = {
		.r = r,
		.s = s,
		.opts = opts,
		.n = n,
		.left = n,
		.jobs = opts->jobs ? opts->jobs : REGISTRY_JOBS,
	};
	int rc;

	a.sessions = bk_calloc(n ? n : 1, sizeof(*a.sessions));
	for (size_t i = 0; i < n; i++)
		a.sessions[i] = (struct session){
			.all = &a,
			.u = &blobs[i],
			.fd = -1,
			.chunk = opts->chunk ? opts->chunk : REGISTRY_CHUNK,
			.mount = blobs[i].from != NULL,
		};
	qsort(a.sessions, n, sizeof(*a.sessions), by_size);
	rc = loop(&a, err);
	if (rc < 0)
		cancel(&a);
	for (size_t i = 0; i < n; i++)
		session_done(&a.sessions[i]);
	free(a.sessions);
	return rc;
}
