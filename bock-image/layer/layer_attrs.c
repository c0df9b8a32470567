/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: owner before mode (chown clears setuid) before xattrs (it clears capabilities) before times. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_str.h"
#include "layer/layer_tree_priv.h"

#define PROC_FD_SIZE 32

/* xattr calls refuse O_PATH descriptors; the link in procfs leads to the very inode, be it a link. */
static const char *proc_path(int fd, char buf[PROC_FD_SIZE])
{
	(void)snprintf(buf, PROC_FD_SIZE, "/proc/self/fd/%d", fd);
	return buf;
}

static int fail(struct bk_err **err, const char *act, const char *path)
{
	return bk_err_set(err, BK_ERR_IO, errno, "%s '/%s'", act, path);
}

static int set_xattr(const struct layer_tree *t, const char *path, int fd, bool o_path,
		     const struct layer_xattr *x, struct bk_err **err)
{
	char proc[PROC_FD_SIZE];
	int rc = o_path ? setxattr(proc_path(fd, proc), x->name, x->value, x->size, 0)
			: fsetxattr(fd, x->name, x->value, x->size, 0);

	if (rc == 0)
		return 0;
	/* A file system that knows none, or a user who may not: said, and not fatal. */
	if (errno == EOPNOTSUPP || ((errno == EPERM || errno == EACCES) && t->rootless)) {
		layer_tree_warn_(t, "'/%s': attribute '%s' left out: %s", path, x->name,
				 strerror(errno));
		return 0;
	}
	return bk_err_set(err, BK_ERR_IO, errno, "set attribute '%s' of '/%s'", x->name, path);
}

int layer_attrs_set_(const struct layer_tree *t, const char *path, int fd, unsigned int flags,
		     const struct layer_attrs *attrs, struct bk_err **err)
{
	const struct timespec times[2] = { attrs->mtime, attrs->mtime };
	bool is_link = S_ISLNK(attrs->mode), o_path = flags & ATTRS_O_PATH;
	bool owned = flags & ATTRS_OWNED, moded = flags & ATTRS_MODED;
	char proc[PROC_FD_SIZE];
	int rc;

	if (!t->rootless && !owned && fchownat(fd, "", attrs->uid, attrs->gid, AT_EMPTY_PATH) < 0)
		return fail(err, "set the owner of", path);
	if (!is_link && !moded) {
		mode_t mode = attrs->mode & 07777;

		rc = o_path ? chmod(proc_path(fd, proc), mode) : fchmod(fd, mode);
		if (rc < 0)
			return fail(err, "set the mode of", path);
	}
	for (size_t i = 0; i < attrs->n_xattrs; i++) {
		rc = set_xattr(t, path, fd, o_path, &attrs->xattrs[i], err);
		if (rc < 0)
			return rc;
	}
	rc = o_path ? utimensat(fd, "", times, AT_EMPTY_PATH) : futimens(fd, times);
	if (rc < 0)
		return fail(err, "set the time of", path);
	return 0;
}

static bool kept(const struct layer_attrs *attrs, const char *name)
{
	for (size_t i = 0; i < attrs->n_xattrs; i++)
		if (bk_streq(attrs->xattrs[i].name, name))
			return true;
	return !bk_skip_prefix(name, "user.") && !bk_skip_prefix(name, "system.posix_acl_") &&
	       !bk_streq(name, "security.capability");
}

int layer_attrs_clear_(const char *path, int fd, const struct layer_attrs *attrs,
		       struct bk_err **err)
{
	bk_autofree char *names = NULL;
	ssize_t size = flistxattr(fd, NULL, 0);

	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : fail(err, "list the attributes of", path);
	if (size == 0)
		return 0;
	names = bk_malloc((size_t)size);
	size = flistxattr(fd, names, (size_t)size);
	if (size < 0)
		return fail(err, "list the attributes of", path);
	for (const char *name = names; name < names + size; name += strlen(name) + 1)
		if (!kept(attrs, name) && fremovexattr(fd, name) < 0 && errno != ENODATA)
			return fail(err, "remove an attribute of", path);
	return 0;
}
