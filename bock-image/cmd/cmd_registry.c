/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_registry.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_clock.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "codec/bk_json.h"
#include "registry/registry_trust.h"
#include "store/store_gc.h"

#define DRAW_MS	  100
#define ROWS_MAX  40 /* lines that are drawn again */
#define LINE_SIZE 256

static void notice(void *ctx, const char *text)
{
	const struct cmd_registry *c = ctx;

	bk_log_msg(c->log, BK_LOG_WARNING, "%s", text);
}

static bool stopped(void *ctx)
{
	const struct cmd_registry *c = ctx;

	return c->stop && cmd_stop_asked(c->stop);
}

int cmd_registry_open_as(struct cmd_registry *c, const struct bk_cli_call *call,
			 const struct cmd_registry_opts *o, const struct credential *credential,
			 struct bk_err **err)
{
	struct registry_opts ro = {
		.credential = credential,
		.cert_dir = o->cert_dir,
		.insecure = !o->tls_verify,
		.plain_http = o->plain_http,
		.refuse_foreign = o->foreign_layers == CMD_FOREIGN_REFUSE,
		.retries = o->retries == 0 ? UINT32_MAX : o->retries,
		.notice = notice,
		.stopped = stopped,
		.ctx = c,
	};
	uint64_t stall = 0;
	int rc = o->timeout ? bk_num_duration_ms(o->timeout, &stall, err) : 0;

	if (rc < 0)
		return bk_err_wrap(err, rc, "--timeout");
	if (o->timeout && (stall < 1000 || stall > UINT32_MAX))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--timeout '%s': at least a second",
				  o->timeout);
	ro.stall_ms = (uint32_t)stall;
	c->creds = creds_manager_new(o->authfile);
	c->log = call->log;
	ro.creds = c->creds;
	rc = registry_conf_load(o->registries_conf, &c->conf, err);
	return rc < 0 ? rc : registry_client_new(&ro, &c->client, err);
}

int cmd_registry_open(struct cmd_registry *c, const struct bk_cli_call *call,
		      const struct cmd_registry_opts *o, struct bk_err **err)
{
	return cmd_registry_open_as(c, call, o, NULL, err);
}

int cmd_registry_find(struct cmd_registry *c, const struct ref *ref, struct registry **ret,
		      const char **ret_repo, struct bk_err **err)
{
	struct registry_endpoint *e;
	size_t n;
	int rc = registry_conf_resolve(c->conf, ref, false, &e, &n, err);

	if (rc < 0)
		return rc;
	*ret_repo = e[0].repo;
	return registry_open_endpoint(c->client, e[0].domain, e[0].insecure, ret, err);
}

int cmd_registry_policy(struct cmd_registry *c, const char *path, struct bk_err **err)
{
	return trust_policy_load(path, &c->policy, err);
}

/* An image under way, for the policy. */
struct wanted {
	const struct cmd_registry *c;
	const struct ref *ref;
	struct registry *r;
	const char *repo;
};

static int check_policy(void *ctx, const struct oci_descriptor *top,
			const struct oci_descriptor *image, struct bk_err **err)
{
	const struct wanted *w = ctx;
	const struct registry_trust_image i = {
		.ref = w->ref,
		.digest = top->digest,
		.image_digest = image->digest,
		.r = w->r,
		.repo = w->repo,
	};
	struct trust_rules rules;

	trust_policy_find(w->c->policy, w->ref, &rules);
	return registry_trust_check(w->c->policy, &rules, &i, err);
}

static int pull_from(struct cmd_registry *c, const struct registry_endpoint *e, const struct ref *ref,
		     struct store *s, const struct registry_pull_opts *opts, struct bk_arena *arena,
		     struct oci_descriptor *ret, struct oci_descriptor *ret_image,
		     struct bk_err **err)
{
	struct wanted w = { .c = c, .ref = ref, .repo = e->repo };
	struct registry_pull_opts po = *opts;
	bk_autostrv char **added = NULL;
	int rc = registry_open_endpoint(c->client, e->domain, e->insecure, &w.r, err);

	if (c->policy) {
		po.check = check_policy;
		po.ctx = &w;
	}
	if (rc == 0)
		rc = registry_pull(w.r, e->repo, ref->digest ? ref->digest : ref->tag, s, &po, arena,
				   ret, ret_image, &added, err);
	if (rc < 0 && rc != -BK_ERR_NETWORK)
		store_gc_discard(s, added);
	return rc;
}

int cmd_registry_pull(struct cmd_registry *c, const struct ref *ref, struct store *s,
		      const struct registry_pull_opts *opts, struct bk_arena *arena,
		      struct oci_descriptor *ret, struct oci_descriptor *ret_image,
		      struct bk_err **err)
{
	struct registry_endpoint *e;
	size_t n;
	int rc = registry_conf_resolve(c->conf, ref, true, &e, &n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i + 1 < n; i++) {
		struct bk_err *why = NULL;
		char text[BK_ERR_MSG_MAX];

		rc = pull_from(c, &e[i], ref, s, opts, arena, ret, ret_image, &why);
		if (rc == 0)
			return 0;
		bk_log_msg(c->log, BK_LOG_WARNING, "mirror %s: %s", e[i].domain,
			   bk_err_print(why, text, sizeof(text)));
		bk_err_clear(&why);
	}
	return pull_from(c, &e[n - 1], ref, s, opts, arena, ret, ret_image, err);
}

void cmd_registry_done(struct cmd_registry *c)
{
	registry_client_free(c->client);
	creds_free(c->creds);
	registry_conf_free(c->conf);
	trust_policy_free(c->policy);
	*c = (struct cmd_registry){ 0 };
}

/* ---- progress ------------------------------------------------------------------------------------ */

struct cmd_progress_row {
	char *digest;
	int64_t done, size;
	enum registry_event event;
};

void cmd_progress_init(struct cmd_progress *p, bool quiet, bool json, const char *verb)
{
	*p = (struct cmd_progress){ .verb = verb, .mode = CMD_PROGRESS_PLAIN };
	if (quiet)
		p->mode = CMD_PROGRESS_NONE;
	else if (json)
		p->mode = CMD_PROGRESS_JSON;
	else if (isatty(STDERR_FILENO))
		p->mode = CMD_PROGRESS_TTY;
}

static struct cmd_progress_row *row_of(struct cmd_progress *p, const struct oci_descriptor *d)
{
	for (size_t i = 0; i < p->n; i++)
		if (bk_streq(p->rows[i].digest, d->digest))
			return &p->rows[i];
	p->rows = bk_reallocarray(p->rows, p->n + 1, sizeof(*p->rows));
	p->rows[p->n] = (struct cmd_progress_row){ .digest = bk_strdup(d->digest),
						   .size = d->size };
	return &p->rows[p->n++];
}

static void describe(const struct cmd_progress *p, const struct cmd_progress_row *r, char *line,
		     size_t size)
{
	char done[32], all[32];
	int len;
	const char *digest = cmd_out_short(r->digest, &len);

	bk_num_human((uint64_t)r->size, all, sizeof(all));
	if (r->event == REGISTRY_EXISTS)
		(void)snprintf(line, size, "%.*s  %10s  already there", len, digest, all);
	else if (r->event == REGISTRY_DONE)
		(void)snprintf(line, size, "%.*s  %10s  %s", len, digest, all, p->verb);
	else if (r->event == REGISTRY_WAITS)
		(void)snprintf(line, size, "%.*s  %10s  another process fetches it", len, digest,
			       all);
	else
		(void)snprintf(line, size, "%.*s  %10s  %3d%%  %s", len, digest, all,
			       r->size > 0 ? (int)(r->done * 100 / r->size) : 100,
			       bk_num_human((uint64_t)r->done, done, sizeof(done)));
}

static void draw(struct cmd_progress *p, bool last)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	size_t from = p->n > ROWS_MAX ? p->n - ROWS_MAX : 0;
	int64_t now = bk_clock_ms();

	if (!last && now - p->drawn_at < DRAW_MS)
		return;
	p->drawn_at = now;
	if (p->drawn > 0)
		bk_buf_printf(&b, "\033[%zuA", p->drawn);
	for (size_t i = from; i < p->n; i++) {
		char line[LINE_SIZE];

		describe(p, &p->rows[i], line, sizeof(line));
		bk_buf_printf(&b, "\r\033[K%s\n", line);
	}
	p->drawn = p->n - from;
	(void)bk_fd_write_all(STDERR_FILENO, bk_buf_str(&b), b.len);
}

static void json_line(const struct cmd_progress_row *r)
{
	static const char *const names[] = { "exists", "begun", "progress", "done", "waits" };
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);

	bk_buf_printf(&b, "{\"event\":\"%s\",\"digest\":", names[r->event]);
	bk_json_quote(&b, r->digest);
	bk_buf_printf(&b, ",\"done\":%" PRId64 ",\"size\":%" PRId64 "}\n", r->done, r->size);
	(void)bk_fd_write_all(STDOUT_FILENO, bk_buf_str(&b), b.len);
}

static void plain_line(const struct cmd_progress *p, const struct cmd_progress_row *r)
{
	char line[LINE_SIZE];

	describe(p, r, line, sizeof(line));
	(void)fprintf(stderr, "%s\n", line);
}

void cmd_progress_event(void *ctx, enum registry_event event, const struct oci_descriptor *d,
			int64_t done)
{
	struct cmd_progress *p = ctx;
	struct cmd_progress_row *r;

	if (p->mode == CMD_PROGRESS_NONE)
		return;
	r = row_of(p, d);
	r->event = event;
	r->done = done;
	if (p->mode == CMD_PROGRESS_TTY) {
		draw(p, false);
	} else if (event == REGISTRY_PROGRESS) {
		if (p->mode == CMD_PROGRESS_JSON && bk_clock_ms() - p->drawn_at >= 5 * DRAW_MS) {
			p->drawn_at = bk_clock_ms();
			json_line(r);
		}
	} else if (p->mode == CMD_PROGRESS_JSON) {
		json_line(r);
	} else if (event != REGISTRY_BEGUN) {
		plain_line(p, r);
	}
}

void cmd_progress_done(struct cmd_progress *p)
{
	if (p->mode == CMD_PROGRESS_TTY && p->n > 0)
		draw(p, true);
	for (size_t i = 0; i < p->n; i++)
		free(p->rows[i].digest);
	free(p->rows);
	p->rows = NULL;
	p->n = 0;
}
