/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making what is missing below a root: directories, and files to mount on.
 *
 * A path that exists costs one openat2. One that does not is walked, and each step of the walk is of
 * one of two kinds: a text is resolved from the root by the kernel (which keeps ".." and absolute
 * links inside), or a single name, never "..", is made or opened in a directory whose descriptor we
 * hold, without following it. Whatever is swapped between two steps, both kinds end below the root;
 * a walk that finds something else than it made begins again, a bounded number of times.
 */
#include "base/bk_root.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_root_priv.h"
#include "base/bk_str.h"

/* Dangling links followed, and walks begun again because somebody else works in the same place. */
#define MAKE_RESTART_MAX 40

/* What a step says beside 0 and -errno. */
enum {
	MAKE_RESTART = 1, /* the path has changed, or the tree has */
	MAKE_DANGLING,	  /* the name is there and leads nowhere */
};

struct make {
	int root;
	bool file; /* the last component becomes a file */
	mode_t dir_mode;
	mode_t file_mode;
	char *path; /* heap; replaced when a dangling link is followed */
};

static int open_whole(const struct make *m, const char *path)
{
	return bk_root_openat2_(m->root, path, O_PATH | (m->file ? 0 : O_DIRECTORY), 0,
				BK_ROOT_RESOLVE);
}

static size_t count_components(const char *path)
{
	size_t n = 0;

	for (;;) {
		path += strspn(path, "/");
		if (*path == '\0')
			return n;
		n++;
		path += strcspn(path, "/");
	}
}

/* The length of what is before the last component of the first len bytes: "/a//b/" is 2, "a" is 0. */
static size_t cut_last(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

/* Opens the longest prefix of the path that is there, short of the whole: its fd, or -errno. */
static int open_prefix(const struct make *m, size_t *ret_len)
{
	size_t len = strlen(m->path);
	int fd;

	do {
		char cut;

		len = cut_last(m->path, len);
		if (len == 0) {
			fd = fcntl(m->root, F_DUPFD_CLOEXEC, 3);
			if (fd < 0)
				return -errno;
			break;
		}
		cut = m->path[len];
		m->path[len] = '\0';
		fd = bk_root_openat2_(m->root, m->path, O_PATH | O_DIRECTORY, 0, BK_ROOT_RESOLVE);
		m->path[len] = cut;
	} while (fd == -ENOENT);
	*ret_len = len;
	return fd;
}

/*
 * The component at start..end of the path exists in dirfd, but leads nowhere: puts the text of the
 * link in its place.
 */
static int follow_dangling(struct make *m, int dirfd, size_t start, size_t end)
{
	bk_autofree char *name = bk_strndup(m->path + start, end - start);
	char target[BK_ROOT_PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));
	size_t rest_len = strlen(m->path + end);
	size_t keep;
	char *path;

	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? MAKE_RESTART : -errno;
	if (n == 0)
		return -ENOENT;
	keep = target[0] == '/' ? 0 : start;
	if (keep + (size_t)n + rest_len >= BK_ROOT_PATH_MAX)
		return -ENAMETOOLONG;
	path = bk_malloc(keep + (size_t)n + rest_len + 1);
	memcpy(path, m->path, keep);
	memcpy(path + keep, target, (size_t)n);
	memcpy(path + keep + (size_t)n, m->path + end, rest_len + 1);
	free(m->path);
	m->path = path;
	return MAKE_RESTART;
}

/*
 * Makes `name` in *fd and puts what it is into *fd. m->path ends behind the name, so that it is the
 * text that the kernel resolves where the name may be a link.
 */
static int make_name(const struct make *m, int *fd, const char *name, bool last)
{
	bool file = last && m->file;
	int next;

	if (bk_streq(name, "..")) {
		next = bk_root_openat2_(m->root, m->path, O_PATH | O_DIRECTORY, 0, BK_ROOT_RESOLVE);
		if (next == -ENOENT)
			return MAKE_RESTART;
	} else if ((file ? mknodat(*fd, name, S_IFREG | m->file_mode, 0)
			 : mkdirat(*fd, name, m->dir_mode)) == 0) {
		next = bk_root_openat2_(*fd, name, O_PATH | O_NOFOLLOW | (file ? 0 : O_DIRECTORY),
					0, BK_ROOT_RESOLVE_NAME);
		if (next == -ENOENT || next == -ENOTDIR || next == -ELOOP)
			return MAKE_RESTART;
	} else if (errno == EEXIST) {
		next = last ? open_whole(m, m->path)
			    : bk_root_openat2_(m->root, m->path, O_PATH | O_DIRECTORY, 0,
					       BK_ROOT_RESOLVE);
		if (next == -ENOENT)
			return MAKE_DANGLING;
	} else {
		/* The directory that we hold was removed. */
		return errno == ENOENT ? MAKE_RESTART : -errno;
	}
	if (next < 0)
		return next;
	bk_close(fd);
	*fd = next;
	return 0;
}

/* One walk along the path: 0 with *ret_fd set, -errno, or MAKE_RESTART. */
static int make_once(struct make *m, int *ret_fd)
{
	bk_autoclose int fd = -1;
	size_t end = 0;

	if (count_components(m->path) > BK_ROOT_DEPTH_MAX)
		return -ENAMETOOLONG;
	if (m->file && bk_has_suffix(m->path, "/"))
		return -EISDIR;
	fd = open_prefix(m, &end);
	if (fd < 0)
		return fd;
	for (;;) {
		size_t start = end + strspn(m->path + end, "/");
		char cut;
		int rc;

		if (m->path[start] == '\0')
			break;
		end = start + strcspn(m->path + start, "/");
		cut = m->path[end];
		m->path[end] = '\0';
		rc = 0;
		if (!bk_streq(m->path + start, "."))
			rc = make_name(m, &fd, m->path + start, cut == '\0');
		m->path[end] = cut;
		if (rc == MAKE_DANGLING)
			rc = follow_dangling(m, fd, start, end);
		if (rc != 0)
			return rc;
	}
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int make_path(struct make *m, const char *path, bool missing, int *ret_fd)
{
	int rc = missing ? -ENOENT : open_whole(m, path);

	if (rc >= 0) {
		*ret_fd = rc;
		return 0;
	}
	if (rc != -ENOENT || *path == '\0')
		return rc;
	m->path = bk_strdup(path);
	for (unsigned int i = 0; i < MAKE_RESTART_MAX; i++) {
		rc = make_once(m, ret_fd);
		if (rc != MAKE_RESTART)
			break;
	}
	free(m->path);
	return rc == MAKE_RESTART ? -ELOOP : rc;
}

int bk_root_mkdirs(const struct bk_root *r, const char *path, mode_t mode, int *ret_fd,
		   struct bk_err **err)
{
	struct make m = { .root = r->fd, .dir_mode = mode };
	int rc = make_path(&m, path, false, ret_fd);

	return rc < 0 ? bk_root_fail_(err, -rc, "make directory", path) : 0;
}

int bk_root_mkdirs_missing(const struct bk_root *r, const char *path, mode_t mode, int *ret_fd,
			   struct bk_err **err)
{
	struct make m = { .root = r->fd, .dir_mode = mode };
	int rc = make_path(&m, path, true, ret_fd);

	return rc < 0 ? bk_root_fail_(err, -rc, "make directory", path) : 0;
}

int bk_root_mkfile(const struct bk_root *r, const char *path, mode_t mode, int *ret_fd,
		   struct bk_err **err)
{
	struct make m = {
		.root = r->fd, .file = true, .dir_mode = 0755, .file_mode = mode & 07777
	};
	int rc = make_path(&m, path, false, ret_fd);

	return rc < 0 ? bk_root_fail_(err, -rc, "make file", path) : 0;
}
