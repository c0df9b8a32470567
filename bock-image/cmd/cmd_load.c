/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "cmd/cmd_out.h"
#include "cmd/cmd_transfer.h"
#include "registry/registry_trust.h"
#include "store/store_load.h"
#include "trust/trust_policy.h"

static void loaded(void *ctx, const char *name, const char *digest)
{
	struct bk_buf *out = ctx;

	cmd_out_text(out, name);
	bk_buf_printf(out, " %s\n", digest);
}

int cmd_load_run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(CMD_OUT_MAX);
	bk_autotrustpolicy struct trust_policy *policy = NULL;
	bk_autostore struct store *s = NULL;
	const struct cmd_load_opts *o = call->opts;
	struct store_load_opts lo = {
		.name = o->name,
		.replace = o->replace,
		.loaded = o->quiet ? NULL : loaded,
		.ctx = &out,
	};
	int rc = trust_policy_load(o->policy, &policy, err);

	(void)ret_status;
	if (policy) {
		lo.check = registry_trust_load;
		lo.check_ctx = policy;
	}
	if (rc == 0)
		rc = cmd_open_store(call, STORE_CREATE, &s, err);
	if (rc == 0)
		rc = store_load(s, call->args[0], &lo, err);
	return rc < 0 ? rc : cmd_out_flush(&out, err);
}
