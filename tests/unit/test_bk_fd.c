/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"

#define BULK ((size_t)1 << 20)

static void *write_bulk(void *arg)
{
	bk_autofree char *data = bk_malloc(BULK);
	int *fd = arg;

	for (size_t i = 0; i < BULK; i++)
		data[i] = (char)(i % 251);
	if (bk_fd_write_all(*fd, data, BULK) != 0)
		return NULL;
	bk_close(fd);
	return arg;
}

/* More than a pipe holds, so that reads and writes come in pieces. */
static void test_whole(void **state)
{
	bk_autofree char *data = bk_malloc(BULK + 10);
	pthread_t thread;
	void *done = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_bulk, &fds[1]), 0);
	assert_int_equal(bk_fd_read_full(fds[0], data, 7), 7);
	assert_int_equal(bk_fd_read_full(fds[0], data + 7, BULK + 3), BULK - 7);
	assert_int_equal(pthread_join(thread, &done), 0);
	assert_ptr_equal(done, &fds[1]);
	for (size_t i = 0; i < BULK; i++)
		assert_int_equal(data[i], (char)(i % 251));
	assert_int_equal(bk_fd_read_full(fds[0], data, 1), 0);
	bk_close(&fds[0]);
	assert_int_equal(bk_fd_read_full(-1, data, 1), -EBADF);
	assert_int_equal(bk_fd_write_all(-1, data, 1), -EBADF);
}

static void test_read_buf(void **state)
{
	struct bk_err *err = NULL;
	int fds[2];

	(void)state;
	for (size_t max = 99; max <= 100; max++) {
		bk_autobuf struct bk_buf b = BK_BUF_INIT(max);
		char data[100] = { 0 };

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		assert_int_equal(bk_fd_write_all(fds[1], data, sizeof(data)), 0);
		bk_close(&fds[1]);
		if (max < 100) {
			assert_err(bk_fd_read_buf(fds[0], &b, "pipe", &err), &err, BK_ERR_CONFIG,
				   "pipe is larger than 99 bytes");
		} else {
			assert_ok(bk_fd_read_buf(fds[0], &b, "pipe", &err), &err);
			assert_int_equal(b.len, 100);
		}
		bk_close(&fds[0]);
		assert_err(bk_fd_read_buf(-1, &b, "pipe", &err), &err, BK_ERR_IO,
			   "read 'pipe': Bad");
	}
}

static void test_send(void **state)
{
	int pair[2], out[8], got[8];
	size_t n = 99;
	char data[16] = "";

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (int i = 0; i < 8; i++)
		out[i] = pair[i % 2];
	assert_int_equal(bk_fd_send(pair[0], out, 0, "x", 1), -EINVAL);
	assert_int_equal(bk_fd_send(pair[0], out, 9, "x", 1), -EINVAL);
	assert_int_equal(bk_fd_send(pair[0], out, 1, "", 0), -EINVAL);
	assert_int_equal(bk_fd_send(pair[0], out, 8, "hello", 5), 0);
	assert_int_equal(bk_fd_recv(pair[1], got, 8, &n, data, sizeof(data)), 5);
	assert_int_equal(n, 8);
	assert_memory_equal(data, "hello", 5);
	for (int i = 0; i < 8; i++) {
		struct stat a, b;

		assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
		assert_int_equal(fstat(got[i], &a), 0);
		assert_int_equal(fstat(out[i], &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		bk_close(&got[i]);
	}
	/* Without descriptors, and at the end. */
	assert_int_equal(bk_fd_write_all(pair[0], "abc", 3), 0);
	assert_int_equal(bk_fd_recv(pair[1], got, 8, &n, data, sizeof(data)), 3);
	assert_int_equal(n, 0);
	bk_close(&pair[0]);
	assert_int_equal(bk_fd_recv(pair[1], got, 1, &n, data, sizeof(data)), 0);
	bk_close(&pair[1]);
}

/* A peer that sends more than was asked for must not leave descriptors in us. */
static void test_send_too_many(void **state)
{
	int pair[2], probe, out[8], got[8] = { -1, -1 };
	size_t n = 99;
	char data[16];

	(void)state;
	for (size_t want = 0; want < 3; want++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		for (int i = 0; i < 8; i++)
			out[i] = pair[0];
		probe = dup(0);
		bk_close(&probe);
		probe = dup(0);
		assert_int_equal(bk_fd_send(pair[0], out, want + 1, "x", 1), 0);
		assert_int_equal(bk_fd_recv(pair[1], got, want, &n, data, sizeof(data)), -EMSGSIZE);
		assert_int_equal(n, 99);
		assert_int_equal(got[0], -1);
		/* The next free number is the one that follows probe's. */
		out[0] = dup(0);
		assert_int_equal(out[0], probe + 1);
		bk_close(&out[0]);
		bk_close(&probe);
		bk_close(&pair[0]);
		bk_close(&pair[1]);
	}
}

static void test_ranges(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int a = fcntl(0, F_DUPFD, 50);
		int b = fcntl(0, F_DUPFD, 60);

		if (a != 50 || b != 60 || bk_fd_cloexec_from(55) != 0)
			_exit(1);
		if (fcntl(a, F_GETFD) != 0 || fcntl(b, F_GETFD) != FD_CLOEXEC)
			_exit(2);
		if (bk_fd_close_from(55) != 0)
			_exit(3);
		_exit(fcntl(a, F_GETFD) == 0 && fcntl(b, F_GETFD) == -1 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_unix_connect(void **state)
{
	struct bk_err *err = NULL;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/bk-fd-XXXXXX";
	char path[600], name[101] = "";
	int listener, fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	memset(name, 'd', 100);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, name, name);
	assert_ok(bk_file_mkdirs(path, 0700, &err), &err);
	assert_int_equal(chdir(path), 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(addr.sun_path, "sock", 5);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_ok(bk_fd_unix_connect("sock", &fd, &err), &err);
	bk_close(&fd);
	(void)snprintf(path, sizeof(path), "%s/%s/%s/sock", dir, name, name);
	assert_true(strlen(path) > sizeof(addr.sun_path));
	assert_ok(bk_fd_unix_connect(path, &fd, &err), &err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	bk_close(&fd);
	assert_err(bk_fd_unix_connect("nothing", &fd, &err), &err, BK_ERR_NOT_FOUND, "'nothing'");
	assert_err(bk_fd_unix_connect("", &fd, &err), &err, BK_ERR_NOT_FOUND, "socket ''");
	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, name, name);
	assert_err(bk_fd_unix_connect(path, &fd, &err), &err, BK_ERR_IO, "too long");
	bk_close(&listener);
	assert_err(bk_fd_unix_connect("sock", &fd, &err), &err, BK_ERR_IO, "refused");
	assert_int_equal(fd, -1);
	assert_int_equal(chdir("/"), 0);
	assert_ok(bk_file_rmtree(AT_FDCWD, dir, &err), &err);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void test_wait(void **state)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct timespec a, b;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(bk_fd_wait(fds[0], POLLIN, 0), 0);
	/* A signal neither ends nor prolongs it. */
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	(void)ualarm(20000, 20000);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(bk_fd_wait(fds[0], POLLIN, 100), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	(void)ualarm(0, 0);
	assert_in_range((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000, 95, 1000);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(bk_fd_wait(fds[0], POLLIN, -1), 1);
	bk_close(&fds[0]);
	assert_int_equal(bk_fd_wait(fds[1], POLLIN, -1), 1);
	bk_close(&fds[1]);
	assert_int_equal(bk_fd_wait(1000000, POLLIN, 1000), -EBADF);
}

static void test_fix_stdio(void **state)
{
	struct stat null;
	int status;

	(void)state;
	assert_int_equal(stat("/dev/null", &null), 0);
	for (int closed = 0; closed < 8; closed++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct stat st[3];

			for (int i = 0; i < 3; i++)
				if (closed & 1 << i)
					(void)close(i);
			if (bk_fd_fix_stdio() != 0)
				_exit(1);
			for (int i = 0; i < 3; i++) {
				if (fstat(i, &st[i]) < 0 || fcntl(i, F_GETFD) != 0)
					_exit(2);
				if (closed & 1 << i && st[i].st_rdev != null.st_rdev)
					_exit(3);
			}
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

/* A peer that does not accept, and whose queue is full. */
static void test_unix_connect_within(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char path[] = "/tmp/bk-fd-sock-XXXXXX"; /* machine-path-ok */
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fds[3] = { -1, -1, -1 };
	struct bk_err *err = NULL;
	int rc = 0, n = 0;

	(void)state;
	assert_int_equal(close(mkstemp(path)), 0);
	assert_int_equal(unlink(path), 0);
	memcpy(addr.sun_path, path, sizeof(path));
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 0), 0);
	while (rc == 0 && n < 3)
		rc = bk_fd_unix_connect_within(path, 100, &fds[n++], &err);
	assert_true(n > 1);
	assert_err(rc, &err, BK_ERR_IO, "timed out");
	for (int i = 0; i < n; i++)
		bk_close(&fds[i]);
	bk_close(&listener);
	assert_int_equal(unlink(path), 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_whole), cmocka_unit_test(test_read_buf),
	     cmocka_unit_test(test_send), cmocka_unit_test(test_send_too_many),
	     cmocka_unit_test(test_ranges), cmocka_unit_test(test_unix_connect),
	     cmocka_unit_test(test_unix_connect_within), cmocka_unit_test(test_wait),
	     cmocka_unit_test(test_fix_stdio))
