/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/criu_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

/* "(00.012345)      1: Error (criu/mount.c:123): mnt: ...": what stands behind the word. */
static const char *error_in(const char *line)
{
	const char *p = strstr(line, "Error (");
	const char *text = p ? strstr(p, "): ") : NULL;

	return text ? text + 3 : NULL;
}

/* criu's last word, "Dumping FAILED." */
static bool says_nothing(const char *text)
{
	return strstr(text, "FAILED") != NULL;
}

char *criu_log_find(char *text)
{
	const char *found = NULL, *last = NULL;
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *error = error_in(line);

		if (!error)
			continue;
		last = error;
		if (!says_nothing(error))
			found = error;
	}
	found = found ? found : last;
	return found ? bk_strndup(found, CRIU_LOG_LINE) : NULL;
}

char *criu_log_error(int dirfd, const char *file)
{
	bk_autoclose int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bk_autofree char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	if (st.st_size > (off_t)CRIU_LOG_TAIL &&
	    lseek(fd, st.st_size - (off_t)CRIU_LOG_TAIL, SEEK_SET) < 0)
		return NULL;
	text = bk_malloc(CRIU_LOG_TAIL + 1);
	n = bk_fd_read_full(fd, text, CRIU_LOG_TAIL);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	/* what is not text would end in a terminal */
	for (ssize_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			text[i] = '?';
	}
	return criu_log_find(text);
}
