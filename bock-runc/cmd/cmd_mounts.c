/* SPDX-License-Identifier: Apache-2.0 */
/* mounts add, mounts remove. */
#include <fcntl.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "container/container_mounts.h"

static int read_list(const char *file, struct bk_buf *b, struct bk_err **err)
{
	int rc;

	if (bk_streq(file, "-"))
		rc = bk_fd_read_buf(STDIN_FILENO, b, "standard input", err);
	else
		rc = bk_file_read(AT_FDCWD, file, b, err);
	if (rc == 0 && strlen(bk_buf_str(b)) != b->len)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "'%s': holds a NUL byte", file);
	return rc;
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_MOUNTS_TEXT_MAX);
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	const char *act = call->args[0], *id = call->args[1], *file = call->args[2];
	bool add = bk_streq(act, "add");
	int rc;

	(void)ret_status;
	if (!add && !bk_streq(act, "remove"))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "mounts: '%s' is neither add nor remove", act);
	rc = cmd_root(call, false, &root, err);
	if (rc == 0) {
		rc = container_open(&root, id, true, &c, err);
		if (rc == 0)
			rc = read_list(file, &b, err);
		if (rc == 0)
			rc = add ? container_mounts_add(&c, file, bk_buf_str(&b), err) :
				   container_mounts_remove(&c, file, bk_buf_str(&b), err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "mounts %s '%s'", act, id);
	}
	container_root_done(&root);
	return rc;
}

const struct bk_cli_cmd cmd_mounts = {
	.name = "mounts",
	.synopsis = "add|remove ID FILE",
	.help = "change the mounts of a running container",
	.min_args = 3,
	.max_args = 3,
	.run = run,
};
