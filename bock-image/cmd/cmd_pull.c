/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_registry.h"
#include "codec/bk_json.h"
#include "registry/registry_pull.h"
#include "store/store_index.h"
#include "store/store_repair.h"

static void say(const struct cmd_pull_opts *o, const char *name, const struct oci_descriptor *d,
		struct bk_buf *out)
{
	if (o->json) {
		bk_buf_adds(out, "{\"event\":\"pulled\",\"name\":");
		bk_json_quote(out, name);
		bk_buf_adds(out, ",\"digest\":");
		bk_json_quote(out, d->digest);
		bk_buf_adds(out, "}\n");
	} else if (!o->quiet) {
		cmd_out_text(out, name);
		bk_buf_printf(out, " %s\n", d->digest);
	}
}

/* One of the names that the typed one may mean. */
static int pull_name(struct cmd_registry *c, struct store *s, const char *name,
		     const struct cmd_pull_opts *o, const struct registry_pull_opts *po,
		     struct bk_buf *out, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoref struct ref ref = REF_INIT;
	struct oci_descriptor d, image;
	int rc = ref_parse(name, &ref, err);

	if (rc == 0)
		rc = cmd_registry_pull(c, &ref, s, po, arena, &d, &image, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "pull '%s'", name);
	/* A platform that was asked for by name is what the name stands for. */
	if (po->platform)
		d = image;
	/* For fsck --repair: the name may go, or be another's. */
	store_source_note(&d, ref.domain, ref.path, arena);
	rc = store_name_set(s, name, &d, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "pull '%s'", name);
	say(o, name, &d, out);
	return 0;
}

static int pull_one(struct cmd_registry *c, struct store *s, const char *typed,
		    const struct cmd_pull_opts *o, const struct registry_pull_opts *po,
		    struct bk_buf *out, struct bk_err **err)
{
	bk_autostrv char **names = NULL;
	int rc = registry_conf_names(c->conf, typed, &names, err);

	for (char **n = names; rc == 0 && *n; n++) {
		struct bk_err *why = NULL;

		rc = pull_name(c, s, *n, o, po, out, &why);
		if (rc == 0)
			return 0;
		/* Only where it is not, the next is asked. */
		if (n[1] && rc == -BK_ERR_NOT_FOUND) {
			bk_err_clear(&why);
			rc = 0;
			continue;
		}
		bk_err_move(err, why);
		return rc;
	}
	return rc;
}

int cmd_pull_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	cmd_autoregistry struct cmd_registry c = { 0 };
	bk_autostore struct store *s = NULL;
	const struct cmd_pull_opts *o = call->opts;
	struct oci_platform platform;
	struct registry_pull_opts po = {
		.all_platforms = o->all_platforms,
		.referrers = o->referrers,
		.jobs = o->jobs,
	};
	int rc = 0;

	(void)ret_status;
	if (o->platform && o->all_platforms)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--platform and --all-platforms exclude each other");
	if (o->jobs < 1 || o->jobs > REGISTRY_JOBS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "--jobs: 1 to %d", REGISTRY_JOBS_MAX);
	if (o->platform) {
		rc = store_platform_parse(o->platform, arena, &platform, err);
		po.platform = &platform;
	}
	if (rc == 0)
		rc = cmd_registry_open(&c, call, &o->registry, err);
	if (rc == 0)
		rc = cmd_registry_policy(&c, o->policy, err);
	if (rc == 0)
		rc = cmd_open_store(call, STORE_CREATE, &s, err);
	for (int i = 0; rc == 0 && i < call->n_args; i++) {
		bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
		cmd_autoprogress struct cmd_progress progress;
		const struct registry_progress rp = { .event = cmd_progress_event, .ctx = &progress };

		cmd_progress_init(&progress, o->quiet, o->json, "pulled");
		po.progress = &rp;
		rc = pull_one(&c, s, call->args[i], o, &po, &out, err);
		cmd_progress_done(&progress);
		if (rc == 0)
			rc = cmd_out_flush(&out, err);
	}
	return rc;
}
