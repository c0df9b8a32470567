/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"

#define PROC_ROOT_INODE 1
#define FS_LOG_MAX 512	/* bytes of what a file system says about its options */

struct super_word {
	unsigned long ms;
	const char *set, *clear;
};

/* What fsconfig(2) calls the flags of a superblock; "silent" and "loud" are mount(2)'s alone. */
static const struct super_word super_words[] = {
	{ MS_SYNCHRONOUS, "sync", "async" },
	{ MS_DIRSYNC, "dirsync", NULL },
	{ MS_LAZYTIME, "lazytime", "nolazytime" },
	{ MS_MANDLOCK, "mand", "nomand" },
};

/* /proc may only be covered by a procfs, bound or new: all of it, for a part could pass for the whole. */
static int verify_procfs(const struct mount_op *op, int tree, struct bk_err **err)
{
	struct statfs fs;
	struct stat st;

	if (!bk_streq(op->dest, "/proc"))
		return 0;
	if (fstatfs(tree, &fs) < 0 || fstat(tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", op->source);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' is not a proc file system and cannot be mounted on '/proc'",
				  op->source);
	if (st.st_ino != PROC_ROOT_INODE)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' is not the root of a proc file system and cannot be mounted on '/proc'",
				  op->source);
	return 0;
}

/*
 * In the runtime's own mount namespace nobody has made "/" a slave: without this, what is mounted in a bind mount
 * would come out at its source, too.
 */
static int make_slave(const struct mount_op *op, int tree, struct bk_err **err)
{
	struct mount_attr slave = { .propagation = MS_SLAVE };

	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave, sizeof(slave)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount_setattr: make '%s' a slave", op->source);
	return 0;
}

int mount_tree_bind(const struct mount_op *op, const char *source, int opened, int *ret_fd,
		    struct bk_err **err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	bk_autoclose int tree = -1;
	int rc;

	if (op->f.recursive)
		flags |= AT_RECURSIVE;
	if (op->f.extra & (MOUNT_SRC_NOFOLLOW | MOUNT_COPY_SYMLINK))
		flags |= AT_SYMLINK_NOFOLLOW;
	if (opened >= 0)
		tree = open_tree(opened, "", flags | AT_EMPTY_PATH);
	else
		tree = open_tree(AT_FDCWD, source, flags);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "bind '%s'", source);
	rc = verify_procfs(op, tree, err);
	if (rc == 0 && op->host_mounts)
		rc = make_slave(op, tree, err);
	if (rc == 0)
		*ret_fd = bk_steal_fd(&tree);
	return rc;
}

/* A failed fsconfig or fsmount, with what the file system itself says about it. */
static int fs_error(int fs, int errnum, const char *what, const char *name, struct bk_err **err)
{
	char log[FS_LOG_MAX];
	ssize_t n = read(fs, log, sizeof(log) - 1);
	char *text = log;

	if (n <= 0)
		return bk_err_set(err, BK_ERR_IO, errnum, "%s '%s'", what, name);
	log[n] = '\0';
	log[strcspn(log, "\n")] = '\0';
	if (n > 2 && log[1] == ' ') /* "e tmpfs: Unknown parameter 'x'" */
		text = log + 2;
	return bk_err_set(err, BK_ERR_IO, errnum, "%s '%s': %s", what, name, text);
}

static int set_flag(int fs, const char *name, struct bk_err **err)
{
	if (fsconfig(fs, FSCONFIG_SET_FLAG, name, NULL, 0) < 0)
		return fs_error(fs, errno, "set", name, err);
	return 0;
}

static int set_option(int fs, char *option, struct bk_err **err)
{
	char *value = strchr(option, '=');
	size_t len;

	if (!value)
		return set_flag(fs, option, err);
	*value++ = '\0';
	len = strlen(value);
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"' && bk_has_suffix(option, "context")) {
		value[len - 1] = '\0'; /* the quotes are for mount(2) */
		value++;
	}
	if (fsconfig(fs, FSCONFIG_SET_STRING, option, value, 0) < 0)
		return fs_error(fs, errno, "set", option, err);
	return 0;
}

/* The end of an option in "a,b=\"c,d\",e\\,f": a comma in quotes or behind a backslash is none. */
static char *option_end(char *p)
{
	const char *start = p;
	bool quoted = false;

	for (; *p && (*p != ',' || quoted); p++) {
		if (*p == '"' && (quoted || (p > start && p[-1] == '=')))
			quoted = !quoted;
		else if (*p == '\\' && p[1])
			p++;
	}
	return p;
}

static int set_data(int fs, const char *data, struct bk_err **err)
{
	bk_autofree char *copy = data ? bk_strdup(data) : NULL;
	char *p = copy;

	while (p && *p) {
		char *end = option_end(p);
		bool last = !*end;
		int rc = 0;

		*end = '\0';
		if (*p)
			rc = set_option(fs, p, err);
		if (rc < 0)
			return rc;
		p = last ? end : end + 1;
	}
	return 0;
}

static int set_super(int fs, const struct mount_flags *f, struct bk_err **err)
{
	int rc = 0;

	if ((f->super | f->super_clr) & MS_I_VERSION)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "iversion and noiversion work for a new file system without idmap, "
				  "tmpcopyup, propagation and options of the mounts below only");
	for (size_t i = 0; i < BK_ARRAY_SIZE(super_words) && rc == 0; i++) {
		const struct super_word *w = &super_words[i];

		if (f->super & w->ms)
			rc = set_flag(fs, w->set, err);
		else if (f->super_clr & w->ms && w->clear)
			rc = set_flag(fs, w->clear, err);
	}
	return rc;
}

int mount_tree_new(const struct mount_op *op, const char *type, const char *data, bool writable,
		   int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fs = fsopen(type, FSOPEN_CLOEXEC);
	bk_autoclose int tree = -1;
	struct mount_flags f = op->f;
	int rc;

	if (fs < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "fsopen: file system type '%s'", type);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", op->source, 0) < 0)
		return fs_error(fs, errno, "source", op->source, err);
	rc = set_super(fs, &f, err);
	if (rc == 0)
		rc = set_data(fs, data, err);
	if (rc == 0 && f.ms & MS_RDONLY && !writable)
		rc = set_flag(fs, "ro", err);
	if (rc < 0)
		return rc;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_error(fs, errno, "create file system", type, err);
	tree = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (tree < 0)
		return fs_error(fs, errno, "mount file system", type, err);
	if (writable || !(f.ms & MS_RDONLY)) /* /dev is made read-only when its devices are in it */
		f.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	rc = mount_tree_attrs(&f, tree, op->dest, err);
	if (rc == 0)
		*ret_fd = bk_steal_fd(&tree);
	return rc;
}

static int attr_error(int errnum, const char *what, const char *dest, struct bk_err **err)
{
	int rc = bk_err_set(err, BK_ERR_IO, errnum, "mount_setattr: %s '%s'", what, dest);

	if (errnum == EPERM)
		return bk_err_hint(err, rc, "in a user namespace the flags that the mount has outside are "
				   "locked: ro, nosuid, nodev, noexec and those of access times stay");
	return rc;
}

int mount_tree_attrs(const struct mount_flags *f, int fd, const char *dest, struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = f->attr_set, .attr_clr = f->attr_clr };

	if ((attr.attr_set || attr.attr_clr) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return attr_error(errno, "options of", dest, err);
	if (f->rec_set || f->rec_clr) {
		struct mount_attr rec = { .attr_set = f->rec_set, .attr_clr = f->rec_clr };

		if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &rec, sizeof(rec)) < 0)
			return attr_error(errno, "options of the mounts below", dest, err);
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

int mount_tree_reconfigure(const struct mount_flags *f, int fd, const char *dest,
			   struct bk_err **err)
{
	bk_autoclose int fs = fspick(fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	int rc;

	if (fs < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "fspick: the file system on '%s'", dest);
	rc = set_super(fs, f, err);
	if (rc == 0)
		rc = set_data(fs, f->data, err);
	if (rc < 0)
		return rc;
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return fs_error(fs, errno, "remount", dest, err);
	return 0;
}

int mount_tree_idmap(const struct mount_op *op, int fd, int userns, struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	unsigned int flags = AT_EMPTY_PATH | (op->idmap->recursive ? AT_RECURSIVE : 0);
	int rc, saved;

	if (mount_setattr(fd, "", flags, &attr, sizeof(attr)) == 0)
		return 0;
	saved = errno;
	rc = bk_err_set(err, BK_ERR_IO, saved, "idmap: mount_setattr of '%s'", op->source);
	if (saved == EINVAL)
		return bk_err_hint(err, rc, "this kernel has no id-mapped mounts of that file system");
	return rc;
}

int mount_tree_attach(const struct mount_op *op, int fd, int target, struct bk_err **err)
{
	if (move_mount(fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "attach '%s' to '%s'", op->source, op->dest);
	return 0;
}
