/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_proc.h"
#include "base/bk_str.h"

#define FD_LIST "ls /proc/self/fd | tr '\\n' ' '"

static char sh[] = "sh";
static char dash_c[] = "-c";

#define SPEC(program, args)                                                         \
	{                                                                           \
		.path = (program), .argv = (args), .stdin_fd = -1, .stdout_fd = -1, \
		.stderr_fd = -1                                                     \
	}

static int open_fds(void)
{
	bk_autoclosedir DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	return n;
}

/* Runs a shell script; its output has to be `want`. */
static void script(struct bk_proc_spec *spec, const char *text, const char *input, const char *want,
		   int want_code)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	bk_autofree char *copy = bk_strdup(text);
	char *argv[] = { sh, dash_c, copy, NULL };
	struct bk_err *err = NULL;
	int before = open_fds();
	int status = -1;

	spec->argv = argv;
	assert_ok(bk_proc_run(spec, input, input ? strlen(input) : 0, &out, NULL, 20000, &status,
			      &err),
		  &err);
	assert_string_equal(bk_buf_str(&out), want);
	assert_int_equal(bk_proc_exit_code(status), want_code);
	assert_int_equal(open_fds(), before);
}

static void test_run(void **state)
{
	struct bk_proc_spec spec = SPEC("sh", NULL);

	(void)state;
	script(&spec, "echo out; exit 3", NULL, "out\n", 3);
	script(&spec, "cat", "input", "input", 0);
	script(&spec, "cat; echo end", NULL, "end\n", 0);
	script(&spec, "kill -9 $$", NULL, "", 128 + SIGKILL);
	/* Input that nobody reads is no error. */
	script(&spec, "exec <&-; sleep 0.1; echo x", "input", "x\n", 0);
	spec.path = "/bin/sh";
	spec.cwd = "/proc";
	script(&spec, "pwd", NULL, "/proc\n", 0);
}

/* Both directions at once, each more than a pipe holds. */
static void test_run_bulk(void **state)
{
	const size_t len = 3 << 20;
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	bk_autobuf struct bk_buf errout = BK_BUF_INIT(BK_BUF_DOC);
	bk_autofree char *data = bk_malloc(len);
	char text[] = "tee /dev/stderr";
	char *argv[] = { sh, dash_c, text, NULL };
	struct bk_proc_spec spec = SPEC("sh", argv);
	struct bk_err *err = NULL;
	sigset_t pending;
	int status;

	(void)state;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i % 253);
	assert_ok(bk_proc_run(&spec, data, len, &out, &errout, 20000, &status, &err), &err);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, data, len);
	assert_int_equal(errout.len, len);
	assert_memory_equal(errout.data, data, len);
	/* A program that ends in the middle of its input raises no SIGPIPE in us. */
	memcpy(text, "head -c1       ", 15);
	bk_buf_reset(&out);
	assert_ok(bk_proc_run(&spec, data, len, &out, NULL, 20000, &status, &err), &err);
	assert_int_equal(out.len, 1);
	assert_int_equal(sigpending(&pending), 0);
	assert_false(sigismember(&pending, SIGPIPE));
}

static void test_run_too_much(void **state)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(1000);
	char text[] = "exec cat /dev/zero";
	char *argv[] = { sh, dash_c, text, NULL };
	struct bk_proc_spec spec = SPEC("sh", argv);
	struct bk_err *err = NULL;
	int before = open_fds();
	int status;

	(void)state;
	assert_err(bk_proc_run(&spec, NULL, 0, &out, NULL, 20000, &status, &err), &err,
		   BK_ERR_CONFIG, "output of 'sh' is larger than 1000 bytes");
	assert_int_equal(open_fds(), before);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A process left behind that holds the pipes does not hold us. */
static void test_run_left_behind(void **state)
{
	struct bk_proc_spec spec = SPEC("sh", NULL);
	struct timespec a, b;

	(void)state;
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	script(&spec, "sleep 5 & echo here", NULL, "here\n", 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(b.tv_sec - a.tv_sec < 4);
}

static void test_timeout(void **state)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(1000);
	char text[] = "trap '' TERM INT HUP; while :; do sleep 1; done";
	char *argv[] = { sh, dash_c, text, NULL };
	struct bk_proc_spec spec = SPEC("sh", argv);
	struct bk_proc p = BK_PROC_INIT;
	struct bk_err *err = NULL;
	int before = open_fds();
	int status = -77;
	pid_t pid;

	(void)state;
	assert_ok(bk_proc_spawn(&spec, &p, &err), &err);
	pid = p.pid;
	assert_true(pid > 0 && p.pidfd >= 0);
	assert_int_equal(fcntl(p.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(bk_proc_wait(&p, 50, &status, &err), -BK_ERR_IO);
	assert_int_equal(bk_err_errno(err), ETIMEDOUT);
	bk_err_clear(&err);
	assert_int_equal(status, -77);
	assert_int_equal(p.pid, -1);
	assert_int_equal(p.pidfd, -1);
	/* Killed and reaped. */
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(bk_proc_run(&spec, "x", 1, &out, &out, 50, &status, &err), -BK_ERR_IO);
	assert_int_equal(bk_err_errno(err), ETIMEDOUT);
	bk_err_clear(&err);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(open_fds(), before);
}

static void test_wait(void **state)
{
	char text[] = "exit 7";
	char *argv[] = { sh, dash_c, text, NULL };
	struct bk_proc_spec spec = SPEC("sh", argv);
	struct bk_proc p = BK_PROC_INIT;
	struct bk_err *err = NULL;
	int status;

	(void)state;
	for (int timeout = -1; timeout < 20000; timeout += 10001) {
		assert_ok(bk_proc_spawn(&spec, &p, &err), &err);
		assert_ok(bk_proc_wait(&p, timeout, &status, &err), &err);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 7);
	}
	assert_int_equal(bk_proc_exit_code(7 << 8), 7);
	assert_int_equal(bk_proc_exit_code(SIGTERM), 143);
}

static void fails(const struct bk_proc_spec *spec, enum bk_err_kind kind, int errnum,
		  const char *text)
{
	struct bk_proc p = BK_PROC_INIT;
	struct bk_err *err = NULL;
	int before = open_fds();
	int status;

	assert_int_equal(bk_proc_spawn(spec, &p, &err), -(int)kind);
	assert_int_equal(bk_err_errno(err), errnum);
	assert_err(-(int)kind, &err, kind, text);
	assert_int_equal(p.pid, -1);
	assert_int_equal(p.pidfd, -1);
	assert_int_equal(open_fds(), before);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
}

static void test_failures(void **state)
{
	char *argv[] = { sh, NULL };
	struct bk_proc_spec spec = SPEC("/nowhere/x", argv);
	const int closed[] = { 999 };

	(void)state;
	fails(&spec, BK_ERR_NOT_FOUND, ENOENT, "execute '/nowhere/x': No such file or directory");
	spec.path = "no-such-program";
	fails(&spec, BK_ERR_NOT_FOUND, ENOENT, "execute 'no-such-program': No such file");
	spec.path = "/etc/passwd";
	fails(&spec, BK_ERR_PERMISSION, EACCES, "execute '/etc/passwd'");
	spec.path = "/etc";
	fails(&spec, BK_ERR_PERMISSION, EACCES, "execute '/etc'");
	spec.path = "sh";
	spec.cwd = "/nowhere";
	fails(&spec, BK_ERR_IO, ENOENT, "change directory to '/nowhere'");
	spec.cwd = NULL;
	spec.stdout_fd = 999;
	fails(&spec, BK_ERR_INTERNAL, EBADF, "descriptor 999");
	spec.stdout_fd = -1;
	spec.keep_fds = closed;
	spec.n_keep_fds = 1;
	fails(&spec, BK_ERR_INTERNAL, EBADF, "pass on descriptor 999");
}

static void test_fds(void **state)
{
	int a = fcntl(0, F_DUPFD_CLOEXEC, 20);
	int b = fcntl(0, F_DUPFD, 30);
	int c = fcntl(0, F_DUPFD, 40);
	const int keep[] = { c, a };
	struct bk_proc_spec spec = SPEC("sh", NULL);

	(void)state;
	assert_int_equal(a, 20);
	assert_int_equal(b, 30);
	assert_int_equal(c, 40);
	/* 3 is what ls opens. */
	script(&spec, FD_LIST, NULL, "0 1 2 3 ", 0);
	spec.keep_fds = keep;
	spec.n_keep_fds = 2;
	script(&spec, FD_LIST, NULL, "0 1 2 20 3 40 ", 0);
	assert_int_equal(fcntl(a, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(c, F_GETFD), 0);
	spec.n_keep_fds = 0;
	script(&spec, "readlink /proc/self/fd/0", NULL, "/dev/null\n", 0);
	bk_close(&a);
	bk_close(&b);
	bk_close(&c);
}

/* stdin, stdout and stderr asked for crosswise, in a child whose own three are known pipes. */
static void child_crosswise(int in, int out)
{
	char text[] = "readlink /proc/self/fd/0 /proc/self/fd/2 >&2; echo x";
	char *argv[] = { sh, dash_c, text, NULL };
	struct bk_proc_spec spec = SPEC("sh", argv);
	struct bk_proc p = BK_PROC_INIT;
	int status;

	if (dup2(out, 0) < 0 || dup2(in, 1) < 0 || dup2(in, 2) < 0)
		_exit(1);
	spec.stdin_fd = 1;
	spec.stdout_fd = 0;
	spec.stderr_fd = 0;
	if (bk_proc_spawn(&spec, &p, NULL) < 0 || bk_proc_wait(&p, -1, &status, NULL) < 0)
		_exit(2);
	_exit(bk_proc_exit_code(status));
}

static void test_fds_crosswise(void **state)
{
	char got[300] = "", want[300], null[] = "/dev/null";
	int in = open(null, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_crosswise(in, fds[1]);
	bk_close(&fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(bk_fd_read_full(fds[0], got, sizeof(got) - 1) > 0);
	assert_int_equal(fstat(fds[0], &st), 0);
	(void)snprintf(want, sizeof(want), "/dev/null\npipe:[%lu]\nx\n", (unsigned long)st.st_ino);
	assert_string_equal(got, want);
	bk_close(&fds[0]);
	bk_close(&in);
}

static void test_env(void **state)
{
	char one[] = "ONE=1", two[] = "TWO=a b";
	char *env[] = { one, two, NULL }, *none[] = { NULL };
	struct bk_proc_spec spec = SPEC("sh", NULL);

	(void)state;
	assert_int_equal(setenv("BK_TEST_PROC", "ours", 1), 0);
	script(&spec, "echo $BK_TEST_PROC", NULL, "ours\n", 0);
	spec.env = env;
	script(&spec, "echo $BK_TEST_PROC $ONE$TWO", NULL, "1a b\n", 0);
	spec.env = none;
	script(&spec, "exec /usr/bin/env -u PWD -u _ -u SHLVL -u OLDPWD", NULL, "", 0);
	/* A part of PATH that is empty means the current directory: not to us. */
	assert_int_equal(chdir("/bin"), 0);
	assert_int_equal(setenv("PATH", ":.:/nowhere", 1), 0);
	spec.path = "sh";
	fails(&spec, BK_ERR_NOT_FOUND, ENOENT, "execute 'sh'");
	assert_int_equal(setenv("PATH", "/nowhere:/bin:/usr/bin", 1), 0);
	script(&spec, "echo x", NULL, "x\n", 0);
	assert_int_equal(chdir("/"), 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* What we block, ignore or handle is not the program's business. */
static void test_no_new_privs(void **state)
{
	struct bk_proc_spec spec = SPEC("sh", NULL);

	(void)state;
	/* what we have ourselves is inherited: nothing to be seen then */
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		script(&spec, "grep NoNewPrivs /proc/self/status", NULL, "NoNewPrivs:\t0\n", 0);
	spec.no_new_privs = true;
	script(&spec, "grep NoNewPrivs /proc/self/status", NULL, "NoNewPrivs:\t1\n", 0);
}

static void test_signals(void **state)
{
	struct sigaction ign = { .sa_handler = SIG_IGN }, hnd = { .sa_handler = on_signal }, old[3];
	struct bk_proc_spec spec = SPEC("sh", NULL);
	unsigned long own[16] = { (unsigned long)SIG_IGN };
	sigset_t block, before, now;

	(void)state;
	assert_int_equal(sigaction(SIGINT, &ign, &old[0]), 0);
	assert_int_equal(sigaction(SIGRTMAX, &ign, &old[1]), 0);
	assert_int_equal(sigaction(SIGUSR1, &hnd, &old[2]), 0);
	/* libc's own two, which its sigaction() does not touch, as some parents leave them. */
	assert_int_equal(syscall(SYS_rt_sigaction, 32, own, NULL, 8), 0);
	assert_int_equal(syscall(SYS_rt_sigaction, 33, own, NULL, 8), 0);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTERM);
	(void)sigaddset(&block, SIGRTMIN);
	assert_int_equal(sigprocmask(SIG_BLOCK, &block, &before), 0);
	script(&spec, "exec grep -E '^Sig(Blk|Ign)' /proc/self/status", NULL,
	       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", 0);
	own[0] = (unsigned long)SIG_DFL;
	assert_int_equal(syscall(SYS_rt_sigaction, 32, own, NULL, 8), 0);
	assert_int_equal(syscall(SYS_rt_sigaction, 33, own, NULL, 8), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, &now), 0);
	assert_true(sigismember(&now, SIGTERM));
	assert_false(sigismember(&now, SIGUSR2));
	assert_int_equal(sigaction(SIGINT, &old[0], &ign), 0);
	assert_true(ign.sa_handler == SIG_IGN);
	assert_int_equal(sigaction(SIGRTMAX, &old[1], NULL), 0);
	assert_int_equal(sigaction(SIGUSR1, &old[2], &hnd), 0);
	assert_true(hnd.sa_handler == on_signal);
}

static void test_start_time(void **state)
{
	struct bk_err *err = NULL;
	uint64_t a = 0, b = 0;
	pid_t pid;
	int status;

	(void)state;
	assert_ok(bk_proc_start_time(getpid(), &a, &err), &err);
	assert_ok(bk_proc_start_time(getpid(), &b, &err), &err);
	assert_true(a != 0 && a == b);
	(void)usleep(30000);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	/* A zombie still has one. */
	assert_ok(bk_proc_start_time(pid, &b, &err), &err);
	assert_true(b > a);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_err(bk_proc_start_time(pid, &b, &err), &err, BK_ERR_NOT_FOUND, "/stat");
	assert_err(bk_proc_start_time(-1, &b, &err), &err, BK_ERR_NOT_FOUND, "/stat");
}

/* The name of a process is its own: one that looks like the fields behind it changes nothing. */
static void test_start_time_name(void **state)
{
	struct bk_err *err = NULL;
	uint64_t a = 0, b = 0;
	int fd = open("/proc/self/comm", O_RDWR | O_CLOEXEC);
	char name[16] = "";

	(void)state;
	assert_true(fd >= 0 && read(fd, name, 15) > 0);
	assert_ok(bk_proc_start_time(getpid(), &a, &err), &err);
	assert_int_equal(bk_fd_write_all(fd, "x) S 1 ) (2 3", 13), 0);
	assert_ok(bk_proc_start_time(getpid(), &b, &err), &err);
	assert_true(a == b);
	assert_int_equal(bk_fd_write_all(fd, name, strcspn(name, "\n")), 0);
	bk_close(&fd);
}

BK_TEST_MAIN(cmocka_unit_test(test_run), cmocka_unit_test(test_run_bulk),
	     cmocka_unit_test(test_run_too_much), cmocka_unit_test(test_run_left_behind),
	     cmocka_unit_test(test_timeout), cmocka_unit_test(test_wait),
	     cmocka_unit_test(test_failures), cmocka_unit_test(test_fds),
	     cmocka_unit_test(test_fds_crosswise), cmocka_unit_test(test_env),
	     cmocka_unit_test(test_no_new_privs), cmocka_unit_test(test_signals), cmocka_unit_test(test_start_time),
	     cmocka_unit_test(test_start_time_name))
