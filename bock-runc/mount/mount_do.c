/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "mount/mount_plan.h"

/* A directory target, made if it is not there, which *ret_made then says. */
static int target_dir(const struct mount_op *op, const struct bk_root *root, int *ret_fd,
		      bool *ret_made, struct bk_err **err)
{
	int rc;

	/* a link at /proc or /sys would make us mount what the container trusts somewhere else */
	if (op->nolinks)
		rc = bk_root_openat_nolinks(root, op->dest, O_PATH | O_DIRECTORY, 0, ret_fd, err);
	else
		rc = bk_root_openat(root, op->dest, O_PATH | O_DIRECTORY, 0, ret_fd, err);
	*ret_made = rc == -BK_ERR_NOT_FOUND;
	if (*ret_made) {
		if (err)
			bk_err_clear(err);
		return bk_root_mkdirs(root, op->dest, 0755, ret_fd, err);
	}
	if (rc < 0 && op->nolinks && err && *err && bk_err_errno(*err) == ELOOP)
		return bk_err_wrap(err, rc, "mount point '%s' must not be a symbolic link", op->dest);
	return rc;
}

static int set_attrs(const struct mount_flags *f, int fd, const char *dest, struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = f->attr_set, .attr_clr = f->attr_clr };

	if ((attr.attr_set || attr.attr_clr) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount_setattr on '%s'", dest);
	if (f->rec_set || f->rec_clr) {
		struct mount_attr rec = { .attr_set = f->rec_set, .attr_clr = f->rec_clr };

		if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &rec, sizeof(rec)) < 0)
			return bk_err_set(err, BK_ERR_IO, errno,
					  "mount_setattr on the mounts below '%s'", dest);
	}
	for (size_t i = 0; i < f->n_propagation; i++) {
		struct mount_attr p = { .propagation = f->propagation[i] & ~(unsigned long)MS_REC };
		unsigned int flags = AT_EMPTY_PATH;

		if (f->propagation[i] & MS_REC)
			flags |= AT_RECURSIVE;
		if (mount_setattr(fd, "", flags, &p, sizeof(p)) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "mount_setattr: make '%s' %s", dest,
					  mount_opts_propagation_name(f->propagation[i]));
	}
	return 0;
}

/* A tmpfs over a directory keeps that directory's mode unless the options say one. */
static int tmpfs_data(const struct mount_op *op, int target, char *buf, size_t size,
		      const char **data)
{
	struct stat st;

	*data = op->f.data;
	if (!bk_streq(op->type, "tmpfs") || (op->f.data && strstr(op->f.data, "mode=")))
		return 0;
	if (fstat(target, &st) < 0)
		return -errno;
	snprintf(buf, size, "%s%smode=%o", op->f.data ? op->f.data : "", op->f.data ? "," : "",
		 (unsigned int)st.st_mode & 07777);
	*data = buf;
	return 0;
}

static int do_new(const struct mount_op *op, const char *type, const struct bk_root *root,
		  struct bk_err **err)
{
	bk_autoclose int target = -1;
	char buf[MOUNT_DATA_MAX + 16];
	const char *data = op->f.data;
	bool made_dir;
	int rc;

	rc = target_dir(op, root, &target, &made_dir, err);
	if (rc < 0)
		return rc;
	if (!made_dir)
		rc = tmpfs_data(op, target, buf, sizeof(buf), &data);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "status of '%s'", op->dest);
	if (fchdir(target) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter '%s'", op->dest);
	if (mount(op->source, ".", type, op->f.ms, data) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount %s on '%s'%s%s", type, op->dest,
				  data ? " with options " : "", data ? data : "");
	if (op->f.rec_set || op->f.rec_clr || op->f.n_propagation) {
		struct mount_flags f = op->f;
		bk_autoclose int made = -1;

		f.attr_set = f.attr_clr = 0; /* mount(2) has set those */
		rc = bk_root_openat(root, op->dest, O_PATH, 0, &made, err);
		if (rc < 0)
			return rc;
		return set_attrs(&f, made, op->dest, err);
	}
	return 0;
}

/* /proc may only be covered by a procfs, bound or new. */
static int verify_procfs(const struct mount_op *op, int tree, struct bk_err **err)
{
	struct statfs fs;

	if (!bk_streq(op->dest, "/proc"))
		return 0;
	if (fstatfs(tree, &fs) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", op->source);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' is not a proc file system and cannot be mounted on '/proc'",
				  op->source);
	return 0;
}

static int do_bind(const struct mount_op *op, const char *source, const struct bk_root *root,
		   struct bk_err **err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	bk_autoclose int tree = -1;
	bk_autoclose int target = -1;
	struct stat st;
	bool made;
	int rc;

	if (op->f.recursive)
		flags |= AT_RECURSIVE;
	tree = open_tree(AT_FDCWD, source, flags);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "bind '%s'", source);
	if (fstat(tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", source);
	rc = verify_procfs(op, tree, err);
	if (rc < 0)
		return rc;
	rc = set_attrs(&op->f, tree, op->dest, err);
	if (rc < 0)
		return rc;
	if (S_ISDIR(st.st_mode))
		rc = target_dir(op, root, &target, &made, err);
	else
		rc = bk_root_mkfile(root, op->dest, 0644, &target, err);
	if (rc < 0)
		return rc;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "attach '%s' to '%s'", source, op->dest);
	return 0;
}

/*
 * cgroup2 proper where the container has a cgroup namespace to confine it; else only our own cgroup
 * may show, never the host's tree (CVE-2023-25809).
 */
static int do_cgroup(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	struct mount_op bind = *op;
	struct bk_err *first = NULL;
	int rc;

	if (op->cgroup_ns) {
		rc = do_new(op, "cgroup2", root, &first);
		if (rc == 0)
			return 0;
		if (!op->cgroup_dir || (bk_err_errno(first) != EPERM && bk_err_errno(first) != EBUSY)) {
			bk_err_move(err, first);
			return rc;
		}
		bk_err_clear(&first);
	}
	if (!op->cgroup_dir)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the container has neither a cgroup nor a cgroup namespace, "
				  "so there is nothing to mount on '%s'", op->dest);
	bind.f.data = NULL;
	return do_bind(&bind, op->cgroup_dir, root, err);
}

static int do_remount(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int target = -1;
	int rc;

	rc = bk_root_openat(root, op->dest, O_PATH, 0, &target, err);
	if (rc < 0)
		return rc;
	if (!op->f.bind && (op->f.data || op->f.super)) {
		if (fchdir(target) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "enter '%s'", op->dest);
		if (mount(NULL, ".", NULL, op->f.ms | MS_REMOUNT, op->f.data) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "remount '%s'", op->dest);
	}
	return set_attrs(&op->f, target, op->dest, err);
}

int mount_do(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	int rc = 0;

	switch (op->kind) {
	case MOUNT_NEW:
		rc = do_new(op, op->type, root, err);
		break;
	case MOUNT_BIND:
		rc = do_bind(op, op->source, root, err);
		break;
	case MOUNT_CGROUP:
		rc = do_cgroup(op, root, err);
		break;
	case MOUNT_REMOUNT:
		rc = do_remount(op, root, err);
		break;
	}
	return rc < 0 ? bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest) : 0;
}
