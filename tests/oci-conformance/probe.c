/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conformance suite's program inside the container. Its first argument says what it does:
 *
 *	report [TRY...]		prints one JSON object of all that it sees, and what became of the tries
 *	file PATH [TRY...]	the same into PATH, complete from the moment that PATH is there
 *	wait PATH [TRY...]	the same, then adds a line to PATH.signals for each signal, until TERM
 *	hook PATH NAME [TRY...]	adds a line to PATH: NAME, what it sees, what stdin said
 *	exit STATUS		exits
 *	euid			exits with its effective user id
 *	sleep			does nothing until it is killed
 *	orphan			leaves a child that sleeps, and exits
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

#define STDIN_MAX (64 * 1024)

static int signal_log = -1;

static void members(char **argv, char **tries)
{
	report_process(argv);
	report_files();
	report_system();
	json_object("tries");
	for (; *tries; tries++)
		report_try(*tries);
	json_end();
}

static void report(FILE *out, char **argv, char **tries)
{
	json_open(out);
	json_object(NULL);
	members(argv, tries);
	json_end();
	fputc('\n', out);
	fflush(out);
}

/* Nothing but what the process was given is open while it is looked at. */
static int to_file(const char *path, char **argv, char **tries)
{
	char new[4096], *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	ssize_t n;
	int fd;

	if (!out)
		return 1;
	report(out, argv, tries);
	fclose(out);
	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return 1;
	n = write(fd, text, size);
	close(fd);
	free(text);
	return n != (ssize_t)size || rename(new, path) ? 1 : 0;
}

static void note(int number)
{
	char line[2] = { (char)('0' + number % 10), '\n' }, tens = (char)('0' + number / 10);

	if (write(signal_log, &tens, 1) < 0 || write(signal_log, line, 2) < 0)
		_exit(1);
	if (number == SIGTERM)
		_exit(0);
}

/* Every signal that can be caught is logged by its number, two digits. */
static int await_signals(const char *path, char **argv, char **tries)
{
	char log[4096];
	sigset_t none;

	if (to_file(path, argv, tries))
		return 1;
	snprintf(log, sizeof(log), "%s.signals", path);
	signal_log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (signal_log < 0)
		return 1;
	for (int i = 1; i <= 64; i++) {
		struct sigaction act = { .sa_handler = note };

		if (i != SIGCHLD && i != SIGSEGV && i != SIGBUS)
			sigaction(i, &act, NULL);
	}
	snprintf(log, sizeof(log), "%s.ready", path);
	close(open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
	sigemptyset(&none);
	for (;;)
		sigsuspend(&none);
}

/* Lines of several hooks don't mix: each is one write to a file opened for appending. */
static int hook(const char *path, const char *name, char **argv, char **tries)
{
	static char input[STDIN_MAX];
	char *text = NULL;
	size_t len = 0, size = 0;
	ssize_t n;
	FILE *out;
	int fd;

	while (len < sizeof(input) - 1 && (n = read(0, input + len, sizeof(input) - 1 - len)) > 0)
		len += (size_t)n;
	out = open_memstream(&text, &size);
	if (!out)
		return 1;
	json_open(out);
	json_object(NULL);
	json_string("hook", name);
	json_string("stdin", input);
	members(argv, tries);
	json_end();
	fputc('\n', out);
	fclose(out);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return 1;
	n = write(fd, text, size);
	close(fd);
	free(text);
	return n == (ssize_t)size ? 0 : 1;
}

static void sleep_on(void)
{
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "report";

	if (!strcmp(what, "report")) {
		report(stdout, argv, argv + (argc > 1 ? 2 : argc));
		return 0;
	}
	if (!strcmp(what, "file") && argc > 2)
		return to_file(argv[2], argv, argv + 3);
	if (!strcmp(what, "wait") && argc > 2)
		return await_signals(argv[2], argv, argv + 3);
	if (!strcmp(what, "hook") && argc > 3)
		return hook(argv[2], argv[3], argv, argv + 4);
	if (!strcmp(what, "exit") && argc > 2)
		return (int)to_number(argv[2]);
	if (!strcmp(what, "euid"))
		return (int)(geteuid() & 0xff);
	if (!strcmp(what, "sleep"))
		sleep_on();
	if (!strcmp(what, "orphan")) {
		if (!fork())
			sleep_on();
		return 0;
	}
	fprintf(stderr, "probe: what is '%s'?\n", what);
	return 2;
}
