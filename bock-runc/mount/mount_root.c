/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"

#define CLONE_TREE (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
#define MOVE_FD_TO_FD (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

/*
 * The mount that holds path is the deepest prefix that mount(2) accepts as a mount point. Of a path with
 * symbolic links the prefixes are somewhere else: the wrong mount would be made private, and every
 * mount of the container would come out on the host.
 */
int mount_root_set_holder(const char *path, unsigned long propagation, struct bk_err **err)
{
	bk_autofree char *p = realpath(path, NULL);

	if (!p)
		return bk_err_set(err, BK_ERR_IO, errno, "resolve '%s'", path);
	for (;;) {
		char *up;

		if (mount(NULL, p, NULL, propagation, NULL) == 0)
			return 0;
		if (errno != EINVAL || bk_streq(p, "/"))
			return bk_err_set(err, BK_ERR_IO, errno, "set the propagation of mount '%s'", p);
		up = bk_path_dir(p);
		free(p);
		p = up;
	}
}

int mount_root_isolate(unsigned long propagation, const char *rootfs, struct bk_err **err)
{
	unsigned long flags = propagation ? propagation : MS_SLAVE | MS_REC;

	if (flags & MS_UNBINDABLE) /* the rootfs is still to be bound: set after the pivot */
		flags = MS_PRIVATE | MS_REC;
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the propagation of '/'");
	if (flags & MS_SHARED)
		return mount_root_set_holder(rootfs, MS_PRIVATE, err);
	if (!(flags & MS_REC))
		return mount_root_set_holder(rootfs, flags, err);
	return 0;
}

int mount_root_clone(const char *rootfs, unsigned long propagation, struct bk_root *ret,
		     struct bk_err **err)
{
	struct mount_attr attr = { .propagation = propagation };
	bk_autoclose int tree = -1;
	struct stat st;

	tree = open_tree(AT_FDCWD, rootfs, CLONE_TREE | AT_RECURSIVE);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open_tree of root file system '%s'", rootfs);
	if (fstat(tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of root file system '%s'", rootfs);
	if (!S_ISDIR(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "root.path: '%s' is not a directory", rootfs);
	if (propagation &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the propagation of '%s'", rootfs);
	bk_root_from_fd(ret, bk_steal_fd(&tree));
	return 0;
}

int mount_root_attach(const struct bk_root *clone, const char *dest, struct bk_err **err)
{
	if (move_mount(clone->fd, "", AT_FDCWD, dest, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "move_mount of root file system '%s'", dest);
	return 0;
}

int mount_root_bind(const char *rootfs, struct bk_root *ret, struct bk_err **err)
{
	bk_autoroot struct bk_root clone = BK_ROOT_INIT;
	int rc = mount_root_clone(rootfs, 0, &clone, err);

	if (rc == 0)
		rc = mount_root_attach(&clone, rootfs, err);
	if (rc == 0)
		bk_root_from_fd(ret, bk_steal_fd(&clone.fd));
	return rc;
}

int mount_root_pivot(unsigned long propagation, const struct bk_root *root, struct bk_err **err)
{
	struct mount_attr slave = { .propagation = MS_SLAVE };
	bk_autoclose int old = -1;

	if (propagation && (old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open the old root");
	if (fchdir(root->fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the root file system");
	/* both on ".": the old root ends up stacked on the new one, and "." still is the old one */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "pivot_root");
	/* where mounts of the old root are still shared, the host's would go with them */
	if (propagation &&
	    mount_setattr(old, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof(slave)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "cut the old root off");
	if (umount2(".", MNT_DETACH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "detach the old root");
	if (chdir("/") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter '/'");
	return 0;
}

int mount_root_label_check(const char *label, const char *option, struct bk_err **err)
{
	static const char *const options[] = { "context", "fscontext", "defcontext", "rootcontext" };
	struct statfs fs;
	size_t i = 0;

	while (option && i < BK_ARRAY_SIZE(options) && !bk_streq(option, options[i]))
		i++;
	if (i == BK_ARRAY_SIZE(options))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "annotations: run.oci.mount_context_type: '%s' is none of context, "
				  "fscontext, defcontext, rootcontext", option);
	if (strpbrk(label, "\"\\\n"))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.mountLabel: '%s' is not a label", label);
	if (statfs("/sys/fs/selinux", &fs) < 0 || (unsigned long)fs.f_type != SELINUX_MAGIC)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.mountLabel: '%s' is asked for, but SELinux is disabled or not "
				  "supported by this kernel", label);
	return 0;
}

int mount_root_propagate(unsigned long propagation, struct bk_err **err)
{
	if (mount(NULL, "/", NULL, propagation, NULL) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "linux.rootfsPropagation");
	return 0;
}

int mount_root_readonly(const struct bk_root *root, struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(root->fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount_setattr: make the root read-only");
	return 0;
}

/* Opens a path to be covered; *ret_fd is -1 where there is none. */
static int open_existing(const char *path, const struct bk_root *root, int *ret_fd,
			 struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = bk_root_openat(root, path, O_PATH, 0, ret_fd, &e);

	if (rc == 0)
		return 0;
	if (rc == -BK_ERR_NOT_FOUND || bk_err_errno(e) == ENOENT || bk_err_errno(e) == ENOTDIR) {
		bk_err_clear(&e);
		*ret_fd = -1;
		return 0;
	}
	bk_err_move(err, e);
	return rc;
}

static int ro_path(const char *path, const struct bk_root *root, struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	bk_autoclose int fd = -1;
	bk_autoclose int tree = -1;
	int rc;

	rc = open_existing(path, root, &fd, err);
	if (rc < 0 || fd < 0)
		return rc;
	tree = open_tree(fd, "", CLONE_TREE | AT_EMPTY_PATH | AT_RECURSIVE);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open_tree");
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount_setattr: set read-only");
	if (move_mount(tree, "", fd, "", MOVE_FD_TO_FD) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "move_mount");
	return 0;
}

int mount_root_ro_paths(char *const *paths, const struct bk_root *root, struct bk_err **err)
{
	for (; paths && *paths; paths++) {
		int rc = ro_path(*paths, root, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "linux.readonlyPaths '%s'", *paths);
	}
	return 0;
}

int mount_root_open_null(int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = open("/dev/null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/dev/null'");
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '/dev/null'");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the host's '/dev/null' is not the null device");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int mask_dir(int fd, const char *label, struct bk_err **err)
{
	bk_autofree char *data = NULL;

	if (fchdir(fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter it");
	label = label && *label ? label : NULL;
	data = bk_asprintf("nr_blocks=1,nr_inodes=1%s%s%s", label ? ",context=\"" : "",
			   label ? label : "", label ? "\"" : "");
	if (mount("tmpfs", ".", "tmpfs", MS_RDONLY, data) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount an empty tmpfs");
	return 0;
}

/* Covers a file with a clone of the null device. */
static int mask_file(int fd, int null_fd, struct bk_err **err)
{
	bk_autoclose int tree = open_tree(null_fd, "", CLONE_TREE | AT_EMPTY_PATH);

	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open_tree of the null device");
	if (move_mount(tree, "", fd, "", MOVE_FD_TO_FD) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "move_mount of the null device");
	return 0;
}

int mount_root_mask(char *const *paths, const struct bk_root *root, int null_fd, const char *label,
		    struct bk_err **err)
{
	for (; paths && *paths; paths++) {
		bk_autoclose int fd = -1;
		struct stat st;
		int rc;

		rc = open_existing(*paths, root, &fd, err);
		if (rc == 0 && fd < 0)
			continue;
		if (rc == 0 && fstat(fd, &st) < 0)
			rc = bk_err_set(err, BK_ERR_IO, errno, "status");
		if (rc == 0)
			rc = S_ISDIR(st.st_mode) ? mask_dir(fd, label, err) :
						   mask_file(fd, null_fd, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "linux.maskedPaths '%s'", *paths);
	}
	return 0;
}
