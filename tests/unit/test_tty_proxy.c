/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy runs in a child, between an outer terminal (or pipes), which the test holds, and an inner
 * one, which a program runs on as a container's process would.
 */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "tty/tty_proxy.h"

#define WAIT_MS 10000

/* Starts `sh -c script` on the inner terminal; returns its pid and master. */
static pid_t start_inner(const struct tty_proxy *p, const char *script, int *ret_master)
{
	pid_t pid = forkpty(ret_master, NULL, NULL, NULL);

	if (pid == 0) {
		tty_proxy_child(p);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* The proxy's process: exits with the script's exit status, or 200 where the proxy failed. */
static void proxy(const char *script, int in, int out)
{
	struct tty_proxy p = TTY_PROXY_INIT;
	struct bk_err *err = NULL;
	int master = -1, pidfd, status = 0, rc;
	pid_t pid;

	/* a shell starts what it puts into the background with these ignored */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	p.in_fd = in;
	p.out_fd = out;
	if (tty_proxy_begin(&p, &err) < 0)
		_exit(200);
	if (script[0] == '!') {
		pid = fork();
		if (pid == 0) {
			tty_proxy_child(&p);
			execl("/bin/sh", "sh", "-c", script + 1, (char *)NULL);
			_exit(127);
		}
	} else {
		pid = start_inner(&p, script, &master);
	}
	pidfd = pidfd_open(pid, 0);
	rc = tty_proxy_run(&p, master, pidfd, &err);
	tty_proxy_end(&p);
	if (rc < 0 || waitpid(pid, &status, WNOHANG) != pid)
		_exit(200);
	_exit(WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status));
}

static int finish(pid_t pid)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	int status;

	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 300 + WTERMSIG(status);
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* Reads until the text has come (or, for NULL, until the end). */
static void read_until(int fd, const char *text, struct bk_buf *b)
{
	char chunk[4096];

	while (!text || !strstr(bk_buf_str(b), text)) {
		ssize_t n;

		if (bk_fd_wait(fd, POLLIN, WAIT_MS) <= 0)
			fail_msg("waited for '%s', got '%s'", text ? text : "the end",
				 bk_buf_str(b));
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0) {
			if (text)
				fail_msg("the end came before '%s': '%s'", text, bk_buf_str(b));
			return;
		}
		bk_buf_add(b, chunk, (size_t)n);
	}
}

static pid_t start_on_pty(const char *script, int *ret_master, int *ret_slave)
{
	pid_t pid;

	assert_int_equal(openpty(ret_master, ret_slave, NULL, NULL, NULL), 0);
	pid = fork();
	if (pid == 0) {
		close(*ret_master);
		proxy(script, *ret_slave, *ret_slave);
	}
	return pid;
}

static void test_interactive(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	bk_autoclose int master = -1, slave = -1;
	struct termios before, during, after;
	struct winsize size = { .ws_row = 17, .ws_col = 71 };
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	pid = fork();
	if (pid == 0) {
		close(master);
		proxy("stty size; echo ready; read x; echo \"got $x\"; read y; stty size; exit 5",
		      slave, slave);
	}
	read_until(master, "ready", &b);
	assert_non_null(strstr(bk_buf_str(&b), "17 71"));
	assert_int_equal(tcgetattr(slave, &during), 0);
	assert_false(during.c_lflag & (ICANON | ECHO | ISIG));
	assert_true(during.c_oflag & OPOST);
	assert_int_equal(write(master, "word\r", 5), 5);
	read_until(master, "got word", &b);
	/* one CR a line: ours puts it, the inner one does not */
	assert_non_null(strstr(bk_buf_str(&b), "ready\r\n"));
	assert_null(strstr(bk_buf_str(&b), "\r\r\n"));
	size.ws_row = 18;
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_int_equal(kill(pid, SIGWINCH), 0);
	assert_int_equal(write(master, "\r", 1), 1);
	read_until(master, "18 71", &b);
	assert_int_equal(finish(pid), 5);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
}

/* What the program will find is there before it starts. */
static void test_attach(void **state)
{
	bk_autoclose int outer = -1, ours = -1, master = -1, theirs = -1;
	struct tty_proxy p = TTY_PROXY_INIT;
	struct winsize size = { .ws_row = 12, .ws_col = 34 };
	struct termios t;
	struct bk_err *err = NULL;

	(void)state;
	assert_int_equal(openpty(&outer, &ours, NULL, NULL, &size), 0);
	assert_int_equal(openpty(&master, &theirs, NULL, NULL, NULL), 0);
	p.in_fd = ours;
	p.out_fd = ours;
	if (tty_proxy_attach(&p, master, &err) < 0)
		fail();
	assert_int_equal(ioctl(theirs, TIOCGWINSZ, &size), 0);
	assert_int_equal(size.ws_row, 12);
	assert_int_equal(size.ws_col, 34);
	assert_int_equal(tcgetattr(theirs, &t), 0);
	assert_false(t.c_oflag & ONLCR);
	assert_true(t.c_oflag & OPOST);
	assert_true(fcntl(master, F_GETFL) & O_NONBLOCK);
	assert_int_equal(tcgetattr(ours, &t), 0);
	assert_false(t.c_lflag & ICANON);
	tty_proxy_end(&p);
	assert_int_equal(tcgetattr(ours, &t), 0);
	assert_true(t.c_lflag & ICANON);
	assert_err(tty_proxy_attach(&p, -1, &err), &err, BK_ERR_IO, "non-blocking");
}

static void test_ctrl_c(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	bk_autoclose int master = -1, slave = -1;
	pid_t pid =
		start_on_pty("trap 'echo int; exit 9' INT; echo ready; while :; do read x; done",
			     &master, &slave);

	(void)state;
	read_until(master, "ready", &b);
	/* a byte on our raw terminal, a signal behind the inner one */
	assert_int_equal(write(master, "\003", 1), 1);
	assert_int_equal(finish(pid), 9);
}

/* All of the output comes, although the process ends at once. */
static void test_drain(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		proxy("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last",
		      open("/dev/null", O_RDONLY | O_CLOEXEC), fds[1]);
	}
	close(fds[1]);
	read_until(fds[0], NULL, &b);
	assert_non_null(strstr(bk_buf_str(&b), "line 0\n"));
	assert_non_null(strstr(bk_buf_str(&b), "\nline 19999\nlast\n"));
	assert_int_equal(finish(pid), 0);
	close(fds[0]);
}

/* Input from a pipe: its end becomes the terminal's end-of-file. */
static void test_piped_input(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	int in[2], out[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		close(in[1]);
		close(out[0]);
		proxy("stty -echo; cat; echo end", in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	assert_int_equal(write(in[1], "one\ntwo\n", 8), 8);
	close(in[1]);
	read_until(out[0], NULL, &b);
	assert_non_null(strstr(bk_buf_str(&b), "one\ntwo\nend\n"));
	assert_int_equal(finish(pid), 0);
	close(out[0]);
}

/* Nobody reads our output any more: the process goes on to its end. */
static void test_broken_output(void **state)
{
	int out[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		close(out[0]);
		proxy("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exit 6",
		      open("/dev/null", O_RDONLY | O_CLOEXEC), out[1]);
	}
	close(out[1]);
	close(out[0]);
	assert_int_equal(finish(pid), 6);
}

/* The process closes its terminal and lives on, and opens it again. */
static void test_closed_terminal(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	bk_autoclose int master = -1, slave = -1;
	pid_t pid = start_on_pty("t=$(tty); echo one; exec <&- >&- 2>&-; sleep 0.3; "
				 "exec >>$t; echo two; exit 3",
				 &master, &slave);

	(void)state;
	read_until(master, "two", &b);
	assert_int_equal(finish(pid), 3);
}

static void test_signals(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGQUIT };

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(signals); i++) {
		int ready[2];
		char byte;
		pid_t pid;

		assert_int_equal(pipe(ready), 0);
		pid = fork();
		if (pid == 0) {
			dup2(ready[1], 9);
			proxy("!echo >&9; exec sleep 20", 0, 1);
		}
		assert_int_equal(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		close(ready[1]);
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(finish(pid), 100 + signals[i]);
	}
}

/* A signal that comes between begin and run is kept. */
static void test_early_signal(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct tty_proxy p = TTY_PROXY_INIT;
		struct bk_err *err = NULL;
		int pidfd, status = 0;
		pid_t child;

		if (tty_proxy_begin(&p, &err) < 0 || raise(SIGTERM) != 0)
			_exit(200);
		child = fork();
		if (child == 0) {
			tty_proxy_child(&p);
			execl("/bin/sleep", "sleep", "20", (char *)NULL);
			_exit(127);
		}
		pidfd = pidfd_open(child, 0);
		if (tty_proxy_run(&p, -1, pidfd, &err) < 0)
			_exit(200);
		tty_proxy_end(&p);
		tty_proxy_end(&p);
		if (waitpid(child, &status, WNOHANG) != child)
			_exit(201);
		_exit(WIFSIGNALED(status) ? 100 + WTERMSIG(status) : 202);
	}
	assert_int_equal(finish(pid), 100 + SIGTERM);
}

BK_TEST_MAIN(cmocka_unit_test(test_interactive), cmocka_unit_test(test_attach),
	     cmocka_unit_test(test_ctrl_c), cmocka_unit_test(test_drain),
	     cmocka_unit_test(test_piped_input), cmocka_unit_test(test_broken_output),
	     cmocka_unit_test(test_closed_terminal), cmocka_unit_test(test_signals),
	     cmocka_unit_test(test_early_signal))
