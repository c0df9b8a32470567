/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd_out.h"
#include "cmd/cmd_target.h"

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_image.h"
#include "oci/oci_media.h"
#include "registry/registry_referrers.h"
#include "store/store_referrers.h"

static int print_index(struct oci_descriptor *list, size_t n, struct bk_buf *out,
		       struct bk_err **err)
{
	struct oci_descriptor none = { 0 };
	const struct oci_index index = {
		.schema_version = 2,
		.media_type = (char *)(uintptr_t)OCI_MEDIA_INDEX,
		.manifests = n ? list : &none,
		.n_manifests = n,
	};

	return bk_json_encode(&oci_index_type, &index, BK_JSON_PRETTY | BK_JSON_NEWLINE, out, err);
}

static void print_table(const struct oci_descriptor *list, size_t n, struct bk_buf *out)
{
	static const char *const names[] = { "DIGEST", "TYPE" };
	cmd_autotable struct cmd_table t = { .columns = BK_ARRAY_SIZE(names) };

	cmd_table_names(&t, names);
	for (size_t i = 0; i < n; i++) {
		cmd_table_text(&t, list[i].digest);
		cmd_table_text(&t, list[i].artifact_type);
	}
	cmd_table_print(&t, out);
}

int cmd_referrers_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	const struct cmd_referrers_opts *o = call->opts;
	cmd_autotarget struct cmd_target t = { 0 };
	struct oci_descriptor *list = NULL;
	size_t n = 0;
	int rc = cmd_target_open(&t, call, call->args[0], &o->registry, o->platform, false, err);

	(void)ret_status;
	if (rc == 0 && t.registry)
		rc = registry_referrers(t.registry, t.repo, t.d.digest, o->artifact_type, t.arena,
					&list, &n, err);
	else if (rc == 0)
		rc = store_referrers(t.store, t.d.digest, o->artifact_type, t.arena, &list, &n, err);
	if (rc < 0)
		return rc;
	if (o->json)
		rc = print_index(list, n, &out, err);
	else if (!o->quiet)
		print_table(list, n, &out);
	for (size_t i = 0; o->quiet && !o->json && i < n; i++)
		bk_buf_printf(&out, "%s\n", list[i].digest);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}
