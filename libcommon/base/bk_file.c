/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_root.h"

#define FILE_TMP_TRIES 64

static int fail(struct bk_err **err, int errnum, const char *act, const char *path)
{
	return bk_err_set(err, errnum == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errnum, "%s '%s'",
			  act, path);
}

static int open_retry(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOCTTY, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int bk_file_read(int dirfd, const char *path, struct bk_buf *b, struct bk_err **err)
{
	bk_autoclose int fd = open_retry(dirfd, path, O_RDONLY, 0);

	if (fd < 0)
		return fail(err, errno, "open", path);
	return bk_fd_read_buf(fd, b, path, err);
}

/* The directory part of path with its slash, as a length: "a/b" is 2, "b" is 0. */
static size_t dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/*
 * A name that is hardly taken, without a system call: the nanosecond. Nothing leans on its being secret: O_EXCL
 * takes no file that is there, and whoever wants to be in the way would have to hit FILE_TMP_TRIES of them.
 */
static unsigned long long tmp_salt(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (unsigned long long)t.tv_sec * 1000000000 + (unsigned long long)t.tv_nsec;
}

/* Makes a new file in the directory of path; *ret_tmp is its name as dirfd sees it. -1 and errno. */
static int make_tmp(int dirfd, const char *path, mode_t mode, char **ret_tmp)
{
	for (int i = 0; i < FILE_TMP_TRIES; i++) {
		bk_autofree char *tmp = NULL;
		int fd;

		/* A name of its own length: NAME.tmp would be too long where NAME just fits. */
		tmp = bk_asprintf("%.*s.bk-%016llx.tmp", (int)dir_len(path), path,
				  tmp_salt());
		fd = open_retry(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
		if (fd >= 0) {
			*ret_tmp = bk_steal_ptr(&tmp);
			return fd;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* Makes the rename in path's directory last. 0 or -errno. */
static int sync_dir(int dirfd, const char *path)
{
	bk_autofree char *dir = bk_strndup(path, dir_len(path));
	bk_autoclose int fd = -1;

	fd = open_retry(dirfd, *dir ? dir : ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

int bk_file_write_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
			 bool sync, struct bk_err **err)
{
	bk_autofree char *tmp = NULL;
	bk_autoclose int fd = -1;
	int rc;

	fd = make_tmp(dirfd, path, mode, &tmp);
	if (fd < 0)
		return fail(err, errno, "make a temporary file beside", path);
	rc = bk_fd_write_all(fd, data, len);
	if (rc == 0 && sync && fsync(fd) < 0)
		rc = -errno;
	/* NFS and quotas may tell of a failed write only now. */
	if (close(bk_steal_fd(&fd)) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlinkat(dirfd, tmp, 0);
		return fail(err, -rc, "write", path);
	}
	if (sync) {
		rc = sync_dir(dirfd, path);
		if (rc < 0)
			return fail(err, -rc, "sync the directory of", path);
	}
	return 0;
}

int bk_file_put(int dirfd, const char *path, const char *data, struct bk_err **err)
{
	bk_autoclose int fd = open_retry(dirfd, path, O_WRONLY, 0);
	size_t len = strlen(data);
	ssize_t n;

	if (fd < 0)
		return fail(err, errno, "open", path);
	do
		n = write(fd, data, len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	/* The kernel takes such a file's content whole; a part of it would mean something else. */
	return bk_err_set(err, BK_ERR_IO, n < 0 ? errno : EIO, "write '%.*s' to '%s'",
			  (int)strcspn(data, "\n"), data, path);
}

/* 0 if path is a directory now, made or found; else -errno. */
static int make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? -EEXIST : -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int bk_file_mkdirs(const char *path, mode_t mode, struct bk_err **err)
{
	bk_autofree char *p = NULL;
	size_t i = 0;
	int rc = make_dir(path, mode);

	if (rc == 0)
		return 0;
	if (rc != -ENOENT || *path == '\0')
		return fail(err, -rc, "make directory", path);
	p = bk_strdup(path);
	do {
		char cut;

		i += strspn(p + i, "/");
		i += strcspn(p + i, "/");
		cut = p[i];
		p[i] = '\0';
		rc = make_dir(p, mode);
		if (rc < 0)
			return fail(err, -rc, "make directory", p);
		p[i] = cut;
	} while (p[i] != '\0');
	return 0;
}

int bk_file_rmtree(int dirfd, const char *path, struct bk_err **err)
{
	bk_autofree char *p = bk_strdup(path);
	bk_autofree char *dir = NULL;
	bk_autoclose int fd = -1;
	size_t len = strlen(p);
	size_t dlen;
	int rc;

	while (len > 1 && p[len - 1] == '/')
		p[--len] = '\0';
	dlen = dir_len(p);
	if (dlen > 0) {
		dir = bk_strndup(p, dlen);
		fd = open_retry(dirfd, dir, O_PATH | O_DIRECTORY, 0);
		if (fd < 0)
			return errno == ENOENT ? 0 : fail(err, errno, "open", dir);
		dirfd = fd;
	}
	rc = bk_root_rmtree_at(dirfd, p + dlen, err);
	return rc < 0 ? bk_err_wrap(err, rc, "remove '%s'", path) : 0;
}
