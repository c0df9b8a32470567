/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_driver ROUNDS [WARM-UPS]: times the command lines of several contenders, a round of each in turn (A
 * B C, B C A, ...), so that whatever else the machine does hits all of them. What it reads from stdin:
 *
 *	name<TAB>NAME			a contender; what follows is its round
 *	run<TAB>PROGRAM<TAB>ARG...	runs it; an ARG that is @ becomes a name of its own in each round
 *	reap				waits for a child that a command left behind, outside the wall time
 *
 * What it writes, a line a contender, separated by tabs: name, then the median and the minimum of wall
 * time, of CPU time (microseconds), the largest resident set of a process (KiB), the median of page faults.
 *
 * CPU time and page faults are those of the commands and of all their descendants: orphans become children
 * of this program, which waits for them at the end of the round.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTENDERS_MAX 8
#define STEPS_MAX 4
#define ARGS_MAX 24
#define ROUNDS_MAX 100000
#define LINE_SIZE 4096

struct step {
	char *argv[ARGS_MAX + 1]; /* none: reap */
};

struct contender {
	const char *name;
	struct step steps[STEPS_MAX];
	int n_steps;
	int64_t *wall, *cpu, *faults; /* one a round */
	long rss;
};

struct sample {
	int64_t wall, cpu, faults;
	long rss;
};

static struct contender contenders[CONTENDERS_MAX];
static int n_contenders;
static posix_spawn_file_actions_t actions;

__attribute__((noreturn)) static void die(const char *what, const char *subject, int errnum)
{
	(void)fprintf(stderr, "bench_driver: %s%s%s%s%s\n", what, subject ? " " : "",
		      subject ? subject : "", errnum ? ": " : "", errnum ? strerror(errnum) : "");
	exit(2);
}

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t usec_of(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void add_usage(const struct rusage *u, struct sample *s)
{
	s->cpu += usec_of(u->ru_utime) + usec_of(u->ru_stime);
	s->faults += u->ru_minflt;
	if (u->ru_maxrss > s->rss)
		s->rss = u->ru_maxrss;
}

static void run_command(const struct step *step, const char *unique, struct sample *s)
{
	char *argv[ARGS_MAX + 1];
	struct rusage usage;
	int64_t start;
	int n, rc, status;
	pid_t pid;

	for (n = 0; step->argv[n]; n++)
		argv[n] = strcmp(step->argv[n], "@") == 0 ? (char *)unique : step->argv[n];
	argv[n] = NULL;
	start = now_ns();
	rc = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (rc != 0)
		die("start", argv[0], rc);
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			die("wait for", argv[0], errno);
	s->wall += now_ns() - start;
	add_usage(&usage, s);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		for (int i = 0; argv[i]; i++)
			(void)fprintf(stderr, "%s ", argv[i]);
		die("failed", NULL, 0);
	}
}

static void reap(bool all, struct sample *s)
{
	struct rusage usage;
	int status;

	do {
		if (wait4(-1, &status, 0, &usage) < 0) {
			if (all && errno == ECHILD)
				return;
			die("wait for an orphan", NULL, errno);
		}
		add_usage(&usage, s);
	} while (all);
}

static void run_round(int contender, int round, bool counts)
{
	struct contender *c = &contenders[contender];
	struct sample s = { 0 };
	char unique[64];

	(void)snprintf(unique, sizeof(unique), "bench-%d-%d-%d", (int)getpid(), contender,
		       counts ? round : -1 - round);
	for (int i = 0; i < c->n_steps; i++) {
		if (c->steps[i].argv[0])
			run_command(&c->steps[i], unique, &s);
		else
			reap(false, &s);
	}
	reap(true, &s);
	if (!counts)
		return;
	c->wall[round] = s.wall / 1000;
	c->cpu[round] = s.cpu;
	c->faults[round] = s.faults;
	if (s.rss > c->rss)
		c->rss = s.rss;
}

static void add_step(struct contender *c, char *words)
{
	struct step *step = &c->steps[c->n_steps];
	char *word;
	int n = 0;

	if (c->n_steps++ == STEPS_MAX)
		die("too many steps:", c->name, 0);
	while ((word = strsep(&words, "\t"))) {
		if (n == ARGS_MAX)
			die("too many words:", c->name, 0);
		step->argv[n++] = strdup(word);
	}
}

static void add_contender(const char *name, int rounds)
{
	struct contender *c = &contenders[n_contenders];

	if (n_contenders++ == CONTENDERS_MAX)
		die("too many contenders", NULL, 0);
	c->name = strdup(name);
	c->wall = calloc((size_t)rounds, sizeof(*c->wall));
	c->cpu = calloc((size_t)rounds, sizeof(*c->cpu));
	c->faults = calloc((size_t)rounds, sizeof(*c->faults));
	if (!c->name || !c->wall || !c->cpu || !c->faults)
		die("out of memory", NULL, 0);
}

static void read_contenders(int rounds)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), stdin)) {
		char *rest = line;
		char *verb;

		line[strcspn(line, "\n")] = '\0';
		verb = strsep(&rest, "\t");
		if (strcmp(verb, "name") == 0 && rest)
			add_contender(rest, rounds);
		else if (strcmp(verb, "run") == 0 && rest && n_contenders)
			add_step(&contenders[n_contenders - 1], rest);
		else if (strcmp(verb, "reap") == 0 && n_contenders)
			add_step(&contenders[n_contenders - 1], NULL);
		else
			die("what is this:", verb, 0);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static int number(const char *text)
{
	int n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || n > ROUNDS_MAX / 10)
			die("not a number of rounds:", text, 0);
		n = n * 10 + (*p - '0');
	}
	return n;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? number(argv[1]) : 0;
	int warm_ups = argc > 2 ? number(argv[2]) : 3;

	if (rounds < 1 || argc > 3)
		die("usage: bench_driver ROUNDS [WARM-UPS]", NULL, 0);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("become a subreaper", NULL, errno);
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0)
		die("out of memory", NULL, 0);
	read_contenders(rounds);
	for (int round = -warm_ups; round < rounds; round++)
		for (int i = 0; i < n_contenders; i++)
			run_round((i + round + warm_ups) % n_contenders,
				  round < 0 ? -1 - round : round, round >= 0);
	for (int i = 0; i < n_contenders; i++) {
		struct contender *c = &contenders[i];
		int64_t wall = median(c->wall, rounds), cpu = median(c->cpu, rounds);
		int64_t faults = median(c->faults, rounds);

		printf("%s\t%lld\t%lld\t%lld\t%lld\t%ld\t%lld\n", c->name, (long long)wall,
		       (long long)c->wall[0], (long long)cpu, (long long)c->cpu[0], c->rss,
		       (long long)faults);
	}
	return 0;
}
