/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_registry.h"
#include "cmd/cmd_target.h"
#include "codec/bk_json.h"
#include "registry/registry_push.h"
#include "registry/registry_upload.h"
#include "store/store_index.h"
#include "store/store_platform.h"

struct push {
	const struct bk_cli_call *call;
	const struct cmd_push_opts *o;
	struct cmd_registry c;
	struct store *s;
	struct registry_push_opts po;
	struct oci_descriptor d;
};

/* Destinations from the one at *i on that are of the same repository go together; *i is moved behind them. */
static int push_some(struct push *p, char *const *names, int n, int *i, struct bk_err **err)
{
	bk_autoref struct ref first = REF_INIT;
	bk_autostrv char **tags = NULL;
	const char *repo;
	struct registry *r;
	int rc = ref_parse(names[*i], &first, err);

	if (rc < 0)
		return rc;
	for (; *i < n; (*i)++) {
		bk_autoref struct ref ref = REF_INIT;

		rc = ref_parse(names[*i], &ref, err);
		if (rc < 0)
			return rc;
		if (!bk_streq(ref.domain, first.domain) || !bk_streq(ref.path, first.path))
			break;
		if (ref.digest && !bk_streq(ref.digest, p->d.digest))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "'%s': the image that would be sent has the digest %s",
					  names[*i], p->d.digest);
		if (ref.tag)
			bk_strv_add(&tags, ref.tag);
	}
	rc = cmd_registry_find(&p->c, &first, &r, &repo, err);
	return rc < 0 ? rc : cmd_target_push(r, repo, tags, p->s, &p->d, &p->po, err);
}

static void say(const struct push *p, char *const *names, int n, struct bk_buf *out)
{
	for (int i = 0; i < n && !p->o->quiet; i++) {
		if (p->o->json) {
			bk_buf_adds(out, "{\"event\":\"pushed\",\"name\":");
			bk_json_quote(out, names[i]);
			bk_buf_printf(out, ",\"digest\":\"%s\"}\n", p->d.digest);
			continue;
		}
		cmd_out_text(out, names[i]);
		bk_buf_printf(out, " %s\n", p->d.digest);
	}
}

/* The image, and what of it can be sent. */
static int find_image(struct push *p, struct bk_arena *arena, struct bk_err **err)
{
	const char *name = p->call->args[0];
	struct oci_platform platform;
	struct oci_descriptor named;
	int rc = p->o->platform ? store_platform_parse(p->o->platform, arena, &platform, err) : 0;

	if (rc == 0)
		rc = cmd_open_store(p->call, 0, &p->s, err);
	if (rc == 0)
		rc = store_name_find(p->s, name, arena, &named, err);
	if (rc < 0)
		return rc;
	rc = registry_push_choose(p->s, &named, p->o->platform ? &platform : NULL, arena, &p->d,
				  err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "image '%s'", name);
	if (!bk_streq(named.digest, p->d.digest) && !p->o->platform)
		bk_log_msg(p->call->log, BK_LOG_WARNING,
			   "of the index '%s' one image is in the store: it is sent alone, so the digest is another",
			   name);
	return 0;
}

static int push(struct push *p, struct bk_arena *arena, struct bk_buf *out, struct bk_err **err)
{
	const struct bk_cli_call *call = p->call;
	char *const *names = call->n_args > 1 ? call->args + 1 : call->args;
	int n = call->n_args > 1 ? call->n_args - 1 : 1;
	uint64_t chunk = 0;
	int rc = p->o->chunk ? bk_num_size(p->o->chunk, &chunk, err) : 0;

	if (rc < 0)
		return bk_err_wrap(err, rc, "--chunk");
	if (p->o->jobs < 1 || p->o->jobs > REGISTRY_JOBS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--jobs: 1 to %d", REGISTRY_JOBS_MAX);
	if (p->o->chunk && (chunk < (uint64_t)REGISTRY_CHUNK_MIN || chunk > INT64_MAX / 2))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--chunk '%s': at least a megabyte",
				  p->o->chunk);
	p->po.chunk = (int64_t)chunk;
	p->po.jobs = p->o->jobs;
	p->po.referrers = p->o->referrers;
	rc = find_image(p, arena, err);
	if (rc == 0)
		rc = cmd_registry_open(&p->c, call, &p->o->registry, err);
	for (int i = 0; rc == 0 && i < n;) {
		const char *name = names[i];

		rc = push_some(p, names, n, &i, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "push '%s'", name);
	}
	if (rc == 0)
		say(p, names, n, out);
	return rc;
}

int cmd_push_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	cmd_autoprogress struct cmd_progress progress;
	const struct registry_progress rp = { .event = cmd_progress_event, .ctx = &progress };
	struct push p = { .call = call, .o = call->opts, .po = { .progress = &rp } };
	struct cmd_stop stop = { 0 };
	int rc;

	(void)ret_status;
	cmd_progress_init(&progress, p.o->quiet, p.o->json, "pushed");
	p.c.stop = &stop;
	cmd_stop_begin(&stop);
	rc = push(&p, arena, &out, err);
	cmd_registry_done(&p.c);
	store_close(p.s);
	cmd_progress_done(&progress);
	cmd_stop_end(&stop);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}
