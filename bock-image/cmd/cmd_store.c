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
