/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "store/store_layers_priv.h"

#define HOLDERS_MAX  5	/* named in an error */
#define HOLDERS_SIZE 256

int store_mounts_lock(struct store *s, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc = store_writable_(s, err);

	if (rc < 0)
		return rc;
	/* whoever may not enter the store enters no setuid program of an image either */
	if (mkdirat(s->fd, STORE_MOUNTS, 0700) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s/%s'", s->path, STORE_MOUNTS);
	fd = openat(s->fd, STORE_MOUNTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", s->path, STORE_MOUNTS);
	rc = store_flock_(fd, LOCK_EX, STORE_MOUNTS_WAIT_MS);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, rc == -EWOULDBLOCK ? EBUSY : -rc,
				  "wait for the process that mounts or unmounts images of '%s'", s->path);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

void store_mounts_name(const char *digest, uint64_t namespace, char name[STORE_MOUNTS_NAME_SIZE])
{
	char *colon;

	(void)snprintf(name, STORE_MOUNTS_NAME_SIZE, "%s-%" PRIu64, digest, namespace);
	colon = strchr(name, ':');
	if (colon)
		*colon = '-';
}

bool store_mounts_is_own(const struct store *s, const struct store_use *u)
{
	char name[STORE_MOUNTS_NAME_SIZE];
	const char *slash = strrchr(u->path, '/');
	bk_autofree char *path = NULL;
	struct stat folder, parent;

	store_mounts_name(u->image ? u->image : "", u->inode, name);
	if (!slash || !bk_streq(slash + 1, name))
		return false;
	path = bk_strndup(u->path, (size_t)(slash - u->path));
	return fstatat(s->fd, STORE_MOUNTS, &folder, AT_SYMLINK_NOFOLLOW) == 0 && stat(path, &parent) == 0 &&
	       folder.st_dev == parent.st_dev && folder.st_ino == parent.st_ino;
}

int store_mounts_list(const struct store *s, struct bk_arena *arena, struct store_use **ret, size_t *ret_n,
		      struct bk_err **err)
{
	struct store_use *uses;
	size_t n, kept = 0;
	int rc = store_use_list(s, arena, &uses, &n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (store_use_is_mounted(&uses[i]))
			uses[kept++] = uses[i];
	*ret = uses;
	*ret_n = kept;
	return 0;
}

/* ---- the end of one ------------------------------------------------------------------------------ */

/* Whether that link of /proc leads to path or below it. */
static bool leads_to(int dirfd, const char *name, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target) - 1);
	size_t len = strlen(path);

	if (n < (ssize_t)len)
		return false;
	target[n] = '\0';
	return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '/');
}

static bool process_holds(int proc, const char *pid, const char *path)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	bk_autofree char *fds = bk_asprintf("%s/fd", pid);
	int fd = openat(proc, fds, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	for (size_t i = 0; i < BK_ARRAY_SIZE(links); i++) {
		bk_autofree char *link = bk_asprintf("%s/%s", pid, links[i]);

		if (leads_to(proc, link, path))
			return true;
	}
	while (dir && (e = readdir(dir)) != NULL)
		if (leads_to(fd, e->d_name, path))
			return true;
	return false;
}

/* " (12 sh, 34 less)", or nothing. */
static void name_holders(const char *path, struct bk_buf *out)
{
	bk_autoclosedir DIR *proc = opendir("/proc");
	const struct dirent *e;
	int n = 0;

	while (proc && n < HOLDERS_MAX && (e = readdir(proc)) != NULL) {
		bk_autobuf struct bk_buf comm = BK_BUF_INIT(BK_BUF_SMALL);
		bk_autofree char *file = NULL;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || !process_holds(dirfd(proc), e->d_name, path))
			continue;
		file = bk_asprintf("%s/comm", e->d_name);
		if (bk_file_read(dirfd(proc), file, &comm, NULL) == 0 && comm.len > 0)
			comm.data[--comm.len] = '\0';
		bk_buf_printf(out, "%s%s %s", n++ > 0 ? ", " : " (", e->d_name, bk_buf_str(&comm));
	}
	if (n > 0)
		bk_buf_addc(out, ')');
}

static int unmount(const char *path, struct bk_err **err)
{
	bk_autobuf struct bk_buf holders = BK_BUF_INIT(HOLDERS_SIZE);
	int errnum, rc;

	if (umount2(path, UMOUNT_NOFOLLOW) == 0)
		return 0;
	errnum = errno;
	rc = bk_err_set(err, BK_ERR_IO, errnum, "unmount '%s'", path);
	if (errnum != EBUSY)
		return rc;
	name_holders(path, &holders);
	return bk_err_hint(err, rc, "processes have files or their working directory in it%s, or something is mounted "
			   "below it: end these, then unmount it again", bk_buf_str(&holders));
}

/* That what is on top at its path is it. */
static int check_top(const struct store_use *u, struct bk_err **err)
{
	struct statx st;

	if (statx(AT_FDCWD, u->path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '%s'", u->path);
	if (st.stx_mnt_id != u->mount_id)
		return bk_err_set(err, BK_ERR_IO, EBUSY,
				  "something else is mounted over the image at '%s'; umount(8) that first", u->path);
	return 0;
}

int store_mounts_end(struct store *s, int lock, const struct store_use *u, bool all, bool *ret_ended,
		     struct bk_err **err)
{
	bool own = store_mounts_is_own(s, u);
	int rc;

	if (!all && u->count > 1) {
		struct store_use less = *u;

		less.count--;
		rc = store_use_add(s, &less, err);
		if (rc == 0)
			*ret_ended = false;
		return rc;
	}
	rc = check_top(u, err);
	if (rc == 0)
		rc = unmount(u->path, err);
	if (rc == 0)
		rc = store_use_del(s, u->path, err);
	if (rc < 0)
		return rc;
	if (own && unlinkat(lock, strrchr(u->path, '/') + 1, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "remove directory '%s'", u->path);
	*ret_ended = true;
	return 0;
}
