/* SPDX-License-Identifier: Apache-2.0 */
/* What is only asked of a registry: tags, digest. */
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_registry.h"
#include "codec/bk_json.h"
#include "registry/registry_manifest.h"

static int open_named(const struct bk_cli_call *call, const struct cmd_registry_opts *o,
		      struct cmd_registry *c, struct ref *ref, struct registry **ret,
		      const char **ret_repo, struct bk_err **err)
{
	int rc = ref_parse(call->args[0], ref, err);

	if (rc == 0)
		rc = cmd_registry_open(c, call, o, err);
	return rc < 0 ? rc : cmd_registry_find(c, ref, ret, ret_repo, err);
}

int cmd_tags_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	cmd_autoregistry struct cmd_registry c = { 0 };
	const struct cmd_tags_opts *o = call->opts;
	bk_autoref struct ref ref = REF_INIT;
	bk_autostrv char **tags = NULL;
	const char *repo;
	struct registry *r;
	int rc = open_named(call, &o->registry, &c, &ref, &r, &repo, err);

	(void)ret_status;
	if (rc == 0)
		rc = registry_tags(r, repo, &tags, err);
	if (rc < 0)
		return rc;
	if (o->json)
		bk_buf_addc(&out, '[');
	for (char **t = tags; t && *t; t++) {
		if (o->json) {
			bk_buf_adds(&out, t == tags ? "" : ",");
			bk_json_quote(&out, *t);
		} else {
			cmd_out_text(&out, *t);
			bk_buf_addc(&out, '\n');
		}
	}
	if (o->json)
		bk_buf_adds(&out, "]\n");
	return cmd_out_flush(&out, err);
}

int cmd_digest_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	cmd_autoregistry struct cmd_registry c = { 0 };
	const struct cmd_digest_opts *o = call->opts;
	bk_autoref struct ref ref = REF_INIT;
	struct oci_descriptor d;
	const char *repo;
	struct registry *r;
	int rc = open_named(call, &o->registry, &c, &ref, &r, &repo, err);

	(void)ret_status;
	if (rc == 0)
		rc = registry_manifest_head(r, repo, ref.digest ? ref.digest : ref.tag, arena,
					    &d, err);
	if (rc < 0)
		return rc;
	bk_buf_printf(&out, "%s\n", d.digest);
	return cmd_out_flush(&out, err);
}
