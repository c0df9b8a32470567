/* SPDX-License-Identifier: Apache-2.0 */
/* As an ordinary user can: what needs root is in tests/cli/runc_mount_opts.bats. */
#include "root_fixture.h"

#include "mount/mount_copyup.h"

static int open_dir(const struct fixture *f, const char *name)
{
	int fd;

	(void)mkdirat(f->host, name, 0755);
	fd = openat(f->host, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void copy(int from, int to)
{
	struct bk_err *err = NULL;

	assert_ok(mount_copyup(from, to, &err), &err);
}

static void test_tree(void **state)
{
	struct fixture *f = *state;
	bk_autoclose int from = open_dir(f, "root");
	bk_autoclose int to = open_dir(f, "copy");
	struct stat a, b;

	assert_int_equal(mkdirat(from, "d", 0750), 0);
	put_file(from, "d/f", "text\n");
	put_file(from, "empty", "");
	assert_int_equal(linkat(from, "d/f", from, "same", 0), 0);
	assert_int_equal(symlinkat("../outside/canary", from, "out"), 0);
	assert_int_equal(fchmodat(from, "d/f", 0640, 0), 0);
	copy(from, to);
	assert_content(to, "d/f", "text\n");
	assert_content(to, "empty", "");
	assert_int_equal(fstatat(to, "d", &a, 0), 0);
	assert_int_equal(a.st_mode & 07777, 0750);
	assert_int_equal(fstatat(to, "d/f", &a, 0), 0);
	assert_int_equal(fstatat(to, "same", &b, 0), 0);
	assert_true(a.st_ino == b.st_ino && a.st_nlink == 2);
	assert_int_equal(a.st_mode & 07777, 0640);
	/* the link is a link, and the original another file */
	assert_int_equal(fstatat(to, "out", &a, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(a.st_mode));
	assert_int_equal(fstatat(from, "same", &a, 0), 0);
	assert_true(a.st_ino != b.st_ino);
	assert_true(a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
}

static void test_holes(void **state)
{
	struct fixture *f = *state;
	bk_autoclose int from = open_dir(f, "root");
	bk_autoclose int to = open_dir(f, "copy");
	bk_autoclose int fd = openat(from, "hole", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char text[8] = "";
	struct stat st;

	assert_int_equal(pwrite(fd, "middle", 6, 4 << 20), 6);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	copy(from, to);
	bk_close(&fd);
	fd = openat(to, "hole", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 8 << 20);
	assert_true(st.st_blocks < 1024);
	assert_int_equal(pread(fd, text, 6, 4 << 20), 6);
	assert_string_equal(text, "middle");
}

static void test_errors(void **state)
{
	struct fixture *f = *state;
	bk_autoclose int from = open_dir(f, "root");
	bk_autoclose int to = open_dir(f, "copy");
	bk_autoclose int deep = dup(from);
	struct bk_err *err = NULL;

	/* the names are free: nobody else was there */
	assert_int_equal(mkdirat(from, "d", 0755), 0);
	put_file(from, "d/f", "x");
	assert_int_equal(mkdirat(to, "d", 0755), 0);
	assert_err(mount_copyup(from, to, &err), &err, BK_ERR_IO, "copy 'd': make");
	assert_int_equal(unlinkat(to, "d", AT_REMOVEDIR), 0);
	for (int i = 0; i < MOUNT_COPYUP_DEPTH_MAX; i++) {
		int next;

		assert_int_equal(mkdirat(deep, "n", 0755), 0);
		next = openat(deep, "n", O_PATH | O_CLOEXEC);
		bk_close(&deep);
		deep = next;
	}
	assert_err(mount_copyup(from, to, &err), &err, BK_ERR_CONFIG, "directories deep");
}

BK_TEST_MAIN(FIXTURE_TEST(test_tree), FIXTURE_TEST(test_holes), FIXTURE_TEST(test_errors))
