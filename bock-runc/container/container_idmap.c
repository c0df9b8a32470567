/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_idmap.h"

#include <stdio.h>

#include "base/bk_auto.h"
#include "ns/ns.h"
#include "ns/ns_holder.h"

static int open_userns(const struct mount_idmap *m, pid_t first, int *ret_fd, struct bk_err **err)
{
	char path[64];

	if (m->uids)
		return ns_holder_open(m->uids, m->n_uids, m->gids, m->n_gids, ret_fd, err);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)first);
	return ns_open(path, OCI_NS_USER, ret_fd, err);
}

int container_idmap_make(struct container_idmap *k, const struct mount_op *op, pid_t first,
			 int *ret_tree, struct bk_err **err)
{
	if (!k->of || !mount_idmap_same(k->of, op->idmap)) {
		int rc;

		container_idmap_done(k);
		rc = open_userns(op->idmap, first, &k->userns, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest);
		k->of = op->idmap;
	}
	return mount_do_idmapped(op, k->userns, ret_tree, err);
}

void container_idmap_done(struct container_idmap *k)
{
	bk_close(&k->userns);
	k->of = NULL;
}
