/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_cover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "mount/mount_tree.h"

#define FS_VALUE_MAX 255 /* bytes of a string that fsconfig(2) takes */

/* Whether each option fits into fsconfig(2). One that has a comma in it counts as two: mount(2) takes it, too. */
static bool fits(const char *data)
{
	while (data && *data) {
		size_t len = strcspn(data, ",");

		if (len > FS_VALUE_MAX)
			return false;
		data += len + (data[len] == ',');
	}
	return true;
}

/* What lies on top at rootfs now must be a mount, and another than before. */
static int open_top(const char *rootfs, const struct bk_root *below, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = open(rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statx top, old;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &top) < 0 ||
	    statx(below->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &old) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open what is mounted on '%s'", rootfs);
	if (!(top.stx_attributes & STATX_ATTR_MOUNT_ROOT) || top.stx_mnt_id == old.stx_mnt_id)
		return bk_err_set(err, BK_ERR_IO, ESTALE, "'%s' is not what was mounted", rootfs);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

/* In one call, for values that are too long for fsconfig(2) and kernels that have no other way to name many layers. */
static int cover_at_once(const struct mount_op *op, const char *rootfs, const struct bk_root *root, int *ret_fd,
			 struct bk_err **err)
{
	if (fchdir(root->fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter '%s'", rootfs);
	if (mount(op->source, ".", op->type, op->f.ms, op->f.data) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount %s on '/' (%s)", op->type, op->f.data);
	return open_top(rootfs, root, ret_fd, err);
}

static int cover(const struct mount_op *op, const char *rootfs, const struct bk_root *root, int *ret_fd,
		 struct bk_err **err)
{
	bk_autoclose int tree = -1;
	int rc;

	if (!fits(op->f.data))
		return cover_at_once(op, rootfs, root, ret_fd, err);
	rc = mount_tree_new(op, op->type, op->f.data, false, &tree, err);
	if (rc == 0)
		rc = mount_tree_attach(op, tree, root->fd, err);
	if (rc == 0)
		*ret_fd = bk_steal_fd(&tree);
	return rc;
}

int mount_cover(const struct mount_op *op, const char *rootfs, struct bk_root *root, struct bk_err **err)
{
	int fd = -1;
	int rc = cover(op, rootfs, root, &fd, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest);
	bk_root_done(root);
	bk_root_from_fd(root, fd);
	return 0;
}
