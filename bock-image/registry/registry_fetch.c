/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_fetch.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_clock.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "registry/registry_header.h"
#include "registry/registry_manifest.h"
#include "store/store_blob.h"
#include "store/store_part.h"

#define PIECE_SEGMENTS	8 /* of one ranged request */
#define PROGRESS_ENOUGH ((int64_t)1 << 20)
#define LOCKED_MS	200

struct blob;

/* Bytes [pos, end) of a blob, by one request. */
struct piece {
	struct piece *next;
	struct blob *blob;
	int64_t pos, end;
	struct registry_call call; /* no transfer: waits */
	struct bk_url url;
	char *range, *headers[2];
	struct bk_http_req req;
	bool checked;
	bool ignored;	/* the server sent all in place of a range */
};

struct blob {
	const struct oci_descriptor *desc;
	struct fetch *fetch;
	struct store_part *part;
	struct piece *pieces;
	char *claimed; /* one a segment: a piece has it */
	size_t segments;
	int64_t not_before;
	int64_t mark; /* bytes at the last failure */
	unsigned int failures;
	size_t place; /* 0: it comes from the registry; n: from its nth URL */
	bool resumed, single, finished, waits;
};

struct fetch {
	struct registry *r;
	const char *repo;
	struct registry_scope scope;
	struct store *store;
	struct blob *blobs;
	size_t n, left;
	unsigned int jobs, running;
	const struct registry_progress *progress;
	char ***added;
	bool again; /* what is there does not count */
};

static void tell(const struct fetch *f, enum registry_event event, const struct blob *b)
{
	if (f->progress && f->progress->event)
		f->progress->event(f->progress->ctx, event, b->desc,
				   b->part ? store_part_bytes(b->part) :
			    event == REGISTRY_BEGUN || event == REGISTRY_WAITS ? 0 :
										 b->desc->size);
}

/* p is in no list any more. */
static void piece_end(struct piece *p)
{
	if (p->call.transfer)
		p->blob->fetch->running--;
	registry_call_done(&p->call);
	bk_url_done(&p->url);
	free(p->range);
	free(p);
}

static void piece_free(struct piece *p)
{
	struct piece **q = &p->blob->pieces;

	while (*q != p)
		q = &(*q)->next;
	*q = p->next;
	piece_end(p);
}

static void pieces_free(struct blob *b)
{
	while (b->pieces) {
		struct piece *p = b->pieces;

		b->pieces = p->next;
		piece_end(p);
	}
}

static void blob_done(struct blob *b)
{
	pieces_free(b);
	store_part_free(b->part);
	b->part = NULL;
	free(b->claimed);
	b->claimed = NULL;
}

/* ---- where from ----------------------------------------------------------------------------------- */

static size_t n_places(const struct blob *b)
{
	return oci_media_is_foreign(b->desc->media_type) && b->desc->urls ?
		       bk_strv_len(b->desc->urls) :
		       0;
}

/* The nth URL of a foreign layer. */
static int foreign_url(const struct blob *b, size_t n, struct bk_url *ret, struct bk_err **err)
{
	bk_autourl struct bk_url registry = BK_URL_INIT;
	struct bk_url url = BK_URL_INIT;
	int rc = registry_url(b->fetch->r, "/v2/", &registry, err);

	if (rc == 0)
		rc = bk_url_parse(b->desc->urls[n - 1], &url, err);
	if (rc < 0)
		return rc;
	if (!url.https && registry.https) {
		bk_autofree char *shown = bk_url_shown(&url);

		bk_url_done(&url);
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "%s: only https will do", shown);
	}
	*ret = url;
	return 0;
}

/* For a server that knows no ranges, and where what came is not believed. */
static int from_start(struct blob *b, struct bk_err **err)
{
	b->resumed = false;
	b->mark = 0;
	pieces_free(b);
	memset(b->claimed, 0, b->segments);
	return store_part_restart(b->part, err);
}

/* One place did not do, why is in *err: a foreign layer comes from the next, from its start; else rc. */
static int next_place(struct blob *b, int rc, struct bk_err **err)
{
	size_t n = n_places(b);

	if (n == 0 || rc == -BK_ERR_IO || rc == -BK_ERR_INTERNAL)
		return rc;
	if (registry_refuses_foreign(b->fetch->r)) {
		rc = bk_err_wrap(err, rc, "foreign layer, to be had from '%.200s'", b->desc->urls[0]);
		return bk_err_hint(err, rc, "--foreign-layers=fetch fetches it from there");
	}
	while (++b->place <= n) {
		bk_autourl struct bk_url url = BK_URL_INIT;

		bk_err_clear(err);
		rc = foreign_url(b, b->place, &url, err);
		if (rc < 0)
			continue;
		b->failures = 0;
		b->single = false;
		return from_start(b, err);
	}
	return rc;
}

/* ---- an answer ----------------------------------------------------------------------------------- */

/* That an answer is the range that was asked for. */
static int check_answer(struct piece *p, const struct bk_http_resp *resp, struct bk_err **err)
{
	const struct oci_descriptor *d = p->blob->desc;
	const char *range = bk_http_header(resp, "content-range");
	bool whole = p->pos == 0 && p->end == d->size;
	int64_t first, last, size;

	p->checked = true;
	if (resp->status == 200 && whole)
		return 0;
	if (resp->status == 200) {
		p->ignored = true;
		return bk_err_set(err, BK_ERR_NETWORK, 0, "the range was ignored");
	}
	if (resp->status != 206 || !range || !registry_content_range(range, &first, &last, &size) ||
	    first != p->pos || last >= p->end || (size >= 0 && size != d->size))
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "status %d, Content-Range '%.100s': bytes %" PRId64 "-%" PRId64
				  " of %" PRId64 " were asked for",
				  resp->status, range ? range : "", p->pos, p->end - 1, d->size);
	return 0;
}

static int sink(void *ctx, const struct bk_http_resp *resp, const void *data, size_t len,
		struct bk_err **err)
{
	struct piece *p = ctx;
	int rc = p->checked ? 0 : check_answer(p, resp, err);

	if (rc < 0)
		return rc;
	if ((int64_t)len > p->end - p->pos)
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "the answer is longer than the %" PRId64 " bytes of the blob",
				  p->blob->desc->size);
	rc = store_part_write(p->blob->part, p->pos, data, len, err);
	if (rc < 0)
		return rc;
	p->pos += (int64_t)len;
	tell(p->blob->fetch, REGISTRY_PROGRESS, p->blob);
	return 0;
}

/* ---- what is to be done --------------------------------------------------------------------------- */

static int set_url(struct piece *p, struct bk_err **err)
{
	struct fetch *f = p->blob->fetch;
	bk_autofree char *path = bk_asprintf("/v2/%s/blobs/%s", f->repo, p->blob->desc->digest);

	bk_url_done(&p->url);
	p->call.bare = p->blob->place > 0;
	return p->call.bare ? foreign_url(p->blob, p->blob->place, &p->url, err) :
			      registry_url(f->r, path, &p->url, err);
}

static int start_piece(struct piece *p, struct bk_err **err)
{
	struct fetch *f = p->blob->fetch;
	bool whole = p->pos == 0 && p->end == p->blob->desc->size;
	int rc = set_url(p, err);

	if (rc < 0)
		return rc;
	free(p->range);
	p->range = bk_asprintf("Range: bytes=%" PRId64 "-%" PRId64, p->pos, p->end - 1);
	p->headers[0] = whole ? NULL : p->range;
	p->req = (struct bk_http_req){
		.method = "GET",
		.headers = p->headers,
		.max_body = REGISTRY_ERROR_MAX,
		.sink = sink,
		.ctx = p,
	};
	p->call.scope = &f->scope;
	p->call.url = &p->url;
	p->call.req = &p->req;
	p->checked = p->ignored = false;
	rc = registry_call_start(f->r, &p->call, p, err);
	if (rc == 0)
		f->running++;
	return rc;
}

/* The next bytes of b that nobody has: a piece of them, NULL: none. */
static struct piece *new_piece(struct blob *b)
{
	bool ranged = !b->single && b->desc->size >= REGISTRY_RANGED_MIN;
	size_t i = 0, n = 0;
	struct piece *p;

	while (i < b->segments &&
	       (b->claimed[i] || store_part_has(b->part, (int64_t)i * STORE_PART_SEGMENT)))
		i++;
	if (i == b->segments)
		return NULL;
	while (i + n < b->segments && !b->claimed[i + n] &&
	       !store_part_has(b->part, (int64_t)(i + n) * STORE_PART_SEGMENT) &&
	       (!ranged || n < PIECE_SEGMENTS))
		b->claimed[i + n++] = 1;
	p = bk_calloc(1, sizeof(*p));
	p->blob = b;
	p->pos = (int64_t)i * STORE_PART_SEGMENT;
	p->end = (int64_t)(i + n) * STORE_PART_SEGMENT;
	if (p->end > b->desc->size)
		p->end = b->desc->size;
	p->next = b->pieces;
	b->pieces = p;
	return p;
}

static int blob_finish(struct blob *b, bool there, struct bk_err **err)
{
	struct fetch *f = b->fetch;
	bool known = there;
	int rc = 0;

	if (!there) {
		rc = store_part_commit(b->part, err);
		if (rc < 0 && b->resumed) {
			/* What an earlier run left may be damaged: once from the start. */
			bk_err_clear(err);
			return from_start(b, err);
		}
		if (rc < 0) {
			rc = next_place(b, rc, err);
			if (rc == 0)
				return 0;
		}
		if (rc == 0 && f->added)
			bk_strv_add(f->added, b->desc->digest);
	}
	if (rc < 0)
		return rc;
	blob_done(b);
	b->finished = true;
	f->left--;
	tell(f, known ? REGISTRY_EXISTS : REGISTRY_DONE, b);
	return 0;
}

/* Opens b's part. While another process has it, later; then it is in the store. */
static int blob_open(struct blob *b, struct bk_err **err)
{
	struct fetch *f = b->fetch;
	int rc;

	if (!f->again && store_blob_has(f->store, b->desc->digest, b->desc->size))
		return blob_finish(b, true, err);
	rc = store_part_open(f->store, b->desc->digest, b->desc->size, &b->part, err);
	if (rc < 0)
		return rc;
	if (!b->part) {
		b->not_before = bk_clock_ms() + LOCKED_MS;
		if (!b->waits)
			tell(f, REGISTRY_WAITS, b);
		b->waits = true;
		return 0;
	}
	b->segments = (size_t)((b->desc->size + STORE_PART_SEGMENT - 1) / STORE_PART_SEGMENT);
	b->claimed = bk_calloc(b->segments + 1, 1);
	b->mark = store_part_bytes(b->part);
	b->resumed = b->mark > 0;
	tell(f, REGISTRY_BEGUN, b);
	return 0;
}

static bool complete(const struct blob *b)
{
	return b->part && !b->pieces && store_part_bytes(b->part) == b->desc->size;
}

/* Starts one request for b; *ret_started false: there is none to start now. */
static int blob_step(struct blob *b, bool first, bool *ret_started, struct bk_err **err)
{
	struct piece *p;
	int rc = 0;

	if (b->finished || bk_clock_ms() < b->not_before)
		return 0;
	if (!b->part)
		rc = blob_open(b, err);
	if (rc == 0 && complete(b))
		rc = blob_finish(b, false, err);
	if (rc < 0 || !b->part)
		return rc;
	for (p = b->pieces; p; p = p->next)
		if (!p->call.transfer)
			break;
	/* At first one a blob, then more of the large ones. */
	if (!p && !(first && b->pieces))
		p = new_piece(b);
	if (!p)
		return 0;
	*ret_started = true;
	return start_piece(p, err);
}

/* Fills the free places. */
static int start_some(struct fetch *f, struct bk_err **err)
{
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < f->n && f->running < f->jobs; i++) {
			bool started = true;
			int rc = 0;

			while (rc == 0 && started && f->running < f->jobs) {
				started = false;
				rc = blob_step(&f->blobs[i], round == 0, &started, err);
				if (round == 0)
					break;
			}
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* ---- what came ------------------------------------------------------------------------------------ */

/* p broke off, why is in *err: later again, or rc. */
static int broke_off(struct piece *p, int rc, struct bk_err **err)
{
	struct blob *b = p->blob;
	int64_t bytes = store_part_bytes(b->part);

	if (p->ignored) {
		bk_err_clear(err);
		b->single = true;
		return from_start(b, err);
	}
	if (rc != -BK_ERR_NETWORK)
		return rc;
	if (bytes >= b->mark + PROGRESS_ENOUGH)
		b->failures = 0;
	b->mark = bytes;
	/* as often as any request, but a megabyte in between is a new beginning */
	if (++b->failures > registry_retries(b->fetch->r))
		return rc;
	bk_err_clear(err);
	b->not_before = bk_clock_ms() + registry_pause_ms(b->failures);
	return b->single ? from_start(b, err) : 0;
}

static int judge(struct piece *p, struct bk_http_resp *resp, struct bk_err **err)
{
	int rc;

	if (resp->status < 200 || resp->status > 299) {
		bk_autofree char *shown = bk_url_shown(&resp->url);

		rc = registry_failed(resp, err);
		return p->call.bare ? bk_err_wrap(err, rc, "%s", shown) : rc;
	}
	if (p->pos == p->end) {
		piece_free(p);
		return 0;
	}
	rc = bk_err_set(err, BK_ERR_NETWORK, 0,
			"the answer ended %" PRId64 " bytes before the end of the blob",
			p->end - p->pos);
	return broke_off(p, rc, err);
}

static int took(struct piece *p, struct bk_err **err)
{
	bk_autoresp struct bk_http_resp resp = BK_HTTP_RESP_INIT;
	struct blob *b = p->blob;
	bool again;
	int rc = registry_call_end(b->fetch->r, &p->call, &again, &resp, err);

	b->fetch->running--;
	if (rc == 0 && again)
		return 0;
	rc = rc < 0 ? broke_off(p, rc, err) : judge(p, &resp, err);
	if (rc < 0)
		rc = next_place(b, rc, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "blob %s", b->desc->digest);
	return complete(b) ? blob_finish(b, false, err) : 0;
}

static int by_size(const void *a, const void *b)
{
	const struct blob *x = a, *y = b;

	return (x->desc->size < y->desc->size) - (x->desc->size > y->desc->size);
}

static int loop(struct fetch *f, struct bk_err **err)
{
	while (f->left > 0) {
		struct bk_http_transfer *t;
		int rc = start_some(f, err);

		if (rc < 0)
			return rc;
		if (f->left == 0)
			return 0;
		t = bk_http_next_within(registry_http(f->r), LOCKED_MS);
		if (t) {
			rc = took(bk_http_transfer_ctx(t), err);
			if (rc < 0)
				return rc;
		} else if (f->running == 0) {
			(void)poll(NULL, 0, LOCKED_MS);
		}
	}
	return 0;
}

static int fetch(struct fetch *f, const struct oci_descriptor *blobs, size_t n, struct bk_err **err)
{
	int rc;

	f->scope = (struct registry_scope){ .repo = f->repo, .actions = "pull" };
	f->blobs = bk_calloc(n ? n : 1, sizeof(*f->blobs));
	for (size_t i = 0; i < n; i++) {
		bool twice = false;

		for (size_t k = 0; k < i && !twice; k++)
			twice = bk_streq(blobs[k].digest, blobs[i].digest);
		if (twice)
			continue;
		f->blobs[f->n].desc = &blobs[i];
		f->blobs[f->n++].fetch = f;
	}
	f->left = f->n;
	qsort(f->blobs, f->n, sizeof(*f->blobs), by_size);
	rc = loop(f, err);
	for (size_t i = 0; i < f->n; i++)
		blob_done(&f->blobs[i]);
	free(f->blobs);
	return rc;
}

int registry_fetch(struct registry *r, const char *repo, struct store *s,
		   const struct oci_descriptor *blobs, size_t n, unsigned int jobs,
		   const struct registry_progress *progress, char ***added, struct bk_err **err)
{
	struct fetch f = {
		.r = r,
		.repo = repo,
		.store = s,
		.jobs = jobs ? jobs : REGISTRY_JOBS,
		.progress = progress,
		.added = added,
	};

	return fetch(&f, blobs, n, err);
}

/* They have another address than blobs. */
static int manifest_again(struct registry *r, const char *repo, struct store *s,
			  const struct oci_descriptor *d, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostorewriter struct store_writer *w = NULL;
	struct oci_descriptor got;
	int rc = registry_manifest_read(r, repo, d->digest, d, &text, arena, &got, err);

	if (rc == 0)
		rc = store_writer_new(s, d->digest, d->size, &w, err);
	if (rc < 0)
		return rc;
	store_writer_replace(w);
	rc = store_writer_write(w, bk_buf_str(&text), text.len, err);
	return rc < 0 ? rc : store_writer_commit(w, NULL, NULL, err);
}

int registry_fetch_again(struct registry *r, const char *repo, struct store *s,
			 const struct oci_descriptor *d, const struct registry_progress *progress,
			 struct bk_err **err)
{
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	struct fetch f = {
		.r = r,
		.repo = repo,
		.store = s,
		.jobs = REGISTRY_JOBS,
		.progress = progress,
		.again = true,
	};

	if (kind == OCI_MEDIA_KIND_MANIFEST || kind == OCI_MEDIA_KIND_INDEX)
		return manifest_again(r, repo, s, d, err);
	return fetch(&f, d, 1, err);
}
