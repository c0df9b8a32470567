/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "base/bk_auto.h"

int mount_fd_bind(int fd, const char *dest, uint64_t attrs, const struct bk_root *root,
		  struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = attrs };
	bk_autoclose int tree = -1;
	bk_autoclose int target = -1;
	int rc;

	tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "bind for '%s'", dest);
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount_setattr for '%s'", dest);
	rc = bk_root_mkdirs(root, dest, 0755, &target, err);
	if (rc < 0)
		return rc;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "attach to '%s'", dest);
	return 0;
}
