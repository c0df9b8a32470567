/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_stuck.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "base/bk_num.h"

/* At most size - 1 bytes of the file; "" where there is nothing to be read. */
static void read_file(const char *path, char *buf, size_t size)
{
	bk_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
}

static void read_text(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	read_file(path, buf, size);
}

char *bk_stuck_describe(pid_t pid)
{
	char stat[256], wchan[64];
	char *name, *end;

	read_text(pid, "stat", stat, sizeof(stat));
	name = strchr(stat, '(');
	end = strrchr(stat, ')'); /* a name may hold anything */
	if (!name || !end || end < name || end[1] != ' ' || end[2] == 'Z' || end[2] == 'X')
		return bk_asprintf("process %d, which has ended", (int)pid);
	*end = '\0';
	for (char *p = name; *p; p++) {
		if (!isprint((unsigned char)*p))
			*p = '?';
	}
	read_text(pid, "wchan", wchan, sizeof(wchan));
	wchan[strspn(wchan, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] = '\0';
	if (!*wchan || strcmp(wchan, "0") == 0) /* it runs, or we may not know */
		return bk_asprintf("process %d (%s, state %c)", (int)pid, name + 1, end[2]);
	return bk_asprintf("process %d (%s, state %c, waits in %s)", (int)pid, name + 1, end[2], wchan);
}

char *bk_stuck_describe_fd(int pidfd)
{
	char path[48], text[256];
	uint32_t pid = 0;
	char *line;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	read_file(path, text, sizeof(text));
	line = strstr(text, "\nPid:\t");
	if (!line)
		return bk_strdup("a process");
	line += strlen("\nPid:\t");
	line[strcspn(line, "\n")] = '\0';
	/* -1: it has ended; 0: it is not in that namespace */
	return bk_num_u32(line, INT32_MAX, &pid, NULL) < 0 || pid == 0 ? bk_strdup("a process") :
									     bk_stuck_describe((pid_t)pid);
}
