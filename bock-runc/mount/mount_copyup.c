/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_copyup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

#define SEND_MAX ((size_t)1 << 30)	/* bytes of one sendfile(2) */

/* A file with several names: where its first copy is. */
struct linked {
	dev_t dev;
	ino_t ino;
	char *path;
};

struct copy {
	int top;
	struct linked *links;
	size_t n_links;
	unsigned int depth;
	char path[PATH_MAX];	/* of what is being copied, from the top */
};

static int failed(const char *what, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_IO, errno, "%s", what);
}

/* --- attributes --- */

static int copy_xattr(int from, int to, const char *name, struct bk_err **err)
{
	bk_autofree char *value = NULL;
	ssize_t n = fgetxattr(from, name, NULL, 0);

	if (n < 0 || n > MOUNT_COPYUP_XATTR_MAX)
		return n < 0 && errno == ENODATA ? 0 : failed("read an extended attribute", err);
	value = bk_malloc((size_t)n + 1);
	n = fgetxattr(from, name, value, (size_t)n);
	if (n < 0)
		return failed("read an extended attribute", err);
	/*
	 * What a tmpfs doesn't have, or what is not ours to set (trusted.*, security.* in a user namespace),
	 * stays behind, as it does with cp --archive.
	 */
	if (fsetxattr(to, name, value, (size_t)n, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM)
		return failed("set an extended attribute", err);
	return 0;
}

static int copy_xattrs(int from, int to, struct bk_err **err)
{
	bk_autofree char *names = NULL;
	ssize_t n = flistxattr(from, NULL, 0);

	if (n <= 0)
		return n < 0 && errno != EOPNOTSUPP ? failed("list extended attributes", err) : 0;
	if (n > MOUNT_COPYUP_XATTR_MAX)
		n = MOUNT_COPYUP_XATTR_MAX;
	names = bk_malloc((size_t)n);
	n = flistxattr(from, names, (size_t)n);
	if (n < 0)
		return failed("list extended attributes", err);
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		int rc = copy_xattr(from, to, p, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "'%s'", p);
	}
	return 0;
}

/* The owner first: a change of it takes setuid and capabilities away. */
static int copy_status(int from, int to, const struct stat *st, struct bk_err **err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int rc;

	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return failed("change the owner", err);
	if (fchmod(to, st->st_mode & 07777) < 0)
		return failed("change the mode", err);
	rc = copy_xattrs(from, to, err);
	if (rc == 0 && futimens(to, times) < 0)
		rc = failed("set times", err);
	return rc;
}

/* --- kinds --- */

static int copy_extent(int from, int to, off_t start, off_t end, struct bk_err **err)
{
	if (lseek(to, start, SEEK_SET) < 0)
		return failed("write", err);
	while (start < end) {
		size_t len = (size_t)(end - start);
		ssize_t n = sendfile(to, from, &start, len < SEND_MAX ? len : SEND_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed("copy", err);
		if (n == 0)
			break; /* it became shorter */
	}
	return 0;
}

static int copy_data(int from, int to, const struct stat *st, struct bk_err **err)
{
	off_t pos = 0;

	while (pos < st->st_size) {
		off_t start = lseek(from, pos, SEEK_DATA);
		off_t end;
		int rc;

		if (start < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		if (start < 0)
			start = pos;
		end = lseek(from, start, SEEK_HOLE);
		if (end < 0 || end > st->st_size)
			end = st->st_size;
		rc = copy_extent(from, to, start, end, err);
		if (rc < 0)
			return rc;
		pos = end;
	}
	if (ftruncate(to, st->st_size) < 0)
		return failed("set the size", err);
	return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st,
		     struct bk_err **err)
{
	bk_autoclose int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bk_autoclose int to = -1;
	struct stat now;
	int rc;

	if (from < 0 || fstat(from, &now) < 0)
		return failed("open", err);
	if (!S_ISREG(now.st_mode) || now.st_ino != st->st_ino || now.st_dev != st->st_dev)
		return bk_err_set(err, BK_ERR_IO, EBUSY, "it became another file");
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return failed("make", err);
	rc = copy_data(from, to, &now, err);
	return rc < 0 ? rc : copy_status(from, to, &now, err);
}

/* Nodes and links have no descriptor to work on: their names do, and nobody else has the copy yet. */
static int named_status(int to_dir, const char *name, const struct stat *st, struct bk_err **err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed("change the owner", err);
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return failed("change the mode", err);
	if (utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed("set times", err);
	return 0;
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st,
		     struct bk_err **err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return failed("read link", err);
	target[n] = '\0';
	if (symlinkat(target, to_dir, name) < 0)
		return failed("make link", err);
	return named_status(to_dir, name, st, err);
}

static int copy_node(int to_dir, const char *name, const struct stat *st, struct bk_err **err)
{
	if (mknodat(to_dir, name, st->st_mode & (S_IFMT | 0777), st->st_rdev) < 0)
		return failed("make device", err);
	return named_status(to_dir, name, st, err);
}

static int copy_dir(struct copy *c, int from, int to, struct bk_err **err);

static int copy_subdir(struct copy *c, int from_dir, int to_dir, const char *name,
		       struct bk_err **err)
{
	bk_autoclose int from = openat(from_dir, name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bk_autoclose int to = -1;
	struct stat st;
	int rc;

	if (from < 0 || fstat(from, &st) < 0)
		return failed("open", err);
	if (mkdirat(to_dir, name, 0700) < 0)
		return failed("make", err);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return failed("open the copy", err);
	rc = copy_dir(c, from, to, err);
	return rc < 0 ? rc : copy_status(from, to, &st, err);
}

/* --- hard links --- */

/* 1: name is now another name of a copy that was made before; 0: it is the first. */
static int link_again(const struct copy *c, int to_dir, const char *name, const struct stat *st,
		      struct bk_err **err)
{
	for (size_t i = 0; i < c->n_links; i++) {
		const struct linked *l = &c->links[i];

		if (l->dev != st->st_dev || l->ino != st->st_ino)
			continue;
		/* all directories of that path were made by us, and nobody else has the copy yet */
		if (linkat(c->top, l->path, to_dir, name, 0) < 0)
			return failed("make hard link", err);
		return 1;
	}
	return 0;
}

static int remember(struct copy *c, const struct stat *st, struct bk_err **err)
{
	if (c->n_links == MOUNT_COPYUP_LINKS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d files have several names",
				  MOUNT_COPYUP_LINKS_MAX);
	c->links = bk_reallocarray(c->links, c->n_links + 1, sizeof(*c->links));
	c->links[c->n_links++] = (struct linked){ st->st_dev, st->st_ino, bk_strdup(c->path) };
	return 0;
}

/* --- the tree --- */

static int copy_one(struct copy *c, int from, int to, const char *name, struct bk_err **err)
{
	struct stat st;
	int rc;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed("status", err);
	if (S_ISDIR(st.st_mode))
		return copy_subdir(c, from, to, name, err);
	if (st.st_nlink > 1) {
		rc = link_again(c, to, name, &st, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		rc = remember(c, &st, err);
		if (rc < 0)
			return rc;
	}
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st, err);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st, err);
	return copy_node(to, name, &st, err);
}

static int copy_dir(struct copy *c, int from, int to, struct bk_err **err)
{
	/* a file description of its own, for readdir(3) to move in */
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t len = strlen(c->path);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return failed("read the directory", err);
	if (++c->depth > MOUNT_COPYUP_DEPTH_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d directories deep",
				  MOUNT_COPYUP_DEPTH_MAX);
	while (rc == 0 && (e = readdir(d))) {
		int n;

		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		n = snprintf(c->path + len, sizeof(c->path) - len, "%s%s", len ? "/" : "", e->d_name);
		if ((size_t)n >= sizeof(c->path) - len)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "the path is longer than %zu bytes",
					  sizeof(c->path));
		rc = copy_one(c, from, to, e->d_name, err);
		if (rc == 0)
			c->path[len] = '\0'; /* after a failure it says where */
	}
	c->depth--;
	return rc;
}

int mount_copyup(int from, int to, struct bk_err **err)
{
	bk_autoclose int from_fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclose int to_fd = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copy c = { .top = to };
	int rc;

	if (from_fd < 0 || to_fd < 0)
		return failed("open the directory", err);
	rc = copy_dir(&c, from_fd, to_fd, err);
	if (rc == 0)
		rc = copy_xattrs(from_fd, to_fd, err);
	for (size_t i = 0; i < c.n_links; i++)
		free(c.links[i].path);
	free(c.links);
	return rc < 0 ? bk_err_wrap(err, rc, "copy '%s'", c.path) : 0;
}
