/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_root.h"
#include "base/bk_str.h"
#include "store/store_layers.h"

#define DEPTH_MAX 2048	/* of a tree that layers of 256 components made, through links */
#define LINK_MAX  4096
#define READ_SIZE ((size_t)128 << 10)

static int add_tree(struct bk_digest *d, int fd, unsigned int depth, struct bk_err **err);

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

/* What the kernel or a policy sets by itself says nothing of the layer. */
static bool counts(const char *name)
{
	const char *overlay = bk_skip_prefix(name, "trusted.overlay.");

	if (!overlay)
		overlay = bk_skip_prefix(name, "user.overlay.");
	return overlay ? bk_streq(overlay, "opaque") : !bk_streq(name, "security.selinux");
}

/* A user's own file that its mode closes to him: it is there, and closed. */
static int closed(struct bk_digest *d)
{
	bk_digest_update(d, "?", 2);
	return 0;
}

static int add_xattr(struct bk_digest *d, const char *path, const char *name, struct bk_err **err)
{
	ssize_t size = lgetxattr(path, name, NULL, 0);
	bk_autofree char *value = size < 0 ? NULL : bk_malloc((size_t)size + 1);

	if (value)
		size = lgetxattr(path, name, value, (size_t)size);
	if (size < 0 && errno == EACCES)
		return closed(d);
	if (size < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read the attribute '%s'", name);
	bk_digest_update(d, name, strlen(name) + 1);
	bk_digest_update(d, &size, sizeof(size));
	bk_digest_update(d, value, (size_t)size);
	return 0;
}

/* Extended attributes of a name in dirfd, which may be a link: through procfs, for none of the calls takes both. */
static int add_xattrs(struct bk_digest *d, int dirfd, const char *name, struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("/proc/self/fd/%d/%s", dirfd, name);
	bk_autofree char *names = NULL;
	bk_autofree char **sorted = NULL;
	ssize_t size = llistxattr(path, NULL, 0);
	size_t n = 0;
	int rc = 0;

	if (size == 0 || (size < 0 && errno == EOPNOTSUPP))
		return 0;
	names = bk_malloc(size < 0 ? 1 : (size_t)size);
	if (size > 0)
		size = llistxattr(path, names, (size_t)size);
	if (size < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "list the attributes");
	sorted = bk_calloc((size_t)size + 1, sizeof(*sorted));
	for (char *p = names; p < names + size; p += strlen(p) + 1)
		if (counts(p))
			sorted[n++] = p;
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_xattr(d, path, sorted[i], err);
	return rc;
}

/* One name: a line of its status, its link's target, its attributes, and what is in it. */
static int add_name(struct bk_digest *d, int dirfd, const char *name, unsigned int depth,
		    struct bk_err **err)
{
	bk_autoclose int fd = -1;
	char line[256], target[LINK_MAX];
	struct stat st;
	ssize_t len = 0;
	int rc, n;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat it");
	n = snprintf(line, sizeof(line), "%o %u %u %ju %jd.%09ld %ju %ju", st.st_mode, st.st_uid, st.st_gid,
		     S_ISREG(st.st_mode) ? (uintmax_t)st.st_size : 0, (intmax_t)st.st_mtim.tv_sec,
		     st.st_mtim.tv_nsec,
		     S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? (uintmax_t)st.st_rdev : 0,
		     S_ISREG(st.st_mode) ? (uintmax_t)st.st_nlink : 0);
	bk_digest_update(d, name, strlen(name) + 1);
	bk_digest_update(d, line, (size_t)n + 1);
	if (S_ISLNK(st.st_mode)) {
		len = readlinkat(dirfd, name, target, sizeof(target));
		if (len < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "read the link");
		bk_digest_update(d, target, (size_t)len);
	}
	rc = add_xattrs(d, dirfd, name, err);
	if (rc < 0 || !S_ISDIR(st.st_mode))
		return rc;
	if (depth >= DEPTH_MAX)
		return bk_err_set(err, BK_ERR_IO, ENAMETOOLONG, "go into it");
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return closed(d);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open it");
	return add_tree(d, fd, depth + 1, err);
}

static int read_names(DIR *dir, struct bk_arena *arena, char ***ret, size_t *ret_n, struct bk_err **err)
{
	const struct dirent *e;
	char **names = NULL;
	size_t n = 0;

	while ((errno = 0, e = readdir(dir)) != NULL) {
		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		names = bk_arena_grow(arena, names, n, sizeof(*names));
		names[n++] = bk_arena_strdup(arena, e->d_name);
	}
	if (errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read a directory");
	*ret = names;
	*ret_n = n;
	return 0;
}

/* What is in the directory fd, sorted, and an end. */
static int add_tree(struct bk_digest *d, int fd, unsigned int depth, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	char **names = NULL;
	size_t n = 0;
	int rc;

	if (!dir) {
		int errnum = errno;

		bk_close(&copy);
		return bk_err_set(err, BK_ERR_IO, errnum, "read a directory");
	}
	rc = read_names(dir, arena, &names, &n, err);
	if (rc < 0)
		return rc;
	if (n > 1)
		qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++) {
		rc = add_name(d, fd, names[i], depth, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "'%s'", names[i]);
	}
	bk_digest_update(d, "/", 2);
	return 0;
}

int store_layer_hash(int fd, char ret_digest[BK_DIGEST_TEXT_SIZE], struct bk_err **err)
{
	bk_autodigest struct bk_digest *d = bk_digest_new(BK_DIGEST_SHA256);
	int rc = add_name(d, fd, ".", 0, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "hash the unpacked tree");
	bk_digest_text(d, ret_digest);
	return 0;
}

int store_layer_file_digest(int fd, enum bk_digest_alg alg, char ret_digest[BK_DIGEST_TEXT_SIZE], struct bk_err **err)
{
	bk_autodigest struct bk_digest *d = bk_digest_new(alg);
	bk_autofree char *buf = bk_malloc(READ_SIZE);
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, buf, READ_SIZE, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "read '" STORE_LAYER_FILE "'");
		if (n == 0)
			break;
		bk_digest_update(d, buf, (size_t)n);
		at += n;
	}
	bk_digest_text(d, ret_digest);
	return 0;
}
