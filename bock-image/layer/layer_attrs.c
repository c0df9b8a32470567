/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: owner before mode (chown clears setuid) before xattrs (it clears capabilities) before times. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_errno.h"
#include "base/bk_str.h"
#include "layer/layer_tree_priv.h"

#define PROC_FD_SIZE 32

/* What would mean something else on another machine, or to the file system that we unpack to. */
bool layer_xattr_taken(const char *name)
{
	return !bk_skip_prefix(name, "trusted.overlay.") &&
	       !bk_skip_prefix(name, "user.overlay.") && !bk_streq(name, "security.selinux") &&
	       !bk_streq(name, "security.ima") && !bk_streq(name, "security.evm") &&
	       !bk_streq(name, "system.nfs4_acl");
}

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
				 bk_errno_text(errno));
		return 0;
	}
	return bk_err_set(err, BK_ERR_IO, errno, "set attribute '%s' of '/%s'", x->name, path);
}

/* One field of rootlesscontainers.proto's Resource: its tag, and the id as a varint. */
static size_t put_field(unsigned char *out, unsigned char tag, uint32_t id)
{
	size_t n = 0;

	/* 0 is left as it is, which the format says by the last number */
	id = id == 0 ? UINT32_MAX : id;
	out[n++] = tag;
	for (; id >= 0x80; id >>= 7)
		out[n++] = (unsigned char)(id | 0x80);
	out[n++] = (unsigned char)id;
	return n;
}

int layer_attrs_note_owner_(const struct layer_tree *t, const char *path, int fd, bool o_path,
			    const struct layer_attrs *attrs, struct bk_err **err)
{
	unsigned char value[16];
	struct layer_xattr x = { .name = (char *)(uintptr_t)LAYER_ROOTLESS_XATTR, .value = value };

	if (!t->rootless || (attrs->uid == 0 && attrs->gid == 0))
		return 0;
	if (!S_ISREG(attrs->mode) && !S_ISDIR(attrs->mode)) {
		layer_tree_warn_(t, "'/%s': its owner %u:%u is not noted: it can have no attributes",
				 path, attrs->uid, attrs->gid);
		return 0;
	}
	x.size = put_field(value, 0x08, attrs->uid);
	x.size += put_field(value + x.size, 0x10, attrs->gid);
	return set_xattr(t, path, fd, o_path, &x, err);
}

/* A layer can't say that somebody else's note of an owner is ours. */
static bool is_note(const struct layer_tree *t, const struct layer_xattr *x)
{
	return t->rootless && bk_streq(x->name, LAYER_ROOTLESS_XATTR);
}

static int set_mode(const char *path, int fd, bool o_path, mode_t mode, struct bk_err **err)
{
	char proc[PROC_FD_SIZE];
	int rc = o_path ? chmod(proc_path(fd, proc), mode) : fchmod(fd, mode);

	return rc < 0 ? fail(err, "set the mode of", path) : 0;
}

static int set_xattrs(const struct layer_tree *t, const char *path, int fd, bool o_path,
		      const struct layer_attrs *attrs, struct bk_err **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < attrs->n_xattrs; i++)
		if (!is_note(t, &attrs->xattrs[i]))
			rc = set_xattr(t, path, fd, o_path, &attrs->xattrs[i], err);
	return rc < 0 ? rc : layer_attrs_note_owner_(t, path, fd, o_path, attrs, err);
}

/* Who is not root may give attributes only to what he may write to, be it his own. */
static int set_xattrs_readonly(const struct layer_tree *t, const char *path, int fd, bool o_path,
			       const struct layer_attrs *attrs, struct bk_err **err)
{
	struct stat st;
	int rc = set_mode(path, fd, o_path, (attrs->mode & 07777) | S_IWUSR, err);

	if (rc == 0)
		rc = set_xattrs(t, path, fd, o_path, attrs, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return fail(err, "stat", path);
	return set_mode(path, fd, o_path, st.st_mode & 07777 & ~(mode_t)S_IWUSR, err);
}

int layer_attrs_set_(const struct layer_tree *t, const char *path, int fd, unsigned int flags,
		     const struct layer_attrs *attrs, struct bk_err **err)
{
	const struct timespec times[2] = { attrs->mtime, attrs->mtime };
	bool is_link = S_ISLNK(attrs->mode), o_path = flags & ATTRS_O_PATH;
	bool has_xattrs = attrs->n_xattrs > 0 || (t->rootless && (attrs->uid || attrs->gid));
	int rc = 0;

	if (!t->rootless && !(flags & ATTRS_OWNED) &&
	    fchownat(fd, "", attrs->uid, attrs->gid, AT_EMPTY_PATH) < 0)
		return fail(err, "set the owner of", path);
	if (has_xattrs && t->uid != 0 && !is_link && !(attrs->mode & S_IWUSR)) {
		rc = set_xattrs_readonly(t, path, fd, o_path, attrs, err);
	} else {
		if (!is_link && !(flags & ATTRS_MODED))
			rc = set_mode(path, fd, o_path, attrs->mode & 07777, err);
		if (rc == 0 && has_xattrs)
			rc = set_xattrs(t, path, fd, o_path, attrs, err);
	}
	if (rc < 0)
		return rc;
	rc = o_path ? utimensat(fd, "", times, AT_EMPTY_PATH) : futimens(fd, times);
	return rc < 0 ? fail(err, "set the time of", path) : 0;
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
