/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_hooks.h"

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "hooks/hooks.h"
#include "init/init_child.h"
#include "spec/spec_load.h"

/* What hooks read has the members of the spec, not those that runc adds for `state`. */
static int describe(const struct container *c, enum oci_status status, struct bk_buf *out,
		    struct bk_err **err)
{
	struct oci_state s = {
		.oci_version = c->state.oci_version,
		.id = c->state.id,
		.status = (int)status,
		.pid = status == OCI_STOPPED ? 0 : c->state.pid,
		.bundle = c->state.bundle,
		.annotations = c->state.annotations,
		.n_annotations = c->state.n_annotations,
	};

	return bk_json_encode(&oci_state_type, &s, 0, out, err);
}

int container_hooks_poststart(const struct container *c, struct bk_err **err)
{
	bk_autospec struct spec spec = { 0 };
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);
	int rc;

	if (!c->state.has_poststart)
		return 0;
	rc = spec_load_kept(c->dirfd, CONTAINER_CONFIG_FILE, c->state.bundle, &spec, err);
	if (rc == 0)
		rc = describe(c, OCI_RUNNING, &json, err);
	if (rc < 0 || !spec.config->hooks)
		return rc;
	return hooks_run("poststart", spec.config->hooks->poststart, spec.config->hooks->n_poststart,
			 bk_buf_str(&json), json.len, INIT_HOOK_TIMEOUT_MS, err);
}

void container_hooks_poststop(const struct container *c, const struct oci_hook *hooks, size_t n,
			      char ***warnings)
{
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);

	if (describe(c, OCI_STOPPED, &json, NULL) < 0) {
		bk_strv_add(warnings, "poststop hooks did not run: the state can't be encoded");
		return;
	}
	hooks_run_all("poststop", hooks, n, bk_buf_str(&json), json.len, INIT_HOOK_TIMEOUT_MS,
		      warnings);
}
