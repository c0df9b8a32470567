/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing trees that others have filled. Only single names in directories that are held open are
 * ever used, links are removed and not followed, and a directory is entered only where it lies on
 * the same mount (RESOLVE_NO_XDEV sees bind mounts, which the device number does not).
 *
 * A tree can be deeper than a process has descriptors: what lies deeper than RM_DEPTH_MAX is moved up
 * into the top directory under a new name first, which keeps both the stack and the fds bounded.
 */
#include "base/bk_root.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_root_priv.h"
#include "base/bk_str.h"

#define RM_DEPTH_MAX 128
/* Where overlayfs can't move a directory (EXDEV, of a lower layer), we go on as deep as this. */
#define RM_DEPTH_STUCK 768
/* How often a directory is read again because something was in it. */
#define RM_PASSES_MAX 10000
/* How often an entry is looked at again because it has become something else. */
#define RM_TRIES_MAX 16

struct rm {
	int top;   /* the directory emptied, -1 outside it; what is too deep is moved here */
	bool keep; /* top itself stays, and stays as it is */
	unsigned int moved; /* how many have been moved: their names count up */
};

static int rm_entry(struct rm *rm, int dirfd, const char *name, bool is_dir, unsigned int depth,
		    struct bk_err **err);

/* Lets us write into the directory `fd` and read it, if it is ours and its mode is all that forbids. */
static bool make_writable(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (st.st_mode & 0700) == 0700)
		return false;
	return fchmod(fd, (st.st_mode & 07777) | 0700) == 0;
}

/* The same for a directory that can't be opened yet. */
static bool make_readable(int dirfd, const char *name)
{
	bk_autoclose int fd = -1;
	char self[32];
	struct stat st;

	fd = bk_root_openat2_(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
			      BK_ROOT_RESOLVE_NAME | RESOLVE_NO_XDEV);
	if (fd < 0 || fstat(fd, &st) < 0 || (st.st_mode & 0700) == 0700)
		return false;
	/* fchmod(2) refuses O_PATH, and fchmodat2(2) is newer than our kernels. */
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return chmod(self, (st.st_mode & 07777) | 0700) == 0;
}

static int open_dir(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	const uint64_t resolve = BK_ROOT_RESOLVE_NAME | RESOLVE_NO_XDEV;
	int fd = bk_root_openat2_(dirfd, name, flags, 0, resolve);

	if (fd == -EACCES && make_readable(dirfd, name))
		fd = bk_root_openat2_(dirfd, name, flags, 0, resolve);
	return fd;
}

static bool may_chmod(const struct rm *rm, int dirfd)
{
	return rm->top >= 0 && !(rm->keep && dirfd == rm->top);
}

static int remove_name(const struct rm *rm, int dirfd, const char *name, int flags)
{
	if (unlinkat(dirfd, name, flags) == 0)
		return 0;
	if (errno == EACCES && may_chmod(rm, dirfd) && make_writable(dirfd) &&
	    unlinkat(dirfd, name, flags) == 0)
		return 0;
	return -errno;
}

/* Reads the directory once and removes what it names. */
static int rm_pass(struct rm *rm, DIR *dir, unsigned int depth, bool *ret_found,
		   struct bk_err **err)
{
	*ret_found = false;
	for (;;) {
		struct dirent *e;
		int rc;

		errno = 0;
		e = readdir(dir);
		if (!e && errno)
			return bk_err_set(err, BK_ERR_IO, errno, "read a directory");
		if (!e)
			return 0;
		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		*ret_found = true;
		rc = rm_entry(rm, dirfd(dir), e->d_name, e->d_type == DT_DIR, depth, err);
		if (rc < 0)
			return rc;
	}
}

/* Empties the directory fd, which is owned from now on. */
static int rm_children(struct rm *rm, int fd, unsigned int depth, struct bk_err **err)
{
	const bool top = fd == rm->top;
	bk_autoclosedir DIR *dir = fdopendir(fd);

	if (!dir) {
		int errnum = errno;

		bk_close(&fd);
		return bk_err_set(err, BK_ERR_IO, errnum, "read a directory");
	}
	for (unsigned int i = 0; i < RM_PASSES_MAX; i++) {
		bool found;
		int rc = rm_pass(rm, dir, depth, &found, err);

		if (rc < 0)
			return rc;
		/*
		 * Below the top, rmdir(2) tells whether something is left. At the top nothing
		 * does, and there what was moved up arrives behind the reader's back.
		 */
		if (!found || !top)
			return 0;
		rewinddir(dir);
	}
	return bk_err_set(err, BK_ERR_IO, EBUSY, "empty a directory that somebody else fills");
}

/* Moves a directory that is too deep to be entered up to the top, where it is found again. */
static int move_up(struct rm *rm, int dirfd, const char *name)
{
	char up[32];

	for (unsigned int i = 0; i < RM_PASSES_MAX; i++) {
		(void)snprintf(up, sizeof(up), ".bk-rm-%u", rm->moved++);
		if (renameat2(dirfd, name, rm->top, up, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno == EACCES && may_chmod(rm, dirfd) && make_writable(dirfd))
			continue;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Empties and removes the directory `name`: 0, or -errno, or *set and what the error returned. */
static int rm_dir(struct rm *rm, int dirfd, const char *name, unsigned int depth, bool *set,
		  struct bk_err **err)
{
	int rc = remove_name(rm, dirfd, name, AT_REMOVEDIR);
	bool top = rm->top < 0;
	int fd;

	if (rc != -ENOTEMPTY && rc != -EEXIST)
		return rc;
	if (depth >= RM_DEPTH_MAX) {
		rc = move_up(rm, dirfd, name);
		if (rc != -EXDEV || depth >= RM_DEPTH_STUCK)
			return rc;
	}
	fd = open_dir(dirfd, name);
	if (fd < 0)
		return fd;
	if (top)
		rm->top = fd;
	rc = rm_children(rm, fd, depth + 1, err);
	if (top)
		rm->top = -1;
	if (rc < 0) {
		*set = true;
		return rc;
	}
	return remove_name(rm, dirfd, name, AT_REMOVEDIR);
}

/*
 * Removes one name, whatever it is and becomes meanwhile. is_dir is a guess, what the directory said;
 * unlink(2) corrects it by EISDIR, and rmdir(2) by ENOTDIR.
 */
static int rm_entry(struct rm *rm, int dirfd, const char *name, bool is_dir, unsigned int depth,
		    struct bk_err **err)
{
	int rc = 0;

	for (unsigned int i = 0; i < RM_TRIES_MAX; i++) {
		bool set = false;

		rc = is_dir ? rm_dir(rm, dirfd, name, depth, &set, err)
			    : remove_name(rm, dirfd, name, 0);
		if (set)
			return rc;
		if (rc == 0 || rc == -ENOENT)
			return 0;
		if (!is_dir && rc == -EISDIR)
			is_dir = true;
		else if (is_dir && (rc == -ENOTDIR || rc == -ELOOP))
			is_dir = false;
		else if (rc != -ENOTEMPTY && rc != -EEXIST)
			break;
	}
	/* EXDEV is openat2's word for a mount in the way, EBUSY that of rmdir and unlink. */
	if (rc == -EXDEV || rc == -EBUSY)
		return bk_err_set(err, BK_ERR_IO, EBUSY, "remove '%s': a mount is in the way",
				  name);
	return bk_root_fail_(err, -rc, "remove", name);
}

int bk_root_empty_dir(int dirfd, struct bk_err **err)
{
	struct rm rm = { .keep = true };

	/* An own open file, so that the caller's may be O_PATH and keeps its offset. */
	rm.top = bk_root_openat2_(dirfd, ".", O_RDONLY | O_DIRECTORY, 0, BK_ROOT_RESOLVE_NAME);
	if (rm.top < 0)
		return bk_root_fail_(err, -rm.top, "open", ".");
	return rm_children(&rm, rm.top, 0, err);
}

int bk_root_rmtree_at(int dirfd, const char *name, struct bk_err **err)
{
	struct rm rm = { .top = -1 };

	if (*name == '\0' || strchr(name, '/') || bk_streq(name, ".") || bk_streq(name, ".."))
		return bk_err_set(err, BK_ERR_IO, EINVAL, "remove '%s': not a single name", name);
	return rm_entry(&rm, dirfd, name, false, 0, err);
}

int bk_root_rmtree(const struct bk_root *r, const char *path, struct bk_err **err)
{
	struct bk_err *why = NULL;
	bk_autofree char *name = NULL;
	bk_autoclose int dirfd = -1;
	int rc = bk_root_parent(r, path, false, &dirfd, &name, &why);

	if (rc < 0) {
		if (bk_err_errno(why) == ENOENT) {
			bk_err_clear(&why);
			return 0;
		}
		bk_err_move(err, why);
		return rc;
	}
	rc = bk_root_rmtree_at(dirfd, name, err);
	return rc < 0 ? bk_err_wrap(err, rc, "remove '%s'", path) : 0;
}
