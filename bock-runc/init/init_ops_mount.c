/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "init/init_ops.h"
#include "init/init_sync.h"
#include "mount/mount_move.h"
#include "mount/mount_root.h"

/* Made by the runtime, which has the rights for it; they come in the order of the mounts. */
static int receive_tree(struct init_child *c, int *ret_fd, struct bk_err **err)
{
	int got = init_sync_recv(c->sync, NULL, ret_fd, err);

	if (got < 0)
		return got;
	if (got == 0)
		_exit(1); /* the runtime is gone, and with it whoever would read an error */
	if (got != SYNC_TREE || *ret_fd < 0)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "expected a mount, received '%c'", got);
	return 0;
}

int init_op_mount(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	bk_autoclose int tree = -1;

	if (op->u.mount.idmap) {
		int rc = receive_tree(c, &tree, err);

		if (rc < 0)
			return rc;
	}
	return mount_do(&op->u.mount, tree, &c->root, err);
}

int init_op_pivot(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return mount_root_pivot(op->u.propagation, &c->root, err);
}

int init_op_move_root(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return mount_move_root(&c->root, err);
}
