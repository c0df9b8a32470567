/* SPDX-License-Identifier: Apache-2.0 */
/* Making directories, mount points, nodes and links below a root. */
#include "root_fixture.h"

static void made(const struct fixture *f, const char *path, const char *where)
{
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;

	assert_ok(bk_root_mkdirs(&f->r, path, 0755, &fd, &err), &err);
	assert_fd_is(f, fd, where);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_PATH);
}

static void not_made(const struct fixture *f, const char *path, int errnum)
{
	struct bk_err *err = NULL;
	int fd = -1;

	assert_true(bk_root_mkdirs(&f->r, path, 0755, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), errnum);
	assert_int_equal(fd, -1);
	bk_err_clear(&err);
}

static void test_mkdirs(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	struct stat st;
	int fd = -1;

	made(f, "/", "root");
	made(f, "..", "root");
	made(f, "a/b/c", "root/a/b/c");
	made(f, "/a/b/c/", "root/a/b/c");
	made(f, "a//b/./c/.//d//", "root/a/b/c/d");
	/* ".." stops at the root, is physical, and what is left of it is made too (mkdir -p). */
	made(f, "../../outside", "root/outside");
	made(f, "n/../o/../../p", "root/p");
	assert_true(exists(f, "root/n") && exists(f, "root/o"));
	not_made(f, "", ENOENT);
	assert_ok(bk_root_mkdirs(&f->r, "mode/deep", 0711, &fd, &err), &err);
	bk_close(&fd);
	assert_int_equal(fstatat(f->host, "root/mode/deep", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
}

static void test_mkdirs_missing(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	int fd = -1;

	/* what is there by now, as a directory or behind a link, is taken as it is */
	for (int i = 0; i < 2; i++) {
		assert_ok(bk_root_mkdirs_missing(&f->r, "late/sub", 0755, &fd, &err), &err);
		bk_close(&fd);
	}
	assert_int_equal(symlinkat("/late", f->r.fd, "way"), 0);
	assert_ok(bk_root_mkdirs_missing(&f->r, "way", 0755, &fd, &err), &err);
	bk_close(&fd);
	assert_ok(bk_root_mkdirs_missing(&f->r, "way/more", 0755, &fd, &err), &err);
	bk_close(&fd);
	assert_int_equal(faccessat(f->r.fd, "late/more", F_OK, 0), 0);
	assert_ok(bk_root_mkfile(&f->r, "file", 0644, &fd, &err), &err);
	bk_close(&fd);
	assert_true(bk_root_mkdirs_missing(&f->r, "file", 0755, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), ENOTDIR);
	bk_err_clear(&err);
}

static void test_mkdirs_not_a_directory(void **state)
{
	struct fixture *f = *state;

	put_file(f->host, "root/file", "x");
	link_at(f, "/file", "root/l");
	not_made(f, "file", ENOTDIR);
	not_made(f, "file/a/b", ENOTDIR);
	not_made(f, "l", ENOTDIR);
	not_made(f, "l/a", ENOTDIR);
	not_made(f, "a/../file/x", ENOTDIR);
}

static void test_mkdirs_links(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->host, "root/run", 0755), 0);
	assert_int_equal(mkdirat(f->host, "root/var", 0755), 0);
	link_at(f, "/run", "root/var/run");
	link_at(f, "../run/user", "root/var/user");
	link_at(f, "/gone/far", "root/var/gone");
	link_at(f, "gone/further", "root/var/gone2");
	link_at(f, f->outside, "root/var/abs");
	link_at(f, "../../outside", "root/var/rel");
	made(f, "var/run/lock", "root/run/lock");
	/* Dangling links: what they point to, inside the root, is made. */
	made(f, "var/user/0", "root/run/user/0");
	made(f, "var/gone", "root/gone/far");
	made(f, "/var/gone2/x/y", "root/gone/far/further/x/y");
	made(f, "var/run/../var/rel/x", "root/outside/x");
}

static void test_mkdirs_links_out(void **state)
{
	struct fixture *f = *state;
	char where[600];

	link_at(f, f->outside, "root/abs");
	link_at(f, "../outside", "root/rel");
	(void)snprintf(where, sizeof(where), "root%s/x", f->outside);
	made(f, "abs/x", where);
	made(f, "rel/x", "root/outside/x");
	made(f, "rel/canary", "root/outside/canary");
}

static void test_mkfile(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	struct stat st;

	assert_ok(bk_root_mkfile(&f->r, "/etc/hosts", 0600, &fd, &err), &err);
	assert_fd_is(f, fd, "root/etc/hosts");
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	bk_close(&fd);
	/* What is there stays as it is. */
	put_file(f->host, "root/etc/hosts", "content");
	assert_ok(bk_root_mkfile(&f->r, "etc/hosts", 0644, &fd, &err), &err);
	assert_fd_is(f, fd, "root/etc/hosts");
	bk_close(&fd);
	assert_content(f->host, "root/etc/hosts", "content");
	assert_ok(bk_root_mkfile(&f->r, "etc", 0644, &fd, &err), &err);
	assert_fd_is(f, fd, "root/etc");
	bk_close(&fd);
	/* resolv.conf as distributions have it, without what it points to. */
	link_at(f, "../run/systemd/resolve/stub-resolv.conf", "root/etc/resolv.conf");
	assert_ok(bk_root_mkfile(&f->r, "/etc/resolv.conf", 0644, &fd, &err), &err);
	assert_fd_is(f, fd, "root/run/systemd/resolve/stub-resolv.conf");
	bk_close(&fd);
	link_at(f, "../../outside/new", "root/etc/out");
	assert_ok(bk_root_mkfile(&f->r, "/etc/out", 0644, &fd, &err), &err);
	assert_fd_is(f, fd, "root/outside/new");
	bk_close(&fd);
	link_at(f, "newdir/", "root/etc/slash");
	assert_true(bk_root_mkfile(&f->r, "etc/slash", 0644, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), EISDIR);
	bk_err_clear(&err);
	assert_true(bk_root_mkfile(&f->r, "etc/new/", 0644, &fd, &err) < 0);
	assert_int_equal(bk_err_errno(err), EISDIR);
	bk_err_clear(&err);
	assert_int_equal(fd, -1);
}

static void test_mknod(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	struct stat st;

	assert_ok(bk_root_mknod(&f->r, "dev/fifo", S_IFIFO | 0644, 0, &err), &err);
	assert_int_equal(fstatat(f->host, "root/dev/fifo", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_err(bk_root_mknod(&f->r, "dev/fifo", S_IFIFO | 0644, 0, &err), &err, BK_ERR_IO,
		   "make node 'dev/fifo': File exists");
	/* A link in the place of the node is neither followed nor replaced. */
	link_at(f, "../../outside/null", "root/dev/null");
	assert_err(bk_root_mknod(&f->r, "dev/null", S_IFREG | 0644, 0, &err), &err, BK_ERR_IO,
		   "exists");
	assert_err(bk_root_mknod(&f->r, "dev/", S_IFREG | 0644, 0, &err), &err, BK_ERR_IO, "name");
}

static void test_symlink(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	char text[64];
	ssize_t n;

	assert_ok(bk_root_symlink(&f->r, "/proc/self//fd/../", "dev/fd", &err), &err);
	n = readlinkat(f->host, "root/dev/fd", text, sizeof(text));
	assert_int_equal(n, 18);
	assert_memory_equal(text, "/proc/self//fd/../", 18);
	assert_true(bk_root_symlink(&f->r, "x", "dev/fd", &err) < 0);
	assert_int_equal(bk_err_errno(err), EEXIST);
	bk_err_clear(&err);
	assert_ok(bk_root_symlink(&f->r, "x", "../outside/link", &err), &err);
	assert_true(exists(f, "root/outside/link"));
}

static void test_parent(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	const char *bad[] = { "/", "", ".", "..", "a/", "a/.", "a/..", "//" };

	for (size_t i = 0; i < BK_ARRAY_SIZE(bad); i++) {
		bk_autofree char *name = NULL;
		int fd = -1;

		assert_err(bk_root_parent(&f->r, bad[i], true, &fd, &name, &err), &err, BK_ERR_IO,
			   "does not end in a name");
		assert_int_equal(fd, -1);
	}
	for (int i = 0; i < 4; i++) {
		static const char *const good[][3] = { { "n", "root", "n" },
						       { "//n", "root", "n" },
						       { "a/b/n", "root/a/b", "n" },
						       { "a/../../..n", "root", "..n" } };
		bk_autofree char *name = NULL;
		bk_autoclose int fd = -1;

		if (i == 2)
			assert_err(bk_root_parent(&f->r, good[i][0], false, &fd, &name, &err), &err,
				   BK_ERR_NOT_FOUND, "a/b");
		assert_ok(bk_root_parent(&f->r, good[i][0], true, &fd, &name, &err), &err);
		assert_fd_is(f, fd, good[i][1]);
		assert_string_equal(name, good[i][2]);
	}
}

BK_TEST_MAIN(FIXTURE_TEST(test_mkdirs), FIXTURE_TEST(test_mkdirs_missing),
	     FIXTURE_TEST(test_mkdirs_not_a_directory),
	     FIXTURE_TEST(test_mkdirs_links), FIXTURE_TEST(test_mkdirs_links_out),
	     FIXTURE_TEST(test_mkfile), FIXTURE_TEST(test_mknod), FIXTURE_TEST(test_symlink),
	     FIXTURE_TEST(test_parent))
