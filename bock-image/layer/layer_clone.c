/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_clone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_map.h"
#include "base/bk_str.h"

#define XATTR_MAX  ((size_t)64 << 10)	/* bytes of one, and of all names: the kernel's bound */
#define DEPTH_MAX  2048			/* of a tree that layers of 256 components made, through links */
#define PROBE_SIZE 65536		/* at least a block of any file system */

struct clone {
	const struct bk_root *root;
	bool may_copy, set_owner;
	struct bk_map *links;	/* of this layer: inode -> path below root of its first name */
	char *names, *value;	/* XATTR_MAX each; value is for a file's content, too */
};

static int cant_share(int errnum, struct bk_err **err)
{
	int rc = bk_err_set(err, BK_ERR_UNSUPPORTED, errnum,
			    "the bundle's file system can't share blocks with the store's (FICLONE)");

	return bk_err_hint(err, rc, "btrfs and xfs can, with store and bundle on one file system; "
			   "--mode overlay and --mode copy work on others, --mode auto copies where it must");
}

static bool is_no_sharing(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == EXDEV || errnum == EINVAL || errnum == ENOTTY ||
	       errnum == ENOSYS;
}

int layer_clone_probe(int from, int to, struct bk_err **err)
{
	bk_autofree char *block = bk_calloc(1, PROBE_SIZE);
	bk_autoclose int a = openat(from, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	bk_autoclose int b = a < 0 ? -1 : openat(to, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	int rc;

	if (a < 0 || b < 0)
		return errno == EOPNOTSUPP || errno == EISDIR
			       ? cant_share(errno, err)
			       : bk_err_set(err, BK_ERR_IO, errno, "make a file to try block sharing with");
	rc = bk_fd_write_all(a, block, PROBE_SIZE);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write a file to try block sharing with");
	if (ioctl(b, FICLONE, a) == 0)
		return 0;
	return is_no_sharing(errno) ? cant_share(errno, err)
				    : bk_err_set(err, BK_ERR_IO, errno, "share blocks");
}

/* ---- attributes ---------------------------------------------------------------------------------- */

static bool is_overlays(const char *name)
{
	return bk_skip_prefix(name, "trusted.overlay.") || bk_skip_prefix(name, "user.overlay.") ||
	       bk_streq(name, "security.selinux");
}

/* Through procfs, for links have attributes, too, and no call takes a folder and a name. */
static int copy_xattrs(const struct clone *c, int src, int dst, const char *name, struct bk_err **err)
{
	bk_autofree char *from = bk_asprintf("/proc/self/fd/%d/%s", src, name);
	bk_autofree char *to = bk_asprintf("/proc/self/fd/%d/%s", dst, name);
	ssize_t len = llistxattr(from, c->names, XATTR_MAX);

	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : bk_err_set(err, BK_ERR_IO, errno, "list the attributes");
	for (const char *x = c->names; x < c->names + len; x += strlen(x) + 1) {
		ssize_t size;

		if (is_overlays(x))
			continue;
		size = lgetxattr(from, x, c->value, XATTR_MAX);
		if (size < 0 || lsetxattr(to, x, c->value, (size_t)size, 0) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "copy the attribute '%s'", x);
	}
	return 0;
}

static int copy_attrs(const struct clone *c, int src, int dst, const char *name, const struct stat *st,
		      struct bk_err **err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int rc;

	if (c->set_owner && fchownat(dst, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the owner");
	/* before a mode that forbids it, and the mode again behind access control lists, which change it */
	rc = copy_xattrs(c, src, dst, name, err);
	if (rc < 0)
		return rc;
	if (!S_ISLNK(st->st_mode) && fchmodat(dst, name, st->st_mode & 07777, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the mode");
	if (utimensat(dst, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the time");
	return 0;
}

/* ---- files --------------------------------------------------------------------------------------- */

/* Between file systems that copy_file_range(2) does not join. */
static ssize_t copy_some(const struct clone *c, int from, off_t *pos, int to, off_t *out, size_t len)
{
	ssize_t n = copy_file_range(from, pos, to, out, len, 0);

	if (n >= 0 || (errno != EXDEV && errno != EOPNOTSUPP && errno != EINVAL && errno != ENOSYS))
		return n;
	n = pread(from, c->value, len < XATTR_MAX ? len : XATTR_MAX, *pos);
	if (n > 0)
		n = pwrite(to, c->value, (size_t)n, *out);
	if (n > 0) {
		*pos += n;
		*out += n;
	}
	return n;
}

/* The parts that hold data; what is between them stays a hole. */
static int copy_data(const struct clone *c, int from, int to, off_t size, struct bk_err **err)
{
	off_t pos = 0;

	while (pos < size && (pos = lseek(from, pos, SEEK_DATA)) >= 0) {
		off_t end = lseek(from, pos, SEEK_HOLE), out = pos;

		while (pos < end) {
			ssize_t n = copy_some(c, from, &pos, to, &out, (size_t)(end - pos));

			if (n < 0)
				return bk_err_set(err, BK_ERR_IO, errno, "copy its content");
			if (n == 0)
				return bk_err_set(err, BK_ERR_IO, EIO, "it is shorter than it was");
		}
	}
	if (pos < 0 && errno != ENXIO)
		return bk_err_set(err, BK_ERR_IO, errno, "look for its data");
	return ftruncate(to, size) < 0 ? bk_err_set(err, BK_ERR_IO, errno, "set its size") : 0;
}

static int make_file(const struct clone *c, int src, int dst, const char *name, const struct stat *st,
		     struct bk_err **err)
{
	bk_autoclose int from = openat(src, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bk_autoclose int to = -1;

	if (from < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open it");
	to = openat(dst, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make it");
	if (st->st_size == 0 || ioctl(to, FICLONE, from) == 0)
		return 0;
	if (!is_no_sharing(errno))
		return bk_err_set(err, BK_ERR_IO, errno, "share its blocks");
	return c->may_copy ? copy_data(c, from, to, st->st_size, err) : cant_share(errno, err);
}

/* Another name of a file that this layer has made already. */
static int make_link(const struct clone *c, const char *first, int dst, const char *name, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char proc[32];
	int rc = bk_root_openat_nolinks(c->root, first, O_PATH | O_NOFOLLOW, 0, &fd, err);

	if (rc < 0)
		return rc;
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, proc, dst, name, AT_SYMLINK_FOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "link it to '%s'", first);
	return 0;
}

static int make_symlink(int src, int dst, const char *name, struct bk_err **err)
{
	char target[BK_ROOT_PATH_MAX + 1];
	ssize_t n = readlinkat(src, name, target, sizeof(target) - 1);

	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read the link");
	target[n] = '\0';
	return symlinkat(target, dst, name) < 0 ? bk_err_set(err, BK_ERR_IO, errno, "make it") : 0;
}

/* What is no directory. */
static int make_other(struct clone *c, int src, int dst, const char *name, const char *path,
		      const struct stat *st, struct bk_err **err)
{
	char inode[32];
	int rc = 0;

	(void)snprintf(inode, sizeof(inode), "%ju", (uintmax_t)st->st_ino);
	if (st->st_nlink > 1 && bk_map_has(c->links, inode))
		return make_link(c, bk_map_get(c->links, inode), dst, name, err);
	if (S_ISREG(st->st_mode))
		rc = make_file(c, src, dst, name, st, err);
	else if (S_ISLNK(st->st_mode))
		rc = make_symlink(src, dst, name, err);
	else if (mknodat(dst, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "make it");
	if (rc == 0)
		rc = copy_attrs(c, src, dst, name, st, err);
	if (rc == 0 && st->st_nlink > 1)
		(void)bk_map_set(c->links, inode, bk_strdup(path));
	return rc;
}

/* ---- directories --------------------------------------------------------------------------------- */

static int clone_dir(struct clone *c, int src, int dst, const char *path, unsigned int depth, struct bk_err **err);

/* Whether it hides all that lower layers have in it. */
static bool is_opaque(int fd)
{
	char y[2];

	return (fgetxattr(fd, "trusted.overlay.opaque", y, sizeof(y)) == 1 && y[0] == 'y') ||
	       (fgetxattr(fd, "user.overlay.opaque", y, sizeof(y)) == 1 && y[0] == 'y');
}

static int make_dir(struct clone *c, int src, int dst, const char *name, const char *path,
		    const struct stat *st, unsigned int depth, struct bk_err **err)
{
	bk_autoclose int from = openat(src, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclose int to = -1;
	struct stat old;
	int rc = 0;

	if (from < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open it");
	if (fstatat(dst, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && (!S_ISDIR(old.st_mode) || is_opaque(from)))
		rc = bk_root_rmtree_at(dst, name, err);
	if (rc < 0)
		return rc;
	if (mkdirat(dst, name, 0700) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make it");
	/* it may be a lower layer's, that its own mode closes */
	if (!c->set_owner && fchmodat(dst, name, 0700, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make it writable");
	to = openat(dst, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open it");
	rc = clone_dir(c, from, to, path, depth + 1, err);
	return rc < 0 ? rc : copy_attrs(c, src, dst, name, st, err);
}

static int clone_name(struct clone *c, int src, int dst, const char *dir, const char *name, unsigned int depth,
		      struct bk_err **err)
{
	bk_autofree char *path = *dir ? bk_asprintf("%s/%s", dir, name) : bk_strdup(name);
	struct stat st;
	int rc = 0;

	if (fstatat(src, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '%s'", path);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode))
		rc = make_dir(c, src, dst, name, path, &st, depth, err);
	else
		rc = bk_root_rmtree_at(dst, name, err);
	/* what has the number of a whiteout is one */
	if (rc == 0 && !S_ISDIR(st.st_mode) && !(S_ISCHR(st.st_mode) && st.st_rdev == 0))
		rc = make_other(c, src, dst, name, path, &st, err);
	return rc < 0 ? bk_err_wrap(err, rc, "'/%s'", path) : 0;
}

static int clone_dir(struct clone *c, int src, int dst, const char *path, unsigned int depth, struct bk_err **err)
{
	int copy = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	int rc = 0;

	if (!dir) {
		int errnum = errno;

		bk_close(&copy);
		return bk_err_set(err, BK_ERR_IO, errnum, "read it");
	}
	if (depth > DEPTH_MAX)
		return bk_err_set(err, BK_ERR_IO, ENAMETOOLONG, "go into it");
	while (rc == 0 && (errno = 0, e = readdir(dir)) != NULL)
		if (!bk_streq(e->d_name, ".") && !bk_streq(e->d_name, ".."))
			rc = clone_name(c, src, dst, path, e->d_name, depth, err);
	if (rc == 0 && errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read it");
	return rc;
}

static void free_text(void *text)
{
	free(text);
}

static int clone_layer(struct clone *c, int layers, const char *key, int to, struct bk_err **err)
{
	bk_automap struct bk_map *links = bk_map_new(free_text);
	bk_autofree char *path = bk_asprintf("%s/fs", key);
	bk_autoclose int from = openat(layers, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (from < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open unpacked layer '%s'", key);
	c->links = links;
	rc = clone_dir(c, from, to, "", 0, err);
	return rc < 0 ? rc : layer_keep_dress(from, to, err);
}

int layer_clone(const struct layer_kept *k, const struct bk_root *root, bool may_copy, struct bk_err **err)
{
	bk_autofree char *names = bk_malloc(XATTR_MAX);
	bk_autofree char *value = bk_malloc(XATTR_MAX);
	struct clone c = { .root = root, .may_copy = may_copy, .set_owner = k->kind != STORE_LAYER_USER,
			   .names = names, .value = value };
	bk_autoclose int to = openat(root->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = to < 0 ? bk_err_set(err, BK_ERR_IO, errno, "open the root") : 0;

	for (char **key = k->keys; rc == 0 && *key; key++)
		rc = clone_layer(&c, k->layers, *key, to, err);
	return rc < 0 ? bk_err_wrap(err, rc, "copy the unpacked layers") : 0;
}
