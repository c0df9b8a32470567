/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strike: runs a program and, just before a chosen system call of it or of one of its children, kills it, or makes
 * that call fail without being made. The program needs no special build.
 *
 *	strike [OPTION...] [--] PROGRAM [ARG...]
 *
 *	--report FILE		one line for each point that is passed; with --at for that one alone:
 *				PROCESS TAB CALL TAB NAME TAB PROGRAM TAB what the call is about
 *	--at PROCESS:CALL	the point. Processes (and threads) are numbered from 0 in the order of their
 *				birth, the calls of each from 0.
 *	--kill main		there: SIGKILL to the program; its children live on, as they would in life
 *	--kill self		there: SIGKILL to the process that makes the call
 *	--kill tree		there: SIGKILL to all of them
 *	--fault ERRNO		there: the call is not made, and fails so (ENOSPC)
 *	--short			there: the read or write is made of half of its bytes, as long as it is of a regular file that
 *				is no kernel's (procfs, cgroups); else there is no point
 *	--hold FILE		there: FILE is made, and the process waits until it is gone; the others too, soon
 *	--after			with --fault: the call is made, and then said to have failed; close always is
 *	--onward		with --fault: so do all later calls of this name
 *	--leave NAME		a process that executes a program of this name is let go: neither counted nor killed
 *	--execs N		process 0 is the program from its Nth execution on (default 1); before, it is what starts
 *				it (setpriv, env)
 *	--timeout SECONDS	then all are killed, and the status is 124
 *
 * The status is the program's; 128 and the signal, if one has ended it; 125 if we failed. With a point, and never
 * there, the report is empty. When the program has ended, what still runs of its children is let go.
 */
#include "strike.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_TIMEOUT 124
#define STATUS_FAILED  125
#define NUMBER_MAX     100000000UL
#define TRACE_OPTIONS                                                                                \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |    \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct strike {
	const struct strike_opts *o;
	struct strike_task *tasks;
	size_t n_tasks;
	int born;		/* tasks so far */
	int execs;		/* of process 0 */
	uint64_t onward_nr;	/* --onward: the call, once it was struck */
	bool done;		/* the point was reached */
	pid_t main;
	int status;		/* of main, once it has ended; -1 */
	FILE *report;
};

static volatile sig_atomic_t timed_out;

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "strike: %s: %s\n", what, strerror(errno));
	exit(STATUS_FAILED);
}

static struct strike_task *task_of(struct strike *s, pid_t pid)
{
	for (size_t i = 0; i < s->n_tasks; i++) {
		if (s->tasks[i].pid == pid)
			return &s->tasks[i];
	}
	return NULL;
}

static struct strike_task *add_task(struct strike *s, pid_t pid)
{
	struct strike_task *t = task_of(s, pid);

	if (t)
		return t;
	s->tasks = reallocarray(s->tasks, s->n_tasks + 1, sizeof(*s->tasks));
	if (!s->tasks)
		die("memory");
	t = &s->tasks[s->n_tasks++];
	*t = (struct strike_task){ .pid = pid, .number = s->born++ };
	t->counting = t->number > 0;
	return t;
}

static void drop_task(struct strike *s, struct strike_task *t)
{
	*t = s->tasks[--s->n_tasks];
}

/* How it goes on; sig: a signal that it is to get. */
static void go_on(struct strike *s, struct strike_task *t, int sig)
{
	/* ESRCH: it was killed meanwhile, which we shall be told */
	if (ptrace(PTRACE_SYSCALL, t->pid, 0, (long)sig) < 0 && errno != ESRCH)
		die("continue a process");
	(void)s;
}

static void kill_all(const struct strike *s)
{
	for (size_t i = 0; i < s->n_tasks; i++)
		(void)kill(s->tasks[i].pid, SIGKILL);
}

static void note(struct strike *s, const struct strike_task *t, uint64_t nr, const uint64_t *args)
{
	char detail[STRIKE_DETAIL];
	char *name = strike_call_name(nr);

	strike_detail(t->pid, nr, args, detail, sizeof(detail));
	fprintf(s->report, "%d\t%lu\t%s\t%s\t%s\n", t->number, t->calls, name, t->exe, detail);
	free(name);
}

static void hold(const char *path)
{
	const struct timespec nap = { .tv_nsec = 2 * 1000 * 1000 };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	(void)close(fd);
	while (access(path, F_OK) == 0 && !timed_out)
		(void)nanosleep(&nap, NULL);
}

static void strike_here(struct strike *s, struct strike_task *t, uint64_t nr, const uint64_t *args)
{
	const struct strike_opts *o = s->o;

	s->done = true;
	switch (o->act) {
	case STRIKE_KILL_MAIN:
		(void)kill(s->main, SIGKILL);
		break;
	case STRIKE_KILL_SELF:
		(void)kill(t->pid, SIGKILL);
		break;
	case STRIKE_KILL_TREE:
		kill_all(s);
		break;
	case STRIKE_FAULT:
		s->onward_nr = nr;
		t->struck = true;
		/* a close that fails has closed all the same */
		if (!o->after && nr != SYS_close && !strike_skip_call(t->pid))
			die("take a call away");
		break;
	case STRIKE_SHORT:
		if (!strike_short_call(t->pid, nr, args))
			s->done = false;
		break;
	case STRIKE_HOLD:
		hold(o->hold);
		break;
	default:
		break;
	}
}

static void at_entry(struct strike *s, struct strike_task *t, const struct __ptrace_syscall_info *info)
{
	const struct strike_opts *o = s->o;
	uint64_t nr = info->entry.nr;
	bool here = o->act && !s->done && t->number == o->process && t->calls == o->call;
	bool again = s->done && o->onward && o->act == STRIKE_FAULT && nr == s->onward_nr;

	if (here || again)
		strike_here(s, t, nr, info->entry.args);
	if (s->report && ((here && s->done) || !o->act))
		note(s, t, nr, info->entry.args);
	t->calls++;
}

static void at_syscall(struct strike *s, struct strike_task *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) < 0)
		return; /* killed meanwhile */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		t->inside = true;
		if (t->counting)
			at_entry(s, t, &info);
	} else {
		t->inside = false;
		if (t->struck && !strike_fail_call(t->pid, s->o->errnum) && errno != ESRCH)
			die("fail a call");
		t->struck = false;
	}
}

static void detach(struct strike *s, struct strike_task *t, int sig)
{
	(void)ptrace(PTRACE_DETACH, t->pid, 0, (long)sig);
	drop_task(s, t);
}

/* True if it was let go. */
static bool at_exec(struct strike *s, struct strike_task *t)
{
	char link[64], path[4096];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)t->pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	snprintf(t->exe, sizeof(t->exe), "%.*s", (int)strcspn(name, " "), name);
	for (int i = 0; i < s->o->n_leave; i++) {
		if (strcmp(s->o->leave[i], t->exe) == 0) {
			detach(s, t, 0);
			return true;
		}
	}
	if (t->number == 0 && ++s->execs >= s->o->execs && !t->counting)
		t->counting = true;
	return false;
}

static void at_birth(struct strike *s, pid_t parent)
{
	unsigned long pid;
	struct strike_task *t;

	if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &pid) < 0)
		return;
	t = add_task(s, (pid_t)pid); /* it may have been seen before */
	if (!t->exe[0])
		memcpy(t->exe, task_of(s, parent)->exe, sizeof(t->exe));
}

static bool stops(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

static void at_stop(struct strike *s, struct strike_task *t, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	pid_t pid = t->pid;

	if (sig == (SIGTRAP | 0x80)) {
		at_syscall(s, t);
		sig = 0;
	} else if (event == PTRACE_EVENT_EXEC) {
		if (at_exec(s, t))
			return;
		sig = 0;
	} else if (event == PTRACE_EVENT_STOP) {
		if (stops(sig)) {
			(void)ptrace(PTRACE_LISTEN, pid, 0, 0);
			return;
		}
		sig = 0;
	} else if (event) {
		at_birth(s, pid);
		sig = 0;
	}
	t = task_of(s, pid);
	go_on(s, t, sig);
}

static void at_end(struct strike *s, struct strike_task *t, int status)
{
	if (t->pid == s->main)
		s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	drop_task(s, t);
}

/* What still runs is let go: whoever is in our hands must be stopped for that. */
static void let_go(struct strike *s)
{
	for (size_t i = 0; i < s->n_tasks; i++)
		(void)ptrace(PTRACE_INTERRUPT, s->tasks[i].pid, 0, 0);
	while (s->n_tasks) {
		int status, sig;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct strike_task *t;

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return;
		t = task_of(s, pid);
		if (!t && WIFSTOPPED(status))
			t = add_task(s, pid);
		if (!t)
			continue;
		if (!WIFSTOPPED(status)) {
			drop_task(s, t);
			continue;
		}
		if (status >> 16 == PTRACE_EVENT_FORK || status >> 16 == PTRACE_EVENT_VFORK ||
		    status >> 16 == PTRACE_EVENT_CLONE) {
			at_birth(s, pid);
			t = task_of(s, pid);
		}
		if (t->struck) /* its call ends now, without us */
			(void)strike_fail_call(pid, s->o->errnum);
		sig = WSTOPSIG(status);
		detach(s, t, status >> 16 || sig == (SIGTRAP | 0x80) ? 0 : sig);
	}
}

static void follow(struct strike *s)
{
	bool over = false;

	/* a tree that was killed is waited for as a whole */
	while (s->status < 0 || (s->o->act == STRIKE_KILL_TREE && s->done && s->n_tasks)) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct strike_task *t;

		if (timed_out && !over) {
			over = true;
			kill_all(s);
		}
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0 && errno == ECHILD)
			break;
		if (pid < 0)
			die("wait");
		t = task_of(s, pid);
		if (WIFSTOPPED(status)) {
			if (!t)
				t = add_task(s, pid);
			at_stop(s, t, status);
			if (over)
				(void)kill(pid, SIGKILL);
		} else if (t) {
			at_end(s, t, status);
		}
	}
}

static pid_t begin(const struct strike_opts *o)
{
	int gate[2];
	pid_t pid;
	char word = 'g';

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		(void)!close(gate[1]);
		if (read(gate[0], &word, 1) != 1)
			_exit(STATUS_FAILED);
		execvp(o->argv[0], o->argv);
		fprintf(stderr, "strike: execute '%s': %s\n", o->argv[0], strerror(errno));
		_exit(127);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, TRACE_OPTIONS) < 0)
		die("trace a process");
	/* SEIZE stops nothing: this does, so that we see each call */
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		die("stop a process");
	if (write(gate[1], &word, 1) != 1)
		die("let the process begin");
	(void)close(gate[0]);
	(void)close(gate[1]);
	return pid;
}

static int run(const struct strike_opts *o)
{
	struct strike s = { .o = o, .status = -1, .onward_nr = UINT64_MAX };
	struct sigaction sa = { .sa_handler = on_alarm };

	if (o->report) {
		s.report = fopen(o->report, "we");
		if (!s.report)
			die(o->report);
	}
	(void)sigaction(SIGALRM, &sa, NULL);
	(void)alarm((unsigned int)o->timeout);
	s.main = begin(o);
	add_task(&s, s.main);
	follow(&s);
	let_go(&s);
	if (s.report && fclose(s.report) != 0)
		die(o->report);
	free(s.tasks);
	if (timed_out)
		return STATUS_TIMEOUT;
	return s.status < 0 ? STATUS_FAILED : s.status;
}

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: strike [--report FILE] [--at PROCESS:CALL --kill main|self|tree | --short | --hold FILE | "
			"--fault ERRNO [--after] [--onward]] [--leave NAME]... [--execs N] [--timeout SECONDS] [--] "
			"PROGRAM [ARG...]\n");
	exit(STATUS_FAILED);
}

static unsigned long number(const char *text, char end, const char **ret_rest)
{
	unsigned long n = 0;
	const char *rest = text;

	for (; *rest >= '0' && *rest <= '9' && n < NUMBER_MAX; rest++)
		n = 10 * n + (unsigned long)(*rest - '0');
	if (rest == text || *rest != end)
		usage();
	if (ret_rest)
		*ret_rest = rest + 1;
	return n;
}

static enum strike_act whom(const char *word)
{
	if (strcmp(word, "main") == 0)
		return STRIKE_KILL_MAIN;
	if (strcmp(word, "self") == 0)
		return STRIKE_KILL_SELF;
	if (strcmp(word, "tree") != 0)
		usage();
	return STRIKE_KILL_TREE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "report", 1, NULL, 'r' }, { "at", 1, NULL, 'a' },	 { "kill", 1, NULL, 'k' },
		{ "fault", 1, NULL, 'f' },  { "after", 0, NULL, 'A' },	 { "onward", 0, NULL, 'o' },
		{ "leave", 1, NULL, 'l' },  { "execs", 1, NULL, 'x' },	 { "timeout", 1, NULL, 't' },
		{ "hold", 1, NULL, 'h' },   { "short", 0, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct strike_opts o = { .process = -1, .execs = 1 };
	const char *rest;
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 'r') {
			o.report = optarg;
		} else if (c == 'a') {
			o.process = (int)number(optarg, ':', &rest);
			o.call = number(rest, '\0', NULL);
		} else if (c == 'k') {
			o.act = whom(optarg);
		} else if (c == 'f') {
			o.act = STRIKE_FAULT;
			o.errnum = strike_errno(optarg);
		} else if (c == 'h') {
			o.act = STRIKE_HOLD;
			o.hold = optarg;
		} else if (c == 's') {
			o.act = STRIKE_SHORT;
		} else if (c == 'A') {
			o.after = true;
		} else if (c == 'o') {
			o.onward = true;
		} else if (c == 'l' && o.n_leave < (int)(sizeof(o.leave) / sizeof(*o.leave))) {
			o.leave[o.n_leave++] = optarg;
		} else if (c == 'x') {
			o.execs = (int)number(optarg, '\0', NULL);
		} else if (c == 't') {
			o.timeout = (int)number(optarg, '\0', NULL);
		} else {
			usage();
		}
	}
	if (optind == argc || (o.act != STRIKE_NONE) != (o.process >= 0) ||
	    (o.act == STRIKE_FAULT && !o.errnum))
		usage();
	o.argv = argv + optind;
	return run(&o);
}
