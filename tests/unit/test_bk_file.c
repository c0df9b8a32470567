/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"

static char dir[32];
static int dirfd_;

static int setup(void **state)
{
	(void)state;
	(void)umask(022);
	memcpy(dir, "/tmp/bk-file-XXXXXX", 20);
	assert_non_null(mkdtemp(dir));
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dirfd_ >= 0);
	return 0;
}

static int teardown(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	bk_close(&dirfd_);
	assert_ok(bk_file_rmtree(AT_FDCWD, dir, &err), &err);
	assert_int_equal(access(dir, F_OK), -1);
	return 0;
}

static int entries(void)
{
	bk_autoclosedir DIR *d = opendir(dir);
	int n = -2;

	while (d && readdir(d))
		n++;
	return n;
}

static void put(const char *path, const char *text, bool sync)
{
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(dirfd_, path, text, strlen(text), 0644, sync, &err), &err);
}

static void test_write_read(void **state)
{
	struct bk_err *err = NULL;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(8);
	char name[256] = "", abs[64];
	struct stat st;

	(void)state;
	put("a", "one", true);
	put("a", "two", false);
	assert_ok(bk_file_read(dirfd_, "a", &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), "two");
	assert_int_equal(fstatat(dirfd_, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	/* A name of the greatest length, and an absolute path. */
	memset(name, 'n', 255);
	put(name, "x", false);
	(void)snprintf(abs, sizeof(abs), "%s/sub", dir);
	assert_int_equal(mkdir(abs, 0755), 0);
	(void)snprintf(abs, sizeof(abs), "%s/sub/b", dir);
	put(abs, "x", true);
	put("sub/c", "123456789", true);
	assert_int_equal(entries(), 3);
	bk_buf_reset(&b);
	assert_err(bk_file_read(dirfd_, "sub/c", &b, &err), &err, BK_ERR_CONFIG, "larger than 8");
	assert_err(bk_file_read(dirfd_, "none", &b, &err), &err, BK_ERR_NOT_FOUND, "open 'none'");
	assert_err(bk_file_read(dirfd_, "sub", &b, &err), &err, BK_ERR_IO, "directory");
}

/* A failure leaves the old content and nothing beside it. */
static void test_write_fails(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_int_equal(mkdirat(dirfd_, "d", 0755), 0);
	assert_err(bk_file_write_atomic(dirfd_, "d", "x", 1, 0644, false, &err), &err, BK_ERR_IO,
		   "write 'd'");
	assert_err(bk_file_write_atomic(dirfd_, "none/x", "x", 1, 0644, false, &err), &err,
		   BK_ERR_NOT_FOUND, "none/x");
	assert_int_equal(entries(), 1);
}

/* A writer that is killed at any moment, and a reader: the old content or the new, never a part. */
static void test_write_killed(void **state)
{
	const size_t len = 1 << 16;
	bk_autofree char *data = bk_malloc(len);

	(void)state;
	memset(data, 'a', len);
	for (int i = 0; i < 50; i++) {
		bk_autobuf struct bk_buf b = BK_BUF_INIT(1 << 20);
		struct bk_err *err = NULL;
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			for (int j = 0;; j++) {
				memset(data, 'a' + j % 26, len);
				(void)bk_file_write_atomic(dirfd_, "f", data, len, 0644, false,
							   NULL);
			}
		}
		(void)usleep(200 * (useconds_t)i);
		if (faccessat(dirfd_, "f", F_OK, 0) == 0) {
			assert_ok(bk_file_read(dirfd_, "f", &b, &err), &err);
			assert_int_equal(b.len, len);
			for (size_t j = 1; j < len; j++)
				assert_int_equal(b.data[j], b.data[0]);
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
}

static void test_put(void **state)
{
	struct bk_err *err = NULL;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(100);

	(void)state;
	put("f", "12345", false);
	assert_ok(bk_file_put(dirfd_, "f", "ab", &err), &err);
	assert_ok(bk_file_read(dirfd_, "f", &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), "ab345");
	assert_err(bk_file_put(dirfd_, "none", "x", &err), &err, BK_ERR_NOT_FOUND, "open 'none'");
	assert_int_equal(faccessat(dirfd_, "none", F_OK, 0), -1);
	/* What is wanted is in the message, without its newline. */
	assert_err(bk_file_put(AT_FDCWD, "/dev/full", "12\n", &err), &err, BK_ERR_IO,
		   "write '12' to '/dev/full': No space");
}

static void test_mkdirs(void **state)
{
	struct bk_err *err = NULL;
	char path[64], file[64];
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a//b/./c/", dir);
	assert_ok(bk_file_mkdirs(path, 0711, &err), &err);
	assert_ok(bk_file_mkdirs(path, 0755, &err), &err);
	assert_int_equal(fstatat(dirfd_, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_ok(bk_file_mkdirs("/", 0755, &err), &err);
	assert_err(bk_file_mkdirs("", 0755, &err), &err, BK_ERR_NOT_FOUND, "''");
	put("file", "x", false);
	(void)snprintf(file, sizeof(file), "%s/file", dir);
	assert_err(bk_file_mkdirs(file, 0755, &err), &err, BK_ERR_IO, "Not a directory");
	(void)snprintf(file, sizeof(file), "%s/file/x/y", dir);
	assert_err(bk_file_mkdirs(file, 0755, &err), &err, BK_ERR_IO, "Not a directory");
	assert_int_equal(chdir(dir), 0);
	assert_ok(bk_file_mkdirs("rel/x", 0755, &err), &err);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(faccessat(dirfd_, "rel/x", F_OK, 0), 0);
}

static void test_rmtree(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(bk_file_rmtree(dirfd_, "none", &err), &err);
	assert_ok(bk_file_rmtree(dirfd_, "none/at/all", &err), &err);
	assert_int_equal(mkdirat(dirfd_, "keep", 0755), 0);
	put("keep/file", "x", false);
	assert_int_equal(mkdirat(dirfd_, "d", 0755), 0);
	assert_int_equal(mkdirat(dirfd_, "d/e", 0755), 0);
	assert_int_equal(symlinkat("../keep", dirfd_, "d/l"), 0);
	assert_ok(bk_file_rmtree(dirfd_, "d//", &err), &err);
	assert_int_equal(faccessat(dirfd_, "d", F_OK, 0), -1);
	assert_int_equal(faccessat(dirfd_, "keep/file", F_OK, 0), 0);
	assert_err(bk_file_rmtree(dirfd_, "keep/..", &err), &err, BK_ERR_IO, "single name");
	assert_err(bk_file_rmtree(dirfd_, ".", &err), &err, BK_ERR_IO, "single name");
	assert_err(bk_file_rmtree(dirfd_, "", &err), &err, BK_ERR_IO, "single name");
	assert_err(bk_file_rmtree(AT_FDCWD, "/", &err), &err, BK_ERR_IO, "single name");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

BK_TEST_MAIN(T(test_write_read), T(test_write_fails), T(test_write_killed), T(test_put),
	     T(test_mkdirs), T(test_rmtree))
