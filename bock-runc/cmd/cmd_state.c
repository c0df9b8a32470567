/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"
#include "codec/bk_json.h"

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	struct oci_state state;
	int rc;

	(void)ret_status;
	rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, false, &c, err);
	if (rc == 0)
		rc = container_describe(&c, &state, err);
	if (rc == 0)
		rc = bk_json_encode(&oci_state_type, &state, BK_JSON_PRETTY | BK_JSON_NEWLINE, &b,
				    err);
	if (rc == 0)
		rc = cmd_print(&b, err);
	container_root_done(&root);
	return rc;
}

const struct bk_cli_cmd cmd_state = {
	.name = "state",
	.synopsis = "ID",
	.help = "print the state of a container as JSON",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
