/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "mount/mount_copyup.h"
#include "mount/mount_plan.h"
#include "mount/mount_tree.h"

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
		return bk_root_mkdirs_missing(root, op->dest, 0755, ret_fd, err);
	}
	if (rc < 0 && op->nolinks && err && *err && bk_err_errno(*err) == ELOOP)
		return bk_err_wrap(err, rc, "mount point '%s' must not be a symbolic link", op->dest);
	return rc;
}

int mount_do_target(const struct mount_op *op, bool dir, const struct bk_root *root, int *ret_fd,
		    bool *ret_made, struct bk_err **err)
{
	*ret_made = false;
	if (op->f.extra & MOUNT_DEST_NOFOLLOW) /* it is there: nothing else can be meant */
		return bk_root_openat(root, op->dest, O_PATH | O_NOFOLLOW, 0, ret_fd, err);
	if (dir)
		return target_dir(op, root, ret_fd, ret_made, err);
	return bk_root_mkfile(root, op->dest, 0644, ret_fd, err);
}

static int attach(const struct mount_op *op, int tree, const struct bk_root *root,
		  struct bk_err **err)
{
	bk_autoclose int target = -1;
	struct stat st;
	bool made;
	int rc;

	if (fstat(tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", op->source);
	rc = mount_do_target(op, S_ISDIR(st.st_mode), root, &target, &made, err);
	return rc < 0 ? rc : mount_tree_attach(op, tree, target, err);
}

/* --- new file systems --- */

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

int mount_do_make(const struct mount_op *op, int over, int *ret_tree, struct bk_err **err)
{
	char buf[MOUNT_DATA_MAX + 16];
	const char *data = op->f.data;
	int rc = over < 0 ? 0 : tmpfs_data(op, over, buf, sizeof(buf), &data);

	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "status of '%s'", op->dest);
	return mount_tree_new(op, op->type, data, false, ret_tree, err);
}

/* tmpcopyup: the tmpfs is filled while it is detached, and covers the directory then. */
static int do_copyup(const struct mount_op *op, int target, const char *data, struct bk_err **err)
{
	struct mount_flags ro = { .attr_set = op->f.attr_set & MOUNT_ATTR_RDONLY };
	bk_autoclose int tree = -1;
	struct stat st;
	int rc;

	rc = mount_tree_new(op, op->type, data, true, &tree, err);
	if (rc == 0)
		rc = mount_copyup(target, tree, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "tmpcopyup");
	if (fstat(target, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", op->dest);
	if (!(op->f.data && (strstr(op->f.data, "uid=") || strstr(op->f.data, "gid="))) &&
	    fchownat(tree, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "tmpcopyup: change the owner of '%s'", op->dest);
	if (op->f.ms & MS_RDONLY) /* a late /dev is made so later */
		rc = mount_tree_attrs(&ro, tree, op->dest, err);
	return rc < 0 ? rc : mount_tree_attach(op, tree, target, err);
}

/*
 * What mount(2) can't set: the options of the mounts below and propagation, and the label of an mqueue. They are set
 * before it is attached: a second look at the path could find what somebody has put there meanwhile.
 */
static bool needs_tree(const struct mount_op *op)
{
	return op->f.rec_set || op->f.rec_clr || op->f.n_propagation || op->label ||
	       (op->f.data && strlen(op->f.data) > MOUNT_DATA_MAX);
}

static int do_detached(const struct mount_op *op, const char *type, const char *data, int target, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	bk_autoclose int top = -1;
	int rc = mount_tree_new(op, type, data, false, &tree, err);

	if (rc < 0)
		return rc;
	if (op->label) {
		top = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (top < 0 || fsetxattr(top, "security.selinux", op->label, strlen(op->label), 0) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "linux.mountLabel: label '%s'", op->dest);
	}
	return mount_tree_attach(op, tree, target, err);
}

static int new_failed(const struct mount_op *op, const char *type, const char *data, int errnum,
		      struct bk_err **err)
{
	int rc = bk_err_set(err, BK_ERR_IO, errnum, "mount %s on '%s'%s%s", type, op->dest,
			    data ? " with options " : "", data ? data : "");

	/* mount_namespaces(7): mnt_already_visible() of the kernel */
	if (errnum == EPERM && op->userns && (bk_streq(type, "proc") || bk_streq(type, "sysfs")))
		return bk_err_hint(err, rc, "in a user namespace a new one can be mounted only where one is to be seen "
				   "whole: in a container, one without maskedPaths and readonlyPaths in it");
	return rc;
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
	if (op->f.extra & MOUNT_COPY_UP && !made_dir)
		return do_copyup(op, target, data, err);
	if (needs_tree(op))
		return do_detached(op, type, data, target, err);
	if (fchdir(target) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter '%s'", op->dest);
	if (mount(op->source, ".", type, op->f.ms, data) < 0)
		return new_failed(op, type, data, errno, err);
	return 0;
}

/* --- binds --- */

/* copy-symlink: the link itself is made again at the destination, where none but the same may be. */
static int copy_symlink(const struct mount_op *op, int tree, const struct bk_root *root,
			struct bk_err **err)
{
	char want[BK_ROOT_PATH_MAX], got[BK_ROOT_PATH_MAX];
	bk_autoclose int dir = -1;
	bk_autofree char *name = NULL;
	ssize_t n = readlinkat(tree, "", want, sizeof(want) - 1), m;
	int rc;

	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read link '%s'", op->source);
	want[n] = '\0';
	rc = bk_root_parent(root, op->dest, true, &dir, &name, err);
	if (rc < 0)
		return rc;
	if (symlinkat(want, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make link '%s'", op->dest);
	m = readlinkat(dir, name, got, sizeof(got));
	if (m == n && memcmp(want, got, (size_t)n) == 0)
		return 0;
	return bk_err_set(err, BK_ERR_IO, EEXIST, "copy-symlink: '%s' is there and is not a link to '%s'",
			  op->dest, want);
}

static int do_bind(const struct mount_op *op, const char *source, int opened,
		   const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	struct stat st;
	int rc;

	rc = mount_tree_bind(op, source, opened, &tree, err);
	if (rc < 0)
		return rc;
	if (op->f.extra & MOUNT_COPY_SYMLINK && fstat(tree, &st) == 0 && S_ISLNK(st.st_mode))
		return copy_symlink(op, tree, root, err);
	rc = mount_tree_attrs(&op->f, tree, op->dest, err);
	return rc < 0 ? rc : attach(op, tree, root, err);
}

/* --- special ones --- */

/* An empty read-only directory in place of what can't be had, or is not the container's to see. */
static int do_empty(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	struct mount_op empty = { .kind = MOUNT_NEW, .where = op->where, .source = "tmpfs",
				  .dest = op->dest, .type = "tmpfs",
				  .f = { .ms = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
					 .data = (char *)"nr_blocks=1,nr_inodes=1,mode=555" } };

	return do_new(&empty, "tmpfs", root, err);
}

/*
 * cgroup2 proper where the container has a cgroup namespace to confine it; else only our own cgroup
 * may show, never the host's tree, and to root of a user namespace that only read-only (CVE-2023-25809).
 */
static int do_cgroup(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	struct mount_op bind = *op;
	struct bk_err *e = NULL;
	int rc;

	if (op->cgroup_ns) {
		rc = do_new(op, "cgroup2", root, &e);
		if (rc == 0)
			return 0;
		if (!op->cgroup_dir || (bk_err_errno(e) != EPERM && bk_err_errno(e) != EBUSY)) {
			bk_err_move(err, e);
			return rc;
		}
		bk_err_clear(&e);
	}
	if (!op->cgroup_dir)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the container has neither a cgroup nor a cgroup namespace, "
				  "so there is nothing to mount on '%s'", op->dest);
	if (!*op->cgroup_dir)
		return do_empty(op, root, err);
	bind.f.data = NULL;
	bind.source = op->cgroup_dir;
	if (op->userns) {
		bind.f.attr_set |= MOUNT_ATTR_RDONLY;
		bind.f.attr_clr &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	rc = do_bind(&bind, op->cgroup_dir, -1, root, &e);
	if (rc == 0)
		return 0;
	/* a user to whom none was delegated has none: nothing is seen then, as the host's is not ours */
	if (op->userns && bk_err_errno(e) == ENOENT) {
		bk_err_clear(&e);
		return do_empty(op, root, err);
	}
	bk_err_move(err, e);
	return rc;
}

/*
 * A sysfs shows a network namespace, and only who owns that may mount one: in a user namespace without a
 * network namespace of its own the host's is bound, all of it read-only, if read-only was asked for.
 */
static int do_sysfs(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	struct mount_op bind = *op;
	struct bk_err *e = NULL;
	int rc = do_new(op, op->type, root, &e);

	if (rc == 0)
		return 0;
	if (!op->userns || !(op->f.ms & MS_RDONLY) || bk_err_errno(e) != EPERM) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	bind.source = "/sys";
	bind.f.recursive = true;
	bind.f.rec_set |= MOUNT_ATTR_RDONLY;
	bind.f.rec_clr &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	return do_bind(&bind, "/sys", -1, root, err);
}

static int do_remount(const struct mount_op *op, const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int target = -1;
	int rc;

	rc = bk_root_openat(root, op->dest, O_PATH, 0, &target, err);
	if (rc == 0 && !op->f.bind && (op->f.data || op->f.super || op->f.super_clr))
		rc = mount_tree_reconfigure(&op->f, target, op->dest, err);
	return rc < 0 ? rc : mount_tree_attrs(&op->f, target, op->dest, err);
}

int mount_do_idmapped(const struct mount_op *op, int userns, int *ret_tree, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	int rc;

	if (op->kind == MOUNT_BIND) {
		rc = mount_tree_bind(op, op->source, -1, &tree, err);
		if (rc == 0)
			rc = mount_tree_attrs(&op->f, tree, op->dest, err);
	} else {
		rc = mount_tree_new(op, op->type, op->f.data, false, &tree, err);
	}
	if (rc == 0)
		rc = mount_tree_idmap(op, tree, userns, err);
	if (rc == -BK_ERR_PERMISSION)
		rc = bk_err_hint(err, rc, "mapped ids need CAP_SYS_ADMIN in the user namespace that the file "
				 "system was mounted in: an ordinary user has it for none of the host's, and a "
				 "mount that is mapped already can't be mapped again");
	if (rc < 0)
		return bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest);
	*ret_tree = bk_steal_fd(&tree);
	return 0;
}

int mount_do(const struct mount_op *op, int given, const struct bk_root *root, struct bk_err **err)
{
	int rc = 0;

	if (given >= 0 && !op->source_sent) {
		rc = attach(op, given, root, err);
		return rc < 0 ? bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest) : 0;
	}
	switch (op->kind) {
	case MOUNT_NEW:
		if (bk_streq(op->type, "sysfs"))
			rc = do_sysfs(op, root, err);
		else
			rc = do_new(op, op->type, root, err);
		break;
	case MOUNT_BIND:
		rc = do_bind(op, op->source, given, root, err);
		break;
	case MOUNT_CGROUP:
		rc = do_cgroup(op, root, err);
		break;
	case MOUNT_REMOUNT:
		rc = do_remount(op, root, err);
		break;
	case MOUNT_ROOT:
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "a root that is mounted can't be changed here");
		break;
	}
	return rc < 0 ? bk_err_wrap(err, rc, "%s '%s'", op->where, op->dest) : 0;
}
