/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"

int proc_fs_open(int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fs = fsopen("proc", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "fsopen proc");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a private procfs");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "fsmount proc");
	*ret_fd = fd;
	return 0;
}

int proc_fs_write(int proc_fd, const char *path, const char *value, struct bk_err **err)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	bk_autoclose int fd = (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/proc/%s'", path);
	rc = bk_fd_write_all(fd, value, strlen(value));
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write '%s' to '/proc/%s'", value, path);
	return 0;
}
