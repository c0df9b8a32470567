/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_peak FILE PROGRAM [ARG...]: runs a program, and writes to FILE how large the resident set of any of the project's
 * processes was at most (KiB): of it and its descendants, as long as they execute a file whose name begins with "bock-", or a
 * memfd. What else is executed (criu, ps, the container's program) is let go. The status is the program's; 125: we failed.
 *
 * ru_maxrss of wait4(2) would be that of the largest descendant, whatever it is. VmHWM is read before each execve, at the end
 * of each process, and when the program has ended of what it left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_FAILED 125
#define TASKS_MAX     64
#define OPTIONS                                                                                  \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |        \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

static pid_t tasks[TASKS_MAX];
static int n_tasks;
static long peak;

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "bench_peak: %s: %s\n", what, strerror(errno));
	exit(STATUS_FAILED);
}

static void add(pid_t pid)
{
	for (int i = 0; i < n_tasks; i++) {
		if (tasks[i] == pid)
			return;
	}
	if (n_tasks == TASKS_MAX) {
		errno = E2BIG;
		die("so many processes");
	}
	tasks[n_tasks++] = pid;
}

static void drop(pid_t pid)
{
	for (int i = 0; i < n_tasks; i++) {
		if (tasks[i] == pid)
			tasks[i--] = tasks[--n_tasks];
	}
}

static bool is_ours(pid_t pid)
{
	char path[64], exe[4096];
	const char *name;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return false;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	return name && (strncmp(name, "/bock-", strlen("/bock-")) == 0 || strncmp(name, "/memfd:", strlen("/memfd:")) == 0);
}

static void look(pid_t pid)
{
	char path[64], line[256];
	long kib;
	FILE *f;

	if (!is_ours(pid))
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmHWM:", strlen("VmHWM:")) != 0)
			continue;
		if (sscanf(line, "VmHWM: %ld kB", &kib) != 1)
			continue;
		if (kib > peak)
			peak = kib;
	}
	if (f)
		(void)fclose(f);
}

static void at_call(pid_t pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	if (info.entry.nr == SYS_execve || info.entry.nr == SYS_execveat)
		look(pid);
}

/* It has stopped: whether it is still followed, and in *ret_sig the signal that it is to get. */
static bool at_stop(pid_t pid, int status, int *ret_sig)
{
	int event = status >> 16, sig = WSTOPSIG(status);

	*ret_sig = 0;
	if (event == PTRACE_EVENT_EXIT) {
		look(pid);
	} else if (event == PTRACE_EVENT_EXEC) {
		if (!is_ours(pid)) {
			(void)ptrace(PTRACE_DETACH, pid, 0, 0);
			return false;
		}
	} else if (sig == (SIGTRAP | 0x80)) {
		at_call(pid);
	} else if (event == 0) {
		*ret_sig = sig;
	}
	return true;
}

/* Until the program has ended; its status. */
static int follow(pid_t program)
{
	for (;;) {
		int status, sig;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0) {
			if (errno == EINTR)
				continue;
			die("wait");
		}
		if (!WIFSTOPPED(status)) {
			drop(pid);
			if (pid == program)
				return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		add(pid);
		if (!at_stop(pid, status, &sig))
			drop(pid);
		else if (ptrace(PTRACE_SYSCALL, pid, 0, (long)sig) < 0 && errno != ESRCH)
			die("continue a process");
	}
}

static pid_t start(char **argv)
{
	int gate[2];
	char c;
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		die("start");
	if (pid == 0) {
		(void)close(gate[1]);
		if (read(gate[0], &c, 1) == 1)
			(void)execv(argv[0], argv);
		die(argv[0]);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, (long)OPTIONS) < 0)
		die("trace");
	if (write(gate[1], "", 1) != 1)
		die("start");
	(void)close(gate[0]);
	(void)close(gate[1]);
	return pid;
}

int main(int argc, char **argv)
{
	FILE *out;
	int status;

	if (argc < 3) {
		(void)fprintf(stderr, "Usage: bench_peak FILE PROGRAM [ARG...]\n");
		return STATUS_FAILED;
	}
	/* before, so that no process of ours has it */
	out = fopen(argv[1], "we");
	if (!out)
		die(argv[1]);
	status = follow(start(argv + 2));
	for (int i = 0; i < n_tasks; i++)
		look(tasks[i]);
	(void)fprintf(out, "%ld\n", peak);
	if (fclose(out) != 0)
		die(argv[1]);
	return status;
}
