/* SPDX-License-Identifier: Apache-2.0 */
/* What an untrusted tree can try against bk_root: each test is one kind of attack. */
#include "root_fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define RACE_ROUNDS 400

/* Opens for reading and expects a failure with this errno. */
static void refused(const struct fixture *f, const char *path, int errnum)
{
	struct bk_err *err = NULL;
	int fd = -1;

	assert_true(bk_root_openat(&f->r, path, O_RDONLY, 0, &fd, &err) < 0);
	assert_int_equal(fd, -1);
	assert_int_equal(bk_err_errno(err), errnum);
	bk_err_clear(&err);
}

static void opens(const struct fixture *f, const char *path, const char *what)
{
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;

	assert_ok(bk_root_openat(&f->r, path, O_PATH, 0, &fd, &err), &err);
	assert_fd_is(f, fd, what);
}

static void test_open(void **state)
{
	struct fixture *f = *state;
	struct bk_root none = BK_ROOT_INIT;
	struct bk_err *err = NULL;
	int fd = -1;

	put_file(f->host, "root/file", "x");
	assert_err(bk_root_open(&none, "/nowhere/at/all", &err), &err, BK_ERR_NOT_FOUND,
		   "/nowhere");
	assert_int_equal(none.fd, -1);
	assert_ok(bk_root_probe(&err), &err);
	assert_err(bk_root_openat(&f->r, "nothing", O_RDONLY, 0, &fd, &err), &err, BK_ERR_NOT_FOUND,
		   "open 'nothing': No such file");
	opens(f, "file", "root/file");
	opens(f, "/file", "root/file");
	opens(f, "//./file", "root/file");
	/* A mode without O_CREAT is no error, as in open(2). */
	assert_ok(bk_root_openat(&f->r, "file", O_RDONLY, 0644, &fd, &err), &err);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	bk_close(&fd);
	assert_ok(bk_root_openat(&f->r, "new", O_CREAT | O_WRONLY | O_EXCL, S_IFREG | 0640, &fd,
				 &err),
		  &err);
	bk_close(&fd);
	assert_true(exists(f, "root/new"));
}

static void test_dotdot(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->host, "root/a", 0755), 0);
	opens(f, "..", "root");
	opens(f, "/", "root");
	opens(f, "a/../../../..", "root");
	refused(f, "../outside/canary", ENOENT);
	refused(f, "/../outside/canary", ENOENT);
	refused(f, "a/../../outside/canary", ENOENT);
	refused(f, "/../../../../../../../../../../etc/passwd", ENOENT);
}

static void test_absolute_link(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->host, "root/etc", 0755), 0);
	put_file(f->host, "root/etc/passwd", "inside\n");
	link_at(f, f->outside, "root/abs");
	link_at(f, "/etc/passwd", "root/pw");
	link_at(f, "/etc", "root/e");
	link_at(f, "/", "root/slash");
	refused(f, "abs", ENOENT);
	refused(f, "abs/canary", ENOENT);
	opens(f, "pw", "root/etc/passwd");
	opens(f, "e/passwd", "root/etc/passwd");
	opens(f, "slash", "root");
	opens(f, "slash/../slash/etc/../../slash/e/passwd", "root/etc/passwd");
}

static void test_relative_link(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->host, "root/d", 0755), 0);
	link_at(f, "../../outside", "root/d/rel");
	link_at(f, "../outside/canary", "root/rel");
	link_at(f, "../../../../../../../../../../etc/passwd", "root/d/far");
	link_at(f, "rel", "root/d/via");
	refused(f, "d/rel", ENOENT);
	refused(f, "d/rel/canary", ENOENT);
	refused(f, "d/via/canary", ENOENT);
	refused(f, "rel", ENOENT);
	refused(f, "d/far", ENOENT);
}

static void test_no_links(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;

	assert_int_equal(mkdirat(f->host, "root/d", 0755), 0);
	put_file(f->host, "root/d/file", "x");
	link_at(f, "d", "root/l");
	link_at(f, "file", "root/d/l");
	assert_true(bk_root_openat_nolinks(&f->r, "l/file", O_RDONLY, 0, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ELOOP);
	bk_err_clear(&err);
	assert_true(bk_root_openat_nolinks(&f->r, "d/l", O_RDONLY, 0, &fd, &err) < 0);
	bk_err_clear(&err);
	/* The last component is not followed under O_NOFOLLOW; the middle is. */
	assert_true(bk_root_openat(&f->r, "d/l", O_RDONLY | O_NOFOLLOW, 0, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ELOOP);
	bk_err_clear(&err);
	assert_ok(bk_root_openat(&f->r, "l/file", O_RDONLY | O_NOFOLLOW, 0, &fd, &err), &err);
	bk_close(&fd);
	assert_ok(bk_root_openat_nolinks(&f->r, "d/file", O_RDONLY, 0, &fd, &err), &err);
}

static void test_loops(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	int fd = -1;
	char from[32], to[32];

	link_at(f, "self", "root/self");
	link_at(f, "/b", "root/a");
	link_at(f, "a", "root/b");
	link_at(f, "d/../into", "root/into");
	refused(f, "self", ELOOP);
	refused(f, "a", ELOOP);
	refused(f, "b/x", ELOOP);
	assert_int_equal(mkdirat(f->host, "root/d", 0755), 0);
	refused(f, "into", ELOOP);
	/* A chain that ends, but is longer than what the kernel follows. */
	for (int i = 0; i < 60; i++) {
		(void)snprintf(from, sizeof(from), "root/c%d", i);
		(void)snprintf(to, sizeof(to), "c%d", i + 1);
		link_at(f, to, from);
	}
	refused(f, "c0", ELOOP);
	assert_true(bk_root_mkdirs(&f->r, "a/x", 0755, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ELOOP);
	bk_err_clear(&err);
	assert_true(bk_root_mkfile(&f->r, "self", 0644, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ELOOP);
	bk_err_clear(&err);
	assert_int_equal(fd, -1);
}

/* A tree with a procfs in it: here the host's, which has one. */
static void test_magic_links(void **state)
{
	struct fixture *f = *state;
	bk_autoroot struct bk_root slash = BK_ROOT_INIT;
	struct bk_err *err = NULL;
	char path[600];
	int fd = -1;
	const char *magic[] = { "/proc/self/root",
				"/proc/self/root/etc",
				"/proc/self/cwd",
				"proc/self/exe",
				"/proc/thread-self/root",
				"/proc/self/ns/mnt",
				path,
				path + 300 };

	(void)snprintf(path, 300, "/proc/self/fd/%d", f->host);
	(void)snprintf(path + 300, 300, "%s/root/l/etc", f->base);
	link_at(f, "/proc/self/root", "root/l");
	assert_ok(bk_root_open(&slash, "/", &err), &err);
	for (size_t i = 0; i < BK_ARRAY_SIZE(magic); i++) {
		assert_true(bk_root_openat(&slash, magic[i], O_PATH, 0, &fd, &err) < 0);
		assert_int_equal(bk_err_errno(err), ELOOP);
		bk_err_clear(&err);
	}
	/* /proc/self itself is an ordinary link. */
	assert_ok(bk_root_openat(&slash, "/proc/self/status", O_PATH, 0, &fd, &err), &err);
	bk_close(&fd);
	assert_true(bk_root_mkdirs(&slash, path + 300, 0755, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ELOOP);
	bk_err_clear(&err);
}

static void test_too_long(void **state)
{
	struct fixture *f = *state;
	bk_autofree char *path = bk_calloc(1, 3 * BK_ROOT_PATH_MAX);
	bk_autofree char *name = NULL;
	bk_autoclose int fd = -1;
	struct bk_err *err = NULL;

	for (size_t i = 0; i < BK_ROOT_PATH_MAX; i++)
		memcpy(path + 2 * i, "a/", 2);
	refused(f, path, ENAMETOOLONG);
	assert_true(bk_root_mkdirs(&f->r, path, 0755, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ENAMETOOLONG);
	bk_err_clear(&err);
	path[2 * BK_ROOT_PATH_MAX - 1] = '\0';
	assert_true(bk_root_parent(&f->r, path, true, &fd, &name, &err) < 0);
	bk_err_clear(&err);
	/* Fits as a text, but is deeper than what is made. */
	path[2 * (BK_ROOT_DEPTH_MAX + 1)] = '\0';
	assert_true(bk_root_mkdirs(&f->r, path, 0755, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ENAMETOOLONG);
	bk_err_clear(&err);
	path[2 * BK_ROOT_DEPTH_MAX] = '\0';
	assert_false(exists(f, "root/a"));
	assert_ok(bk_root_mkdirs(&f->r, path, 0755, &fd, &err), &err);
}

static void unreadable(const struct fixture *f, const char *path, int errnum)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(16);
	struct bk_err *err = NULL;

	assert_true(bk_root_read(&f->r, path, &b, &err) < 0);
	assert_int_equal(bk_err_errno(err), errnum);
	bk_err_clear(&err);
}

static void test_read(void **state)
{
	struct fixture *f = *state;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(16);
	bk_autoroot struct bk_root dev = BK_ROOT_INIT;
	struct bk_err *err = NULL;

	put_file(f->host, "root/file", "sixteen bytes 16");
	put_file(f->host, "root/big", "seventeen bytes17");
	assert_int_equal(mkdirat(f->host, "root/dir", 0755), 0);
	assert_int_equal(mkfifoat(f->host, "root/fifo", 0644), 0);
	link_at(f, "/fifo", "root/to-fifo");
	link_at(f, "/file", "root/to-file");
	link_at(f, "../outside/canary", "root/out");

	/* A FIFO has no writer here: a read that opens it never returns. */
	(void)alarm(20);
	unreadable(f, "fifo", EINVAL);
	unreadable(f, "to-fifo", EINVAL);
	(void)alarm(0);
	unreadable(f, "dir", EISDIR);
	unreadable(f, "nothing", ENOENT);
	unreadable(f, "out", ENOENT);
	assert_err(bk_root_read(&f->r, "big", &b, &err), &err, BK_ERR_CONFIG,
		   "larger than 16 bytes");
	bk_buf_reset(&b);
	assert_ok(bk_root_read(&f->r, "to-file", &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), "sixteen bytes 16");
	assert_ok(bk_root_open(&dev, "/dev", &err), &err);
	assert_err(bk_root_read(&dev, "zero", &b, &err), &err, BK_ERR_IO, "not a regular file");
	assert_err(bk_root_read(&dev, "tty", &b, &err), &err, BK_ERR_IO, "not a regular file");
}

static void test_link(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	struct stat st;

	put_file(f->host, "root/file", "x");
	link_at(f, "../outside/canary", "root/out");
	link_at(f, f->outside, "root/dir");
	assert_ok(bk_root_link(&f->r, "file", "sub/hard", &err), &err);
	assert_int_equal(fstatat(f->host, "root/sub/hard", &st, 0), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_err(bk_root_link(&f->r, "file", "sub/hard", &err), &err, BK_ERR_IO, "File exists");
	/* Of a link, the link gets the second name, not what it points to. */
	assert_ok(bk_root_link(&f->r, "out", "hard-out", &err), &err);
	assert_int_equal(fstatat(f->host, "root/hard-out", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_err(bk_root_link(&f->r, "../outside/canary", "h", &err), &err, BK_ERR_NOT_FOUND,
		   "'h'");
	assert_err(bk_root_link(&f->r, "dir/canary", "h", &err), &err, BK_ERR_NOT_FOUND, "'h'");
	assert_ok(bk_root_link(&f->r, "file", "../outside/h", &err), &err);
	assert_true(exists(f, "root/outside/h"));
	assert_int_equal(fstatat(f->host, "outside/canary", &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
}

static void test_lstat_unlink(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	struct stat st = { 0 };

	assert_int_equal(mkdirat(f->host, "root/d", 0755), 0);
	put_file(f->host, "root/d/file", "x");
	link_at(f, "d/file", "root/l");
	link_at(f, "../../outside/canary", "root/d/out");
	assert_ok(bk_root_lstat(&f->r, "/l", &st, &err), &err);
	assert_true(S_ISLNK(st.st_mode));
	assert_ok(bk_root_lstat(&f->r, "d/out", &st, &err), &err);
	assert_true(S_ISLNK(st.st_mode));
	assert_ok(bk_root_lstat(&f->r, "d/../d/file", &st, &err), &err);
	assert_true(S_ISREG(st.st_mode));
	assert_ok(bk_root_lstat(&f->r, "..", &st, &err), &err);
	assert_true(S_ISDIR(st.st_mode));
	assert_err(bk_root_lstat(&f->r, "../outside", &st, &err), &err, BK_ERR_NOT_FOUND,
		   "outside");
	assert_ok(bk_root_unlink(&f->r, "d/out", false, &err), &err);
	assert_ok(bk_root_unlink(&f->r, "l", false, &err), &err);
	assert_true(exists(f, "root/d/file"));
	assert_err(bk_root_unlink(&f->r, "d", true, &err), &err, BK_ERR_IO, "not empty");
	assert_err(bk_root_unlink(&f->r, "../outside/canary", false, &err), &err, BK_ERR_NOT_FOUND,
		   "");
	assert_ok(bk_root_unlink(&f->r, "d/file", false, &err), &err);
	assert_ok(bk_root_unlink(&f->r, "d", true, &err), &err);
}

/* ---- a component swapped between two calls ---------------------------------------------------- */

/*
 * Until it is killed: swaps root/x/d, a directory, with root/x/l, a link that leads out, and another
 * one that leads out by an absolute path with root/x/e.
 */
static void swapper(const struct fixture *f)
{
	bk_autoclose int x = openat(f->host, "root/x", O_PATH | O_CLOEXEC);

	for (;;) {
		(void)renameat2(x, "d", x, "l", RENAME_EXCHANGE);
		(void)renameat2(x, "e", x, "m", RENAME_EXCHANGE);
	}
}

static void race_round(const struct fixture *f, const char *dir, int i)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(100);
	char path[64], other[64];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "x/%s/n%d/m", dir, i % 50);
	if (bk_root_mkdirs(&f->r, path, 0755, &fd, NULL) == 0)
		bk_close(&fd);
	(void)snprintf(path, sizeof(path), "x/%s/f%d", dir, i % 50);
	if (bk_root_mkfile(&f->r, path, 0644, &fd, NULL) == 0)
		bk_close(&fd);
	(void)snprintf(path, sizeof(path), "x/%s/p%d", dir, i % 50);
	(void)bk_root_mknod(&f->r, path, S_IFIFO | 0644, 0, NULL);
	(void)snprintf(other, sizeof(other), "x/%s/h%d", dir, i % 50);
	(void)bk_root_link(&f->r, path, other, NULL);
	(void)snprintf(path, sizeof(path), "x/%s/s%d", dir, i % 50);
	(void)bk_root_symlink(&f->r, "/", path, NULL);
	(void)snprintf(path, sizeof(path), "x/%s/canary", dir);
	if (bk_root_openat(&f->r, path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd, NULL) == 0) {
		assert_int_equal(bk_fd_write_all(fd, "red", 3), 0);
		bk_close(&fd);
	}
	if (bk_root_read(&f->r, path, &b, NULL) == 0)
		assert_string_not_equal(bk_buf_str(&b), CANARY);
	(void)bk_root_unlink(&f->r, path, false, NULL);
	if (i % 10 == 0) {
		(void)snprintf(path, sizeof(path), "x/%s", dir);
		(void)bk_root_rmtree(&f->r, path, NULL);
		(void)mkdirat(f->r.fd, path, 0755);
	}
}

static pid_t start_swapper(const struct fixture *f, void (*swap)(const struct fixture *f))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		swap(f);
	}
	return pid;
}

static void stop_swapper(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void test_race(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	assert_int_equal(mkdirat(f->host, "root/x", 0755), 0);
	assert_int_equal(mkdirat(f->host, "root/x/d", 0755), 0);
	assert_int_equal(mkdirat(f->host, "root/x/e", 0755), 0);
	link_at(f, "../../outside", "root/x/l");
	link_at(f, f->outside, "root/x/m");
	pid = start_swapper(f, swapper);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		race_round(f, "d", i);
		race_round(f, "e", i);
		assert_outside_untouched(f);
	}
	stop_swapper(pid);
}

/*
 * Until it is killed: waits for somebody to make root/x/t, puts a link that leads out in its place,
 * and cleans up.
 */
static void swapper_of_new(const struct fixture *f)
{
	bk_autoclose int x = openat(f->host, "root/x", O_PATH | O_CLOEXEC);

	for (;;) {
		while (renameat2(x, "t", x, "k", RENAME_EXCHANGE) < 0)
			;
		for (volatile int i = 0; i < 2000; i++)
			;
		(void)renameat2(x, "t", x, "k", RENAME_EXCHANGE);
		(void)unlinkat(x, "t/u", AT_REMOVEDIR);
		(void)unlinkat(x, "t/u", 0);
		(void)unlinkat(x, "t", AT_REMOVEDIR);
	}
}

static void test_race_new(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	assert_int_equal(mkdirat(f->host, "root/x", 0755), 0);
	link_at(f, "../../outside", "root/x/k");
	pid = start_swapper(f, swapper_of_new);
	for (int i = 0; i < RACE_ROUNDS * 10; i++) {
		int fd = -1;

		if ((i % 2 ? bk_root_mkdirs(&f->r, "x/t/u", 0755, &fd, NULL)
			   : bk_root_mkfile(&f->r, "x/t/u", 0644, &fd, NULL)) == 0)
			bk_close(&fd);
		if (i % 100 == 0)
			assert_outside_untouched(f);
	}
	stop_swapper(pid);
}

/* ---- a kernel or sandbox that refuses openat2 -------------------------------------------------- */

static void refuse_openat2(unsigned int errnum)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = BK_ARRAY_SIZE(code), .filter = code };

	CHILD_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHILD_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

static void check_unsupported(const struct fixture *f)
{
	struct bk_err *err = NULL;
	char text[500];
	int fd = -1;

	CHILD_CHECK(bk_root_probe(&err) == -BK_ERR_UNSUPPORTED);
	CHILD_CHECK(strstr(bk_err_print(err, text, sizeof(text)), "openat2"));
	bk_err_clear(&err);
	CHILD_CHECK(bk_root_openat(&f->r, "file", O_RDONLY, 0, &fd, &err) == -BK_ERR_UNSUPPORTED);
	CHILD_CHECK(strstr(bk_err_print(err, text, sizeof(text)), "openat2"));
	bk_err_clear(&err);
	CHILD_CHECK(bk_root_mkdirs(&f->r, "a/b", 0755, &fd, &err) == -BK_ERR_UNSUPPORTED);
	bk_err_clear(&err);
}

static void child_enosys(const struct fixture *f)
{
	refuse_openat2(ENOSYS);
	check_unsupported(f);
}

static void child_eperm(const struct fixture *f)
{
	refuse_openat2(EPERM);
	check_unsupported(f);
}

/* EPERM that means what it says: O_NOATIME on somebody else's file. */
static void child_forbidden(const struct fixture *f)
{
	struct bk_err *err = NULL;
	int fd = -1;

	if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
		_exit(CHILD_SKIP);
	CHILD_CHECK(bk_root_openat(&f->r, "file", O_RDONLY | O_NOATIME, 0, &fd, &err) ==
		    -BK_ERR_PERMISSION);
	bk_err_clear(&err);
}

static void test_refused_openat2(void **state)
{
	struct fixture *f = *state;
	int rc;

	put_file(f->host, "root/file", "x");
	assert_int_equal(in_child(f, child_enosys), 0);
	assert_int_equal(in_child(f, child_eperm), 0);
	rc = in_child(f, child_forbidden);
	assert_true(rc == 0 || rc == CHILD_SKIP);
}

BK_TEST_MAIN(FIXTURE_TEST(test_open), FIXTURE_TEST(test_dotdot), FIXTURE_TEST(test_absolute_link),
	     FIXTURE_TEST(test_relative_link), FIXTURE_TEST(test_no_links),
	     FIXTURE_TEST(test_loops), FIXTURE_TEST(test_magic_links), FIXTURE_TEST(test_too_long),
	     FIXTURE_TEST(test_read), FIXTURE_TEST(test_link), FIXTURE_TEST(test_lstat_unlink),
	     FIXTURE_TEST(test_race), FIXTURE_TEST(test_race_new),
	     FIXTURE_TEST(test_refused_openat2))
