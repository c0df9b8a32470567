/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "mount/mount_tree.h"

/* Each shows namespaces of whoever makes it: made from outside it would show the host's. */
static const char *const types_refused[] = { "proc", "sysfs", "mqueue" };

/* Whose root belongs to root of the user namespace that makes them, and that need nothing of the host's. */
static const char *const types_inside[] = { "tmpfs", "ramfs", "devpts" };

static bool is_one_of(const char *type, const char *const *types, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bk_streq(type, types[i]))
			return true;
	}
	return false;
}

int mount_live_check(const struct mount_op *op, struct bk_err **err)
{
	const char *what = NULL;

	if (op->kind == MOUNT_REMOUNT)
		what = "options: remount";
	else if (op->kind == MOUNT_CGROUP)
		what = "type: a cgroup mount";
	else if (op->kind == MOUNT_NEW &&
		 is_one_of(op->type, types_refused, BK_ARRAY_SIZE(types_refused)))
		what = "type: what shows the container's own namespaces";
	else if (op->f.extra & MOUNT_COPY_UP)
		what = "options: tmpcopyup";
	else if (op->f.extra & MOUNT_COPY_SYMLINK)
		what = "options: copy-symlink";
	if (what)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s.%s can't be added to a running container", op->where, what);
	return 0;
}

int mount_live_open(const struct mount_op *op, int *ret_tree, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	int rc = 0;

	if (op->kind == MOUNT_BIND) {
		rc = mount_tree_bind(op, op->source, -1, &tree, err);
		if (rc == 0)
			rc = mount_tree_attrs(&op->f, tree, op->dest, err);
	} else if (!is_one_of(op->type, types_inside, BK_ARRAY_SIZE(types_inside))) {
		rc = mount_tree_new(op, op->type, op->f.data, false, &tree, err);
	}
	if (rc == -BK_ERR_PERMISSION)
		rc = bk_err_hint(err, rc, "only root can give a running container what is the host's");
	if (rc < 0)
		return bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest);
	*ret_tree = bk_steal_fd(&tree);
	return 0;
}

static int attach(const struct mount_op *op, int *tree, const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int target = -1;
	struct stat st = { .st_mode = S_IFDIR };
	bool made;
	int rc;

	if (*tree >= 0 && fstat(*tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", op->source);
	rc = mount_do_target(op, S_ISDIR(st.st_mode), root, &target, &made, err);
	if (rc == 0 && *tree < 0)
		rc = mount_do_make(op, made ? -1 : target, tree, err);
	return rc < 0 ? rc : mount_tree_attach(op, *tree, target, err);
}

int mount_live_attach(const struct mount_op *op, int *tree, const struct bk_root *root,
		      struct bk_err **err)
{
	int rc = attach(op, tree, root, err);

	return rc < 0 ? bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest) : 0;
}

int mount_live_detach(int fd, int proc_fd, struct bk_err **err)
{
	char path[32] = ".";
	struct stat st;

	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status");
	if (!S_ISDIR(st.st_mode)) {
		if (proc_fd < 0)
			return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
					  "only root can take a mount from a file");
		snprintf(path, sizeof(path), "self/fd/%d", fd);
	}
	if (fchdir(S_ISDIR(st.st_mode) ? fd : proc_fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the directory");
	if (umount2(path, MNT_DETACH) < 0) {
		int saved = errno, rc = bk_err_set(err, BK_ERR_IO, saved, "unmount");

		if (saved == EINVAL)
			rc = bk_err_hint(err, rc, "in a user namespace, mounts that were there before it are "
					 "locked");
		return rc;
	}
	return 0;
}

static int remove_one(const char *dest, const struct bk_root *root, int proc_fd, int *ret_clone,
		      struct bk_err **err)
{
	bk_autoclose int fd = -1;
	bk_autoclose int clone = -1;
	struct statx st;
	int rc;

	if (bk_streq(dest, "/"))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "is the root itself");
	rc = bk_root_openat(root, dest, O_PATH, 0, &fd, err);
	if (rc < 0)
		return rc;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status");
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "nothing is mounted there");
	clone = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	rc = mount_live_detach(fd, proc_fd, err);
	if (rc == 0)
		*ret_clone = bk_steal_fd(&clone);
	return rc;
}

int mount_live_remove(const char *dest, const struct bk_root *root, int proc_fd, int *ret_clone,
		      struct bk_err **err)
{
	int rc = remove_one(dest, root, proc_fd, ret_clone, err);

	return rc < 0 ? bk_err_wrap(err, rc, "'%s'", dest) : 0;
}

int mount_live_restore(const char *dest, int clone, const struct bk_root *root, struct bk_err **err)
{
	const struct mount_op op = { .source = "what was removed", .dest = dest };
	bk_autoclose int target = -1;
	int rc = bk_root_openat(root, dest, O_PATH, 0, &target, err);

	return rc < 0 ? rc : mount_tree_attach(&op, clone, target, err);
}
