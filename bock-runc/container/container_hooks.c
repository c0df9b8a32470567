/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_hooks.h"

#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "hooks/hooks.h"
#include "init/init_child.h"
#include "init/init_trace.h"
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

/* The bundle's folder, as for the hooks before; who deletes a container may have removed it first. */
static const char *cwd_of(const struct container *c)
{
	return access(c->state.bundle, X_OK) == 0 ? c->state.bundle : NULL;
}

int container_hooks_poststart(const struct container *c, struct bk_err **err)
{
	bk_autospec struct spec spec = { 0 };
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);
	bk_auto(init_hooks_done) struct init_hooks_output output = INIT_HOOKS_OUTPUT_INIT;
	struct hooks_how how = { .timeout_ms = container_wait_ms(c->root, INIT_HOOK_TIMEOUT_MS) };
	int rc;

	if (!c->state.has_poststart)
		return 0;
	rc = spec_load_kept(c->dirfd, CONTAINER_CONFIG_FILE, c->state.bundle, &spec, err);
	if (rc == 0)
		rc = describe(c, OCI_RUNNING, &json, err);
	if (rc < 0 || !spec.config->hooks)
		return rc;
	rc = init_hooks_open(spec.config, c->state.bundle, &output, err);
	if (rc < 0)
		return rc;
	how.cwd = cwd_of(c);
	how.state = bk_buf_str(&json);
	how.len = json.len;
	how.out = output.out;
	how.errout = output.errout;
	rc = hooks_run("poststart", spec.config->hooks->poststart, spec.config->hooks->n_poststart,
		       &how, err);
	return init_trace_mark(c->trace, "poststart hooks", rc);
}

void container_hooks_poststop(const struct container *c, const struct oci_runtime_config *config,
			      char ***warnings)
{
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);
	bk_auto(init_hooks_done) struct init_hooks_output output = INIT_HOOKS_OUTPUT_INIT;
	struct hooks_how how = { .timeout_ms = container_wait_ms(c->root, INIT_HOOK_TIMEOUT_MS), .cwd = cwd_of(c) };
	struct bk_err *err = NULL;

	if (describe(c, OCI_STOPPED, &json, NULL) < 0) {
		bk_strv_add(warnings, "poststop hooks did not run: the state can't be encoded");
		return;
	}
	/* they run even if their output has nowhere to go */
	if (init_hooks_open(config, c->state.bundle, &output, &err) < 0) {
		char text[2 * BK_ERR_MSG_MAX];

		bk_strv_add(warnings, bk_err_print(err, text, sizeof(text)));
		bk_err_clear(&err);
	}
	how.state = bk_buf_str(&json);
	how.len = json.len;
	how.out = output.out;
	how.errout = output.errout;
	hooks_run_all("poststop", config->hooks->poststop, config->hooks->n_poststop, &how, warnings);
	(void)init_trace_mark(c->trace, "poststop hooks", 0);
}
