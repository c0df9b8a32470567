/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_root.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_root_priv.h"
#include "base/bk_str.h"

/* A rename storm next door must not fail us, and must not hold us for ever either. */
#define ROOT_RETRY_MAX 128

int bk_root_openat2_(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = { .resolve = resolve };
	unsigned int tries = 0;
	long fd;

	flags |= O_CLOEXEC;
#if O_LARGEFILE
	/* Unlike open(2), openat2(2) refuses what O_PATH ignores. */
	if (!(flags & O_PATH))
		flags |= O_LARGEFILE;
#endif
	how.flags = (unsigned int)flags;
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode & 07777;
	do
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < ROOT_RETRY_MAX)));
	return fd < 0 ? -errno : (int)fd;
}

/* Whether openat2 is refused whatever it is asked, as by a seccomp filter that does not know it. */
static int openat2_refused(void)
{
	int fd = bk_root_openat2_(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0, BK_ROOT_RESOLVE);

	if (fd >= 0) {
		bk_close(&fd);
		return 0;
	}
	return fd == -ENOSYS || fd == -EPERM ? -fd : 0;
}

int bk_root_fail_(struct bk_err **err, int errnum, const char *act, const char *path)
{
	/* EPERM has other reasons as well, such as an immutable file: look again. */
	if (errnum == ENOSYS || (errnum == EPERM && openat2_refused()))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, errnum,
				  "%s '%s': openat2 (Linux 5.6) is refused here", act, path);
	return bk_err_set(err, errnum == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errnum, "%s '%s'",
			  act, path);
}

int bk_root_probe(struct bk_err **err)
{
	int errnum = openat2_refused();

	if (errnum)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, errnum,
				  "openat2 (Linux 5.6) is refused here");
	return 0;
}

int bk_root_open(struct bk_root *r, const char *path, struct bk_err **err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno,
				  "open '%s'", path);
	r->fd = fd;
	return 0;
}

void bk_root_from_fd(struct bk_root *r, int fd)
{
	r->fd = fd;
}

void bk_root_done(struct bk_root *r)
{
	bk_close(&r->fd);
}

static int open_below(const struct bk_root *r, const char *path, int flags, mode_t mode,
		      uint64_t resolve, int *ret_fd, struct bk_err **err)
{
	int fd = bk_root_openat2_(r->fd, path, flags, mode, resolve);

	if (fd < 0)
		return bk_root_fail_(err, -fd, "open", path);
	*ret_fd = fd;
	return 0;
}

int bk_root_openat(const struct bk_root *r, const char *path, int flags, mode_t mode, int *ret_fd,
		   struct bk_err **err)
{
	return open_below(r, path, flags, mode, BK_ROOT_RESOLVE, ret_fd, err);
}

int bk_root_openat_nolinks(const struct bk_root *r, const char *path, int flags, mode_t mode,
			   int *ret_fd, struct bk_err **err)
{
	return open_below(r, path, flags, mode, BK_ROOT_RESOLVE | RESOLVE_NO_SYMLINKS, ret_fd, err);
}

static bool is_dots(const char *name)
{
	return bk_streq(name, ".") || bk_streq(name, "..");
}

/*
 * Splits path into an open directory and a name in it (pointing into path). *own is what is to be
 * closed: -1 where the directory is the root itself, which needs no call at all.
 */
static int split(const struct bk_root *r, const char *path, bool make, int *own, int *ret_dirfd,
		 const char **ret_name, struct bk_err **err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t dir_len = slash ? (size_t)(slash - path) : 0;

	if (*name == '\0' || is_dots(name))
		return bk_err_set(err, BK_ERR_IO, EINVAL, "'%s' does not end in a name", path);
	if (strlen(path) >= BK_ROOT_PATH_MAX)
		return bk_err_set(err, BK_ERR_IO, ENAMETOOLONG, "open '%.64s...'", path);
	if (strspn(path, "/") >= dir_len) {
		*ret_dirfd = r->fd;
	} else {
		bk_autofree char *dir = bk_strndup(path, dir_len);
		int rc = make ? bk_root_mkdirs(r, dir, 0755, own, err)
			      : bk_root_openat(r, dir, O_PATH | O_DIRECTORY, 0, own, err);

		if (rc < 0)
			return rc;
		*ret_dirfd = *own;
	}
	*ret_name = name;
	return 0;
}

int bk_root_parent(const struct bk_root *r, const char *path, bool make, int *ret_dirfd,
		   char **ret_name, struct bk_err **err)
{
	bk_autoclose int own = -1;
	const char *name;
	int dirfd;
	int rc = split(r, path, make, &own, &dirfd, &name, err);

	if (rc < 0)
		return rc;
	if (own < 0) {
		own = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
		if (own < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "duplicate the root of '%s'",
					  path);
	}
	*ret_dirfd = bk_steal_fd(&own);
	*ret_name = bk_strdup(name);
	return 0;
}

int bk_root_mknod(const struct bk_root *r, const char *path, mode_t mode, dev_t dev,
		  struct bk_err **err)
{
	bk_autoclose int own = -1;
	const char *name;
	int dirfd;
	int rc = split(r, path, true, &own, &dirfd, &name, err);

	if (rc < 0)
		return rc;
	if (mknodat(dirfd, name, mode, dev) < 0)
		return bk_root_fail_(err, errno, "make node", path);
	return 0;
}

int bk_root_symlink(const struct bk_root *r, const char *target, const char *path,
		    struct bk_err **err)
{
	bk_autoclose int own = -1;
	const char *name;
	int dirfd;
	int rc = split(r, path, true, &own, &dirfd, &name, err);

	if (rc < 0)
		return rc;
	if (symlinkat(target, dirfd, name) < 0)
		return bk_root_fail_(err, errno, "make symbolic link", path);
	return 0;
}

int bk_root_link(const struct bk_root *r, const char *from, const char *to, struct bk_err **err)
{
	bk_autoclose int from_own = -1;
	bk_autoclose int to_own = -1;
	const char *from_name, *to_name;
	int from_fd, to_fd;
	int rc;

	rc = split(r, from, false, &from_own, &from_fd, &from_name, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "link '%s'", to);
	rc = split(r, to, true, &to_own, &to_fd, &to_name, err);
	if (rc < 0)
		return rc;
	if (linkat(from_fd, from_name, to_fd, to_name, 0) < 0) {
		rc = bk_root_fail_(err, errno, "link to", from);
		return bk_err_wrap(err, rc, "link '%s'", to);
	}
	return 0;
}

int bk_root_lstat(const struct bk_root *r, const char *path, struct stat *ret_st,
		  struct bk_err **err)
{
	const char *name = path + strspn(path, "/");
	bk_autoclose int fd = -1;
	struct stat st;

	/* A single name in the root can't lead anywhere: one call instead of three. */
	if (*name != '\0' && !strchr(name, '/') && !is_dots(name)) {
		if (fstatat(r->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return bk_root_fail_(err, errno, "stat", path);
		*ret_st = st;
		return 0;
	}
	fd = bk_root_openat2_(r->fd, path, O_PATH | O_NOFOLLOW, 0, BK_ROOT_RESOLVE);
	if (fd < 0)
		return bk_root_fail_(err, -fd, "stat", path);
	if (fstat(fd, &st) < 0)
		return bk_root_fail_(err, errno, "stat", path);
	*ret_st = st;
	return 0;
}

int bk_root_unlink(const struct bk_root *r, const char *path, bool dir, struct bk_err **err)
{
	bk_autoclose int own = -1;
	const char *name;
	int dirfd;
	int rc = split(r, path, false, &own, &dirfd, &name, err);

	if (rc < 0)
		return rc;
	if (unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0) < 0)
		return bk_root_fail_(err, errno, "remove", path);
	return 0;
}

static int expect_regular(const struct stat *st, const char *path, struct bk_err **err)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return bk_err_set(err, BK_ERR_IO, S_ISDIR(st->st_mode) ? EISDIR : EINVAL,
			  "read '%s': not a regular file", path);
}

/*
 * Opens for reading what the O_PATH fd `at` is, which st says is a regular file. Where there is no
 * procfs, the path is resolved once more; it may lead to something else by now, which is found out
 * by comparing, and cannot block meanwhile.
 */
static int reopen_regular(const struct bk_root *r, const char *path, int at, const struct stat *st,
			  int *ret_fd, struct bk_err **err)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	bk_autoclose int fd = -1;
	char self[32];
	struct stat now;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = open(self, flags);
	if (fd < 0 && errno == ENOENT) {
		fd = bk_root_openat2_(r->fd, path, flags, 0, BK_ROOT_RESOLVE);
		if (fd < 0)
			return bk_root_fail_(err, -fd, "open", path);
	}
	if (fd < 0 || fstat(fd, &now) < 0)
		return bk_root_fail_(err, errno, "open", path);
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino || !S_ISREG(now.st_mode))
		return bk_err_set(err, BK_ERR_IO, ESTALE, "open '%s'", path);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

/*
 * The file is looked at before it is opened: opening a FIFO waits for a writer, and opening a device
 * can have an effect of its own (a watchdog starts to count).
 */
int bk_root_read(const struct bk_root *r, const char *path, struct bk_buf *b, struct bk_err **err)
{
	bk_autoclose int at = -1;
	bk_autoclose int fd = -1;
	struct stat st;
	int rc;

	at = bk_root_openat2_(r->fd, path, O_PATH, 0, BK_ROOT_RESOLVE);
	if (at < 0)
		return bk_root_fail_(err, -at, "open", path);
	if (fstat(at, &st) < 0)
		return bk_root_fail_(err, errno, "stat", path);
	rc = expect_regular(&st, path, err);
	if (rc < 0)
		return rc;
	rc = reopen_regular(r, path, at, &st, &fd, err);
	if (rc < 0)
		return rc;
	return bk_fd_read_buf(fd, b, path, err);
}
