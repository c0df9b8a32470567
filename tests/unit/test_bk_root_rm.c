/* SPDX-License-Identifier: Apache-2.0 */
/* Removing trees: links, depth, mounts, modes. What is swapped meanwhile: test_bk_root_swap.c. */
#include "root_fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

static void removed(const struct fixture *f, const char *path)
{
	struct bk_err *err = NULL;

	assert_ok(bk_root_rmtree(&f->r, path, &err), &err);
}

static void test_simple(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;

	removed(f, "nothing");
	removed(f, "nothing/at/all");
	put_file(f->host, "root/file", "x");
	removed(f, "file");
	assert_ok(bk_root_mkdirs(&f->r, "d/e/f", 0755, &fd, &err), &err);
	put_file(f->host, "root/d/e/file", "x");
	put_file(f->host, "root/d/.hidden", "x");
	assert_int_equal(mkfifoat(f->host, "root/d/fifo", 0644), 0);
	removed(f, "d/e/f");
	assert_true(exists(f, "root/d/e/file"));
	removed(f, "/d");
	assert_false(exists(f, "root/d"));
	assert_err(bk_root_rmtree(&f->r, "..", &err), &err, BK_ERR_IO, "name");
	assert_err(bk_root_rmtree(&f->r, "/", &err), &err, BK_ERR_IO, "name");
	assert_err(bk_root_rmtree_at(f->r.fd, "../outside", &err), &err, BK_ERR_IO, "single name");
	assert_err(bk_root_rmtree_at(f->r.fd, "..", &err), &err, BK_ERR_IO, "single name");
}

static void test_links(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;

	assert_int_equal(mkdirat(f->host, "root/d", 0755), 0);
	link_at(f, f->outside, "root/d/abs");
	link_at(f, "../../outside", "root/d/rel");
	link_at(f, "../../outside/canary", "root/d/file");
	link_at(f, "../outside", "root/l");
	assert_int_equal(linkat(f->host, "outside/canary", f->host, "root/d/hard", 0), 0);
	removed(f, "d");
	removed(f, "l");
	removed(f, "../outside");
	removed(f, "../outside/canary");
	assert_false(exists(f, "root/d") || exists(f, "root/l"));
	/* On the host side a trailing slash does not make a link followed either. */
	link_at(f, "outside", "l");
	assert_ok(bk_file_rmtree(f->host, "l/", &err), &err);
	assert_false(exists(f, "l"));
}

/* Deeper than descriptors, stack or PATH_MAX would allow if a level cost one of them. */
static void test_deep(void **state)
{
	struct fixture *f = *state;
	bk_autoclose int fd = openat(f->host, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rlimit before, few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = 256, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "deep", 0755), 0);
		assert_int_equal(symlinkat("/", fd, "link"), 0);
		next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		bk_close(&fd);
		fd = next;
	}
	removed(f, "deep");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_false(exists(f, "root/deep"));
}

static void test_empty_dir(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	char name[40];
	struct stat st;

	assert_ok(bk_root_mkdirs(&f->r, "d/sub/sub", 0755, &fd, &err), &err);
	bk_close(&fd);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "root/d/file%d", i);
		put_file(f->host, name, "");
	}
	assert_ok(bk_root_openat(&f->r, "d", O_PATH | O_DIRECTORY, 0, &fd, &err), &err);
	assert_ok(bk_root_empty_dir(fd, &err), &err);
	assert_ok(bk_root_empty_dir(fd, &err), &err);
	assert_ok(bk_root_unlink(&f->r, "d", true, &err), &err);
	assert_int_equal(fstat(fd, &st), 0);
}

/* An own mount namespace, in a user namespace of our own where that is what it takes. */
static void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		_exit(CHILD_SKIP);
	CHILD_CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

/* A bind mount from the same file system: the device number does not give it away. */
static void child_mounts(const struct fixture *f)
{
	struct bk_err *err = NULL;
	struct bk_root r = BK_ROOT_INIT;
	char text[500];

	own_mounts();
	/* By path: the descriptors that f holds belong to the mounts from before. */
	CHILD_CHECK(chdir(f->base) == 0);
	CHILD_CHECK(bk_root_open(&r, "root", &err) == 0);
	CHILD_CHECK(mount("outside", "root/d/mnt", NULL, MS_BIND, NULL) == 0);
	CHILD_CHECK(mount("outside/canary", "root/e/file", NULL, MS_BIND, NULL) == 0);
	CHILD_CHECK(bk_root_rmtree(&r, "d", &err) == -BK_ERR_IO);
	CHILD_CHECK(bk_err_errno(err) == EBUSY);
	CHILD_CHECK(strstr(bk_err_print(err, text, sizeof(text)), "'mnt': a mount is in the way"));
	bk_err_clear(&err);
	CHILD_CHECK(bk_root_rmtree(&r, "d/mnt", &err) == -BK_ERR_IO);
	bk_err_clear(&err);
	CHILD_CHECK(bk_root_rmtree(&r, "e", &err) == -BK_ERR_IO);
	bk_err_clear(&err);
	CHILD_CHECK(access("root/d/mnt/canary", F_OK) == 0);
	CHILD_CHECK(umount2("root/e/file", MNT_DETACH) == 0);
	CHILD_CHECK(umount2("root/d/mnt", MNT_DETACH) == 0);
}

static void test_mounts(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	int fd = -1;
	int rc;

	assert_ok(bk_root_mkdirs(&f->r, "d/mnt", 0755, &fd, &err), &err);
	bk_close(&fd);
	assert_ok(bk_root_mkfile(&f->r, "e/file", 0644, &fd, &err), &err);
	bk_close(&fd);
	rc = in_child(f, child_mounts);
	if (rc == CHILD_SKIP)
		skip_because("unshare(CLONE_NEWNS) is refused, with a user namespace too");
	assert_int_equal(rc, 0);
	removed(f, "d");
	removed(f, "e");
}

/*
 * The tree's descriptor is from another mount namespace, as that of a container is: rmdir(2) does
 * not see the mount point there, and only the way in is left to be closed.
 */
static void child_other_mounts(const struct fixture *f)
{
	bk_autoclose int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	bk_autoclose int away = -1;
	struct bk_root r = BK_ROOT_INIT;
	struct bk_err *err = NULL;

	own_mounts();
	away = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC); /* keeps it */
	CHILD_CHECK(away >= 0);
	CHILD_CHECK(chdir(f->base) == 0);
	CHILD_CHECK(mount("outside", "root/d/mnt", NULL, MS_BIND, NULL) == 0);
	CHILD_CHECK(bk_root_open(&r, "root", &err) == 0);
	if (setns(home, CLONE_NEWNS) < 0)
		_exit(CHILD_SKIP);
	CHILD_CHECK(bk_root_rmtree(&r, "d", &err) == -BK_ERR_IO);
	CHILD_CHECK(bk_err_errno(err) == EBUSY);
	bk_err_clear(&err);
	bk_root_done(&r);
}

static void test_other_mounts(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;
	int fd = -1;
	int rc;

	assert_ok(bk_root_mkdirs(&f->r, "d/mnt/not-empty", 0755, &fd, &err), &err);
	bk_close(&fd);
	rc = in_child(f, child_other_mounts);
	if (rc == CHILD_SKIP)
		skip_because("unshare(CLONE_NEWNS) or setns back is refused");
	assert_int_equal(rc, 0);
	removed(f, "d");
}

/* Without privilege: directories that their owner may not write into, read or search. */
static void child_modes(const struct fixture *f)
{
	struct bk_err *err = NULL;

	if (geteuid() == 0 &&
	    (fchownat(f->host, "root", 65534, 65534, 0) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	     setresuid(65534, 65534, 65534) < 0))
		_exit(CHILD_SKIP);
	CHILD_CHECK(fchdir(f->host) == 0);
	CHILD_CHECK(mkdir("root/d", 0755) == 0);
	CHILD_CHECK(mkdir("root/d/read-only", 0755) == 0);
	CHILD_CHECK(mknod("root/d/read-only/file", S_IFREG | 0600, 0) == 0);
	CHILD_CHECK(mkdir("root/d/read-only/none", 0755) == 0);
	CHILD_CHECK(mknod("root/d/read-only/none/file", S_IFREG | 0600, 0) == 0);
	CHILD_CHECK(chmod("root/d/read-only/none", 0) == 0);
	CHILD_CHECK(chmod("root/d/read-only", 0555) == 0);
	CHILD_CHECK(chmod("root/d", 0500) == 0);
	CHILD_CHECK(bk_root_rmtree(&f->r, "d", &err) == 0);
	CHILD_CHECK(access("root/d", F_OK) < 0);
	/* Where the tree lies in a directory that we may not write, that one's mode is not touched. */
	CHILD_CHECK(mkdir("root/d", 0755) == 0);
	CHILD_CHECK(chmod("root", 0555) == 0);
	CHILD_CHECK(bk_root_rmtree(&f->r, "d", &err) == -BK_ERR_PERMISSION);
	bk_err_clear(&err);
	CHILD_CHECK(access("root/d", F_OK) == 0);
}

static void test_modes(void **state)
{
	struct fixture *f = *state;
	int rc = in_child(f, child_modes);

	if (rc == CHILD_SKIP)
		skip_because("becoming uid 65534 is refused");
	assert_int_equal(rc, 0);
}

BK_TEST_MAIN(FIXTURE_TEST(test_simple), FIXTURE_TEST(test_links), FIXTURE_TEST(test_deep),
	     FIXTURE_TEST(test_empty_dir), FIXTURE_TEST(test_mounts),
	     FIXTURE_TEST(test_other_mounts), FIXTURE_TEST(test_modes))
