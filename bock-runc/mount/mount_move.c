/* SPDX-License-Identifier: Apache-2.0 */
#include "mount/mount_move.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "mount/mount_root.h"

void mount_move_unescape(char *s)
{
	char *to = s;

	while (*s) {
		unsigned int c;

		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			c = (unsigned int)(s[1] - '0') << 6 | (unsigned int)(s[2] - '0') << 3 |
			    (unsigned int)(s[3] - '0');
			*to++ = (char)c;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

char **mount_move_whole(const char *mountinfo, const char *rootfs)
{
	bk_autostrv char **lines = bk_strv_split(mountinfo, "\n");
	char **found = NULL;

	for (char **line = lines; line && *line; line++) {
		bk_autostrv char **f = bk_strv_split(*line, " ");
		size_t n = bk_strv_len(f), dash = 6;

		while (dash < n && !bk_streq(f[dash], "-")) /* behind optional fields */
			dash++;
		if (dash + 1 >= n || !bk_streq(f[3], "/"))
			continue;
		if (!bk_streq(f[dash + 1], "proc") && !bk_streq(f[dash + 1], "sysfs"))
			continue;
		mount_move_unescape(f[4]);
		if (!bk_path_below(f[4], rootfs))
			bk_strv_add(&found, f[4]);
	}
	return found;
}

/*
 * Nothing of this may come out in the host's own namespace: neither what is below the mount nor, where
 * the mount that it is on is shared, its own end.
 */
static int remove_mount(const char *path, struct bk_err **err)
{
	bk_autofree char *dir = bk_path_dir(path);
	int rc;

	if (mount(NULL, path, NULL, MS_PRIVATE | MS_REC, NULL) < 0) {
		if (errno == ENOENT || errno == EINVAL)
			return 0; /* it went with one that was removed before */
		return bk_err_set(err, BK_ERR_IO, errno, "make mount '%s' private", path);
	}
	rc = mount_root_set_holder(dir, MS_PRIVATE, err);
	if (rc < 0)
		return rc;
	if (umount2(path, MNT_DETACH) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return bk_err_set(err, BK_ERR_IO, errno, "remove mount '%s'", path);
	/* locked in a user namespace: a mount on its root makes it less than whole */
	if (mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_blocks=1,nr_inodes=1") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "cover mount '%s'", path);
	return 0;
}

static int remove_whole(const struct bk_root *root, struct bk_err **err)
{
	bk_autobuf struct bk_buf table = BK_BUF_INIT(MOUNT_MOVE_TABLE_MAX);
	bk_autostrv char **found = NULL;
	char link[64], rootfs[PATH_MAX];
	ssize_t len;
	size_t n;
	int rc;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", root->fd);
	len = readlink(link, rootfs, sizeof(rootfs) - 1);
	if (len < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "find the path of the root file system");
	rootfs[len] = '\0';
	rc = bk_file_read(AT_FDCWD, "/proc/self/mountinfo", &table, err);
	if (rc < 0)
		return rc;
	found = mount_move_whole(bk_buf_str(&table), rootfs);
	n = bk_strv_len(found);
	while (rc == 0 && n > 0) /* the last mounted is on top */
		rc = remove_mount(found[--n], err);
	return rc;
}

int mount_move_root(const struct bk_root *root, struct bk_err **err)
{
	int rc = remove_whole(root, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "--no-pivot");
	if (fchdir(root->fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the root file system");
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "move the root file system to '/'");
	if (chroot(".") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "chroot");
	if (chdir("/") < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter '/'");
	return 0;
}
