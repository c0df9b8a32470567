/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_upload.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "registry/registry_header.h"

struct session {
	struct registry *r;
	const struct registry_upload *u;
	struct registry_scope scope;
	struct bk_url location; /* always the latest one; host NULL: none is open */
	int64_t offset;		/* bytes that the registry has */
	int64_t chunk;
	int64_t begun;		/* bytes sent of the request under way */
};

static char *const octets[] = { (char *)(uintptr_t)"Content-Type: application/octet-stream", NULL };

static void sent(void *ctx, size_t len)
{
	struct session *s = ctx;

	s->begun += (int64_t)len;
	if (s->u->sent)
		s->u->sent(s->u->ctx, s->offset + s->begun);
}

static int exists(struct session *s, bool *ret, struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("/v2/%s/blobs/%s", s->u->repo, s->u->desc->digest);
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = { .method = "HEAD" };
	int rc = registry_do(s->r, &s->scope, path, &req, &resp, err);

	if (rc < 0)
		return rc;
	if (resp.status != 200 && resp.status != 404)
		return registry_failed(&resp, err);
	*ret = resp.status == 200;
	return 0;
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

/* A session, or *ret_done: the blob could be mounted. */
static int open_session(struct session *s, bool mount, bool *ret_done, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	bk_autourl struct bk_url url = BK_URL_INIT;
	bk_autofree char *path = bk_asprintf("/v2/%s/blobs/uploads/", s->u->repo);
	const struct bk_http_req req = { .method = "POST", .body = "" };
	struct registry_scope scope = s->scope;
	const char *min;
	enum bk_digest_alg alg;
	int64_t n;
	int rc = registry_url(s->r, path, &url, err);

	if (rc == 0)
		rc = bk_digest_parse(s->u->desc->digest, &alg, NULL, err);
	if (rc < 0)
		return rc;
	if (mount) {
		scope.from = s->u->from;
		bk_url_query_add(&url, "mount", s->u->desc->digest);
		bk_url_query_add(&url, "from", s->u->from);
	} else if (alg != BK_DIGEST_SHA256) {
		bk_url_query_add(&url, "digest-algorithm", bk_digest_alg_name(alg));
	}
	rc = registry_do_url(s->r, &scope, &url, &req, &resp, err);
	if (rc < 0)
		return rc;
	if (resp.status == 201) {
		*ret_done = mount;
		return mount ? 0 :
			       bk_err_set(err, BK_ERR_REGISTRY, 0,
					  "status 201 before anything was sent");
	}
	if (resp.status != 202)
		return registry_failed(&resp, err);
	min = bk_http_header(&resp, "oci-chunk-min-length");
	if (min && bk_num_i64(min, 1, INT64_MAX / 2, &n, NULL) == 0 && n > s->chunk)
		s->chunk = n;
	s->offset = 0;
	return take_location(s, &resp, err);
}

/* Gives the session up; what that says is of no interest. */
static void cancel(struct session *s)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = { .method = "DELETE" };

	if (s->location.host)
		(void)registry_do_url(s->r, &s->scope, &s->location, &req, &resp, NULL);
}

/* Asks how much the registry has; false: the session is lost. */
static bool ask_offset(struct session *s)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = { .method = "GET", .max_body = REGISTRY_ERROR_MAX };
	const char *range;
	int64_t last = 0;

	if (registry_do_url(s->r, &s->scope, &s->location, &req, &resp, NULL) < 0 ||
	    resp.status != 204)
		return false;
	range = bk_http_header(&resp, "range");
	if (!range || !registry_upload_range(range, &last) || last >= s->u->desc->size)
		return false;
	if (bk_http_header(&resp, "location") && take_location(s, &resp, NULL) < 0)
		return false;
	/* "0-0" is said of nothing, too; sending one byte twice is refused, so it is taken for nothing. */
	s->offset = last > 0 ? last + 1 : 0;
	return true;
}

/* One chunk. *ret_again: the registry has another idea of what comes next, and was asked for it. */
static int send_chunk(struct session *s, bool *ret_again, struct bk_err **err)
{
	int64_t left = s->u->desc->size - s->offset;
	int64_t len = left < s->chunk ? left : s->chunk;
	bk_autofree char *range = bk_asprintf("Content-Range: %" PRId64 "-%" PRId64, s->offset,
					      s->offset + len - 1);
	char *const headers[] = { octets[0], range, NULL };
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = {
		.method = "PATCH",
		.headers = headers,
		.body_fd = s->u->fd,
		.body_offset = s->offset,
		.body_size = len,
		.sent = sent,
		.ctx = s,
	};
	const char *got;
	int64_t last;
	int rc;

	s->begun = 0;
	rc = registry_do_url(s->r, &s->scope, &s->location, &req, &resp, err);
	if (rc < 0)
		return rc;
	if (resp.status == 416) {
		*ret_again = true;
		return ask_offset(s) ? 0 : registry_failed(&resp, err);
	}
	if (resp.status != 202)
		return registry_failed(&resp, err);
	rc = take_location(s, &resp, err);
	if (rc < 0)
		return rc;
	got = bk_http_header(&resp, "range");
	/* What it has is what counts, if it says so. */
	if (got && registry_upload_range(got, &last) && last + 1 > s->offset &&
	    last < s->offset + len)
		s->offset = last + 1;
	else
		s->offset += len;
	return 0;
}

/* The end: what is left of the content, none after chunks, and the digest. */
static int finish(struct session *s, struct bk_err **err)
{
	int64_t left = s->u->desc->size - s->offset;
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	const struct bk_http_req req = {
		.method = "PUT",
		.headers = octets,
		.body = "",
		.body_fd = s->u->fd,
		.body_offset = s->offset,
		.body_size = left,
		.sent = sent,
		.ctx = s,
		.once = true,
	};
	const char *said;
	int rc;

	s->begun = 0;
	bk_url_query_add(&s->location, "digest", s->u->desc->digest);
	rc = registry_do_url(s->r, &s->scope, &s->location, &req, &resp, err);
	if (rc < 0)
		return rc;
	if (resp.status != 201)
		return registry_failed(&resp, err);
	said = bk_http_header(&resp, "docker-content-digest");
	if (said && !bk_streq(said, s->u->desc->digest))
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "the registry took it for %.*s",
				  BK_DIGEST_TEXT_SIZE, said);
	return 0;
}

static int send_all(struct session *s, struct bk_err **err)
{
	unsigned int failures = 0;

	while (s->u->desc->size > s->chunk && s->offset < s->u->desc->size) {
		int64_t before = s->offset;
		bool again = false;
		int rc = send_chunk(s, &again, err);

		if (rc == 0 && s->offset > before)
			failures = 0;
		else if (++failures > registry_retries(s->r))
			return rc < 0 ? rc :
					bk_err_set(err, BK_ERR_REGISTRY, 0,
						   "the upload does not get on");
		if (rc < 0 && rc != -BK_ERR_NETWORK)
			return rc;
		if (rc < 0) {
			/* It may have come further than we know. */
			if (!ask_offset(s))
				return rc;
			bk_err_clear(err);
		}
	}
	return finish(s, err);
}

static int upload(struct session *s, bool *ret_had, struct bk_err **err)
{
	bool done = false;
	int rc = exists(s, &done, err);

	if (rc == 0 && !done)
		rc = open_session(s, s->u->from != NULL, &done, err);
	if (rc < 0)
		return rc;
	*ret_had = done;
	if (done)
		return 0;
	for (unsigned int tries = 0;; tries++) {
		rc = send_all(s, err);
		if (rc != -BK_ERR_NETWORK || tries >= registry_retries(s->r))
			break;
		/* The session is lost with the connection: another one. */
		bk_err_clear(err);
		cancel(s);
		rc = open_session(s, false, &done, err);
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		cancel(s);
	return rc;
}

int registry_upload(struct registry *r, const struct registry_upload *u, bool *ret_had,
		    struct bk_err **err)
{
	struct session s = {
		.r = r,
		.u = u,
		.scope = { .repo = u->repo, .actions = "pull,push" },
		.chunk = u->chunk ? u->chunk : REGISTRY_CHUNK,
	};
	int rc = upload(&s, ret_had, err);

	bk_url_done(&s.location);
	return rc < 0 ? bk_err_wrap(err, rc, "blob %s", u->desc->digest) : 0;
}
