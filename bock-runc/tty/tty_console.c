/* SPDX-License-Identifier: Apache-2.0 */
#include "tty/tty_console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"

#define PTMX_MAJOR 5
#define PTMX_MINOR 2

int tty_console_open(int pts_dirfd, int *ret_master, int *ret_slave, unsigned int *ret_index,
		     struct bk_err **err)
{
	bk_autoclose int master = -1, slave = -1;
	unsigned int index = 0;
	int unlocked = 0;
	struct statfs fs;
	struct stat st;

	if (fstatfs(pts_dirfd, &fs) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat the file system of '/dev/pts'");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.terminal: '/dev/pts' in the container is not a devpts");
	master = openat(pts_dirfd, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	if (master < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/dev/pts/ptmx'");
	/* something may be mounted on the node */
	if (fstat(master, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '/dev/pts/ptmx'");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.terminal: '/dev/pts/ptmx' is not the device 5:2");
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0 || ioctl(master, TIOCGPTN, &index) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "unlock the new terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/dev/pts/%u'", index);
	*ret_master = bk_steal_fd(&master);
	*ret_slave = bk_steal_fd(&slave);
	*ret_index = index;
	return 0;
}

int tty_console_size(int fd, uint32_t height, uint32_t width, struct bk_err **err)
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };

	if (height == 0 && width == 0)
		return 0;
	if (height > UINT16_MAX || width > UINT16_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "process.consoleSize: %u x %u is larger than %u x %u", height,
				  width, UINT16_MAX, UINT16_MAX);
	if (ioctl(fd, TIOCSWINSZ, &size) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the size of the terminal");
	return 0;
}

/* The file that the terminal is mounted on: O_PATH, and neither a link nor a directory. */
static int console_target(int dev_dirfd, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = openat(dev_dirfd, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		fd = openat(dev_dirfd, "console",
			    O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '/dev/console'");
	if (fstat(fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat '/dev/console'");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'/dev/console' in the container is neither a file nor a device");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

int tty_console_bind(int dev_dirfd, int slave, struct bk_err **err)
{
	bk_autoclose int target = -1, tree = -1;
	int rc = console_target(dev_dirfd, &target, err);

	if (rc < 0)
		return rc;
	tree = (int)syscall(SYS_open_tree, slave, "",
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "clone the mount of the terminal");
	if (syscall(SYS_move_mount, tree, "", target, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount the terminal on '/dev/console'");
	return 0;
}

int tty_console_send(int sock, int master, const char *name, struct bk_err **err)
{
	int rc = bk_fd_send(sock, &master, 1, name, strlen(name));

	if (rc < 0) /* a full socket is one that its peer does not read */
		return bk_err_set(err, BK_ERR_IO, rc == -EAGAIN ? ETIMEDOUT : -rc,
				  "send the terminal to the console socket");
	return 0;
}

int tty_console_stdio(int *slave, bool lead, struct bk_err **err)
{
	if (lead && setsid() < 0 && errno != EPERM) /* EPERM: we lead one already */
		return bk_err_set(err, BK_ERR_IO, errno, "start a session");
	if (lead && ioctl(*slave, TIOCSCTTY, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "take the controlling terminal");
	for (int fd = 0; fd <= 2; fd++)
		if (dup3(*slave, fd, 0) < 0 && *slave != fd)
			return bk_err_set(err, BK_ERR_IO, errno, "make the terminal file %d", fd);
	if (*slave > 2)
		bk_close(slave);
	else
		*slave = -1;
	return 0;
}

int tty_stdio_owner(uid_t uid, struct bk_err **err)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0) {
			if (errno == EBADF)
				continue;
			return bk_err_set(err, BK_ERR_IO, errno, "stat file %d", fd);
		}
		if (st.st_uid == uid || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
			continue;
		/*
		 * What cannot be given away is what an engine handed us from outside of our user
		 * namespace, a read-only file system or another's file: the container then has it
		 * as it is.
		 */
		if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM &&
		    errno != EROFS && errno != ENOSYS)
			return bk_err_set(err, BK_ERR_IO, errno, "give file %d to user %u", fd,
					  uid);
	}
	return 0;
}
