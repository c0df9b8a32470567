/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_num.h"

#ifndef PID_FS_MAGIC
#define PID_FS_MAGIC 0x50494446
#endif

/* proc(5): "pid (comm) state ppid ..."; comm may hold anything, so the last ')' counts. */
uint64_t container_probe_parse(char *text, pid_t *ret_pid, char *ret_state, uint64_t *ret_ignored)
{
	char *save = text, *field = strsep(&save, " ");
	uint64_t start = 0;
	uint32_t pid;

	if (!save || bk_num_u32(field, INT32_MAX, &pid, NULL) < 0)
		return 0;
	*ret_pid = (pid_t)pid;
	save = strrchr(save, ')');
	if (!save || save[1] != ' ')
		return 0;
	save += 2;
	*ret_state = *save;
	for (int i = 3; (field = strsep(&save, " ")); i++) {
		if (i == 22 && (bk_num_u64(field, UINT64_MAX, &start, NULL) < 0 || !ret_ignored))
			return start;
		if (i == 33)
			return bk_num_u64(field, UINT64_MAX, ret_ignored, NULL) == 0 ? start : 0;
	}
	return 0;
}

/* *pid 0 is ourselves, and is set. 0 and errno: ESRCH if there is no such process. */
static uint64_t read_stat(pid_t *pid, char *ret_state, uint64_t *ret_ignored)
{
	bk_autoclose int fd = -1;
	char path[40], buf[1024];
	ssize_t n;
	int errnum;

	if (*pid)
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)*pid);
	fd = open(*pid ? path : "/proc/self/stat", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	errnum = n < 0 && errno != ENOENT ? errno : ESRCH;
	if (n <= 0) {
		bk_close(&fd);
		errno = errnum;
		return 0;
	}
	buf[n] = '\0';
	errno = EINVAL; /* no kernel writes it otherwise */
	return container_probe_parse(buf, pid, ret_state, ret_ignored);
}

int container_probe_alive(pid_t pid, uint64_t start)
{
	char state = 0;
	uint64_t found;

	if (pid <= 0 || !start)
		return 0;
	found = read_stat(&pid, &state, NULL);
	if (!found && errno != ESRCH)
		return -errno;
	return found == start && state != 'Z' && state != 'X';
}

uint64_t container_probe_inode(int pidfd)
{
	struct statfs fs;
	struct stat st;

	/* before pidfs all pidfds shared one inode */
	if (fstatfs(pidfd, &fs) < 0 || fs.f_type != PID_FS_MAGIC || fstat(pidfd, &st) < 0)
		return 0;
	return st.st_ino;
}

int container_probe_pidfd(int pidfd, uint64_t inode)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct stat st;
	int n;

	if (fstat(pidfd, &st) < 0)
		return -errno;
	if (st.st_ino != inode)
		return 0;
	n = poll(&ended, 1, 0);
	return n < 0 ? -errno : n == 0;
}

uint64_t container_probe_start(pid_t pid)
{
	char state;

	return read_stat(&pid, &state, NULL);
}

uint64_t container_probe_self(pid_t *ret_pid, uint64_t *ret_ignored)
{
	char state;

	*ret_pid = 0;
	*ret_ignored = 0;
	return read_stat(ret_pid, &state, ret_ignored);
}
