/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

int cmd_open_store(const struct bk_cli_call *call, unsigned int flags, struct store **ret,
		   struct bk_err **err)
{
	const struct cmd_globals *g = call->globals;
	bk_autofree char *fallback = NULL;
	int rc;

	if (!g->root) {
		rc = store_default_path(&fallback, err);
		if (rc < 0)
			return rc;
	}
	return store_open(g->root ? g->root : fallback, flags, ret, err);
}

int cmd_each_name(const struct bk_cli_call *call,
		  int (*delete)(struct store *s, const char *name, struct bk_err **err),
		  int *ret_status, struct bk_err **err)
{
	bk_autostore struct store *s = NULL;
	int rc = cmd_open_store(call, STORE_WRITE, &s, err);

	if (rc < 0)
		return rc;
	for (int i = 0; i < call->n_args; i++) {
		struct bk_err *why = NULL;

		if (delete(s, call->args[i], &why) < 0) {
			bk_log_err(call->log, why);
			bk_err_clear(&why);
			*ret_status = 1;
		}
	}
	return 0;
}
