/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_idmap.h"

#include <stdio.h>

#include "base/bk_auto.h"
#include "mount/mount_lock.h"
#include "ns/ns.h"
#include "ns/ns_holder.h"

static int open_userns(const struct mount_idmap *m, pid_t first, int *ret_fd, struct bk_err **err)
{
	char path[64];
	int rc;

	if (m->uids)
		return ns_holder_open(m->uids, m->n_uids, m->gids, m->n_gids, ret_fd, err);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)first);
	rc = ns_open(path, OCI_NS_USER, ret_fd, err);
	/*
	 * Once it has hidden itself (PR_SET_DUMPABLE) it is looked into only with rights over the user
	 * namespace that it comes from, and whoever hasn't got them could not map ids either.
	 */
	return rc < 0 ? bk_err_hint(err, rc, "mapped ids need CAP_SYS_ADMIN in the user namespace "
					    "that bock-runc runs in") : 0;
}

int container_idmap_make(struct container_idmap *k, const struct mount_op *op, pid_t first,
			 int *ret_tree, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	int rc;

	if (!k->of || !mount_idmap_same(k->of, op->idmap)) {
		container_idmap_done(k);
		rc = open_userns(op->idmap, first, &k->userns, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest);
		k->of = op->idmap;
	}
	rc = mount_do_idmapped(op, k->userns, &tree, err);
	if (rc == 0)
		rc = container_idmap_lock(op, first, &tree, err);
	if (rc == 0)
		*ret_tree = bk_steal_fd(&tree);
	return rc;
}

int container_idmap_lock(const struct mount_op *op, pid_t first, int *tree, struct bk_err **err)
{
	bk_autoclose int userns = -1;
	char path[64];
	int rc;

	if (op->kind != MOUNT_BIND || !op->f.recursive || *tree < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)first);
	if (ns_is_own(path, OCI_NS_USER))
		return 0;
	rc = ns_open(path, OCI_NS_USER, &userns, err);
	if (rc == 0)
		rc = mount_lock_tree(tree, userns, &op->f, op->dest, err);
	return rc < 0 ? bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest) : 0;
}

void container_idmap_done(struct container_idmap *k)
{
	bk_close(&k->userns);
	k->of = NULL;
}
