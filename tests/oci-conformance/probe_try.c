/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process is let do, found out by doing it, in a child of its own: a filter may kill it. The words
 * of a try are separated by spaces; its result is "ok" or the name of an errno.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define WORDS_MAX 8

struct outcome {
	int error;		/* errno */
	long value;
	char data[512];
};

static int try_read(char **w, struct outcome *o)
{
	int fd = open(w[1], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	o->value = read(fd, o->data, sizeof(o->data) - 1);
	close(fd);
	if (o->value > 0 && o->data[o->value - 1] == '\n')
		o->data[o->value - 1] = '\0';
	return o->value < 0 ? -1 : 0;
}

static int try_list(char **w, struct outcome *o)
{
	DIR *d = opendir(w[1]);
	struct dirent *e;

	if (!d)
		return -1;
	while ((e = readdir(d))) {
		if (e->d_name[0] != '.')
			o->value++;
	}
	closedir(d);
	return 0;
}

/* "write PATH" only opens it; "write PATH TEXT" writes */
static int try_write(char **w, struct outcome *o)
{
	int fd = open(w[1], O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), rc = 0;

	(void)o;
	if (fd < 0)
		return -1;
	if (w[2])
		rc = write(fd, w[2], strlen(w[2])) < 0 ? -1 : 0;
	close(fd);
	return rc;
}

static int try_create(char **w, struct outcome *o)
{
	struct stat st;
	int fd = open(w[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st))
		o->value = st.st_mode & 07777;
	close(fd);
	return 0;
}

static int try_mkdir(char **w, struct outcome *o)
{
	(void)o;
	return mkdir(w[1], 0777);
}

/* mknod c|b MAJOR MINOR PATH */
static int try_mknod(char **w, struct outcome *o)
{
	(void)o;
	return mknod(w[4], (mode_t)(*w[1] == 'b' ? S_IFBLK : S_IFCHR) | 0600,
		     makedev((unsigned int)to_number(w[2]), (unsigned int)to_number(w[3])));
}

static int try_open(char **w, struct outcome *o)
{
	int fd = open(w[1], O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	(void)o;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

/* the program's status becomes the value; it is the probe, told to exit with its effective user id */
static int try_exec(char **w, struct outcome *o)
{
	char what[] = "euid", *argv[] = { w[1], what, NULL };
	int status, error = 0, fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0)
		return -1;
	if (!pid) {
		execv(w[1], argv);
		error = errno;
		_exit(write(fds[1], &error, sizeof(error)) < 0);
	}
	close(fds[1]);
	if (read(fds[0], &error, sizeof(error)) <= 0)
		error = 0;
	waitpid(pid, &status, 0);
	o->value = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	errno = error;
	return error ? -1 : 0;
}

static int try_mount(char **w, struct outcome *o)
{
	(void)o;
	return mount(w[1], w[2], w[1], 0, NULL);
}

static int try_sethostname(char **w, struct outcome *o)
{
	(void)o;
	return sethostname(w[1], strlen(w[1]));
}

static int try_kill(char **w, struct outcome *o)
{
	(void)o;
	return kill((pid_t)to_number(w[1]), (int)to_number(w[2]));
}

static int try_stat(char **w, struct outcome *o)
{
	struct stat st;

	if (stat(w[1], &st))
		return -1;
	o->value = st.st_mode & 07777;
	snprintf(o->data, sizeof(o->data), "%o %u:%u %lld %lld", st.st_mode & S_IFMT, st.st_uid, st.st_gid,
		 (long long)st.st_ino, (long long)st.st_dev);
	return 0;
}

static int try_lstat(char **w, struct outcome *o)
{
	struct stat st;

	if (lstat(w[1], &st))
		return -1;
	o->value = st.st_mode & S_IFMT;
	return 0;
}

static int try_size(char **w, struct outcome *o)
{
	struct statvfs fs;

	if (statvfs(w[1], &fs))
		return -1;
	o->value = (long)(fs.f_blocks * fs.f_frsize);
	return 0;
}

static int try_syscall(char **w, struct outcome *o)
{
	static const struct {
		const char *name;
		long number;
	} calls[] = {
		{ "getppid", SYS_getppid }, { "getpgid", SYS_getpgid }, { "getsid", SYS_getsid },
		{ "sched_yield", SYS_sched_yield }, { "uname", SYS_uname }, { "sysinfo", SYS_sysinfo },
		{ "personality", SYS_personality }, { "getpriority", SYS_getpriority },
		{ "mincore", SYS_mincore }, { "socket", SYS_socket }, { "getcwd", SYS_getcwd },
		{ "umask", SYS_umask }, { "sync", SYS_sync }, { "times", SYS_times },
		{ "sched_getscheduler", SYS_sched_getscheduler }, { "lookup_dcookie", SYS_lookup_dcookie },
		{ "getitimer", SYS_getitimer }, { "unshare", SYS_unshare }, { "ptrace", SYS_ptrace },
		{ "keyctl", SYS_keyctl }, { "bpf", SYS_bpf }, { "mount", SYS_mount }, { "mkdir", SYS_mkdir },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, w[1]) != 0)
			continue;
		o->value = syscall(calls[i].number, to_number(w[2]), w[2] ? to_number(w[3]) : 0,
				   w[2] && w[3] ? to_number(w[4]) : 0, 0, 0, 0);
		return o->value == -1 ? -1 : 0;
	}
	errno = ENODATA;
	return -1;
}

static const struct {
	const char *name;
	int words;	/* at least, itself too */
	int (*run)(char **words, struct outcome *o);
} tries[] = {
	{ "read", 2, try_read }, { "list", 2, try_list }, { "write", 2, try_write },
	{ "create", 2, try_create }, { "mkdir", 2, try_mkdir }, { "mknod", 5, try_mknod },
	{ "open", 2, try_open }, { "exec", 2, try_exec }, { "mount", 3, try_mount },
	{ "sethostname", 2, try_sethostname }, { "kill", 3, try_kill }, { "stat", 2, try_stat },
	{ "lstat", 2, try_lstat }, { "size", 2, try_size }, { "syscall", 2, try_syscall },
};

static void attempt(const char *text, struct outcome *o)
{
	char copy[1024], *words[WORDS_MAX + 1] = { NULL }, *save = NULL;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *s = strtok_r(copy, " ", &save); s && n < WORDS_MAX; s = strtok_r(NULL, " ", &save))
		words[n++] = s;
	o->error = ENOTSUP;
	for (size_t i = 0; n && i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (strcmp(tries[i].name, words[0]) != 0 || n < tries[i].words)
			continue;
		errno = 0;
		o->error = tries[i].run(words, o) ? errno : 0;
	}
}

void report_try(const char *text)
{
	struct outcome o = { .error = 0 };
	int fds[2], status = 0;
	ssize_t n = 0;
	pid_t pid;

	json_object(text);
	if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
		json_string("result", errno_name(errno));
		json_end();
		return;
	}
	if (!pid) {
		attempt(text, &o);
		_exit(write(fds[1], &o, sizeof(o)) < 0);
	}
	close(fds[1]);
	n = read(fds[0], &o, sizeof(o));
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (n == (ssize_t)sizeof(o)) {
		json_string("result", o.error ? errno_name(o.error) : "ok");
		json_number("value", o.value);
		json_string("data", o.data);
	} else {
		json_number("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	json_end();
}
