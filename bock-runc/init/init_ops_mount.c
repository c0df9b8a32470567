/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_ops.h"

#include <errno.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "init/init_sync.h"
#include "mount/mount_below.h"
#include "mount/mount_cover.h"
#include "mount/mount_move.h"
#include "mount/mount_root.h"

/* The trees are made or opened by the runtime, which has the rights for it; they come in the order of the mounts. */
int init_op_mount(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	bk_autoclose int given = -1;
	int rc = 0;

	if (op->u.mount.kind == MOUNT_ROOT)
		return mount_cover(&op->u.mount, c->plan->spec->rootfs, &c->root, err);
	if (op->u.mount.idmap)
		rc = init_child_receive(c, SYNC_TREE, &given, err);
	else if (op->u.mount.source_sent)
		rc = init_child_receive(c, SYNC_SOURCE, &given, err);
	return rc < 0 ? rc : mount_do(&op->u.mount, given, &c->root, err);
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

/* Without a mount namespace: as it is, on whatever mount of the host it lies. */
int init_op_root_open(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct init_params *p = &c->plan->params;

	bk_root_done(&c->root); /* exec: of OP_ENTER */
	return mount_below_open(op->u.text, p->root_dev, p->root_inode, &c->root, err);
}

int init_op_chroot(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	if (fchdir(c->root.fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the root file system");
	if (chroot(".") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "chroot");
	if (chdir("/") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter '/'");
	return 0;
}
