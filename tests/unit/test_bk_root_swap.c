/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every moment for a swap. A child does one thing below the root; it is traced, and at its k-th
 * system call a component of the path is replaced by a link that leads out. This is done for every k
 * until the child ends before it gets there, so that no window between two calls is left to luck.
 */
#include "root_fixture.h"

#include <signal.h>
#include <sys/ptrace.h>

#define CALLS_MAX 400

/* What the tree is before each run: root/x/d/e/f, with something in each. */
static void build(const struct fixture *f, bool full)
{
	struct bk_err *err = NULL;

	assert_ok(bk_root_empty_dir(f->r.fd, &err), &err);
	assert_int_equal(mkdirat(f->host, "root/x", 0755), 0);
	assert_int_equal(mkdirat(f->host, "root/x/d", 0755), 0);
	if (!full)
		return;
	assert_int_equal(mkdirat(f->host, "root/x/d/e", 0755), 0);
	assert_int_equal(mkdirat(f->host, "root/x/d/e/canary", 0755), 0);
	put_file(f->host, "root/x/d/canary", "inside\n");
	put_file(f->host, "root/x/d/e/file", "inside\n");
}

/* ---- what the child does ------------------------------------------------------------------------ */

static void act_mkdirs(const struct fixture *f)
{
	bk_autoclose int fd = -1;

	(void)bk_root_mkdirs(&f->r, "x/d/e/g/../h", 0777, &fd, NULL);
	if (fd >= 0)
		(void)mkdirat(fd, "new", 0777);
}

static void act_mkfile(const struct fixture *f)
{
	bk_autoclose int fd = -1;
	struct stat st;

	(void)bk_root_mkfile(&f->r, "x/d/e/canary", 0666, &fd, NULL);
	if (fd >= 0)
		CHILD_CHECK(fstat(fd, &st) == 0 && st.st_size != (off_t)strlen(CANARY));
}

static void act_nodes(const struct fixture *f)
{
	(void)bk_root_mknod(&f->r, "x/d/e/node", S_IFIFO | 0666, 0, NULL);
	(void)bk_root_symlink(&f->r, "/", "x/d/e/link", NULL);
}

static void act_link(const struct fixture *f)
{
	struct stat st;

	(void)bk_root_link(&f->r, "x/d/canary", "x/d/e/hard", NULL);
	if (bk_root_lstat(&f->r, "x/d/canary", &st, NULL) == 0 && S_ISREG(st.st_mode))
		CHILD_CHECK(st.st_size != (off_t)strlen(CANARY));
}

static void act_read(const struct fixture *f)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(100);

	if (bk_root_read(&f->r, "x/d/canary", &b, NULL) == 0)
		CHILD_CHECK(strcmp(bk_buf_str(&b), "inside\n") == 0);
}

static void act_write(const struct fixture *f)
{
	bk_autoclose int fd = -1;

	(void)bk_root_openat(&f->r, "x/d/canary", O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd, NULL);
	if (fd >= 0)
		(void)bk_fd_write_all(fd, "red", 3);
}

static void act_unlink(const struct fixture *f)
{
	(void)bk_root_unlink(&f->r, "x/d/canary", false, NULL);
	(void)bk_root_unlink(&f->r, "x/d/e/canary", true, NULL);
}

static void act_rmtree(const struct fixture *f)
{
	(void)bk_root_rmtree(&f->r, "x/d", NULL);
}

/* ---- how it is swapped -------------------------------------------------------------------------- */

struct swap {
	const char *victim; /* below base; a link to `target` takes its place */
	const char *target; /* below base */
};

static void swap_now(const struct fixture *f, const struct swap *s)
{
	bk_autobuf struct bk_buf target = BK_BUF_INIT(BK_BUF_SMALL);

	(void)renameat(f->host, s->victim, f->host, "root/away");
	/* Relative: RESOLVE_NO_XDEV alone would stop an absolute one. */
	for (const char *p = strchr(s->victim, '/'); p; p = strchr(p + 1, '/'))
		(void)bk_buf_adds(&target, "../");
	(void)bk_buf_adds(&target, s->target);
	if (symlinkat(bk_buf_str(&target), f->host, s->victim) < 0)
		assert_true(errno == EEXIST || errno == ENOENT); /* its place is not made yet */
}

/* Runs act and swaps at its k-th call; false if it ended before. */
static bool run_swapped(const struct fixture *f, void (*act)(const struct fixture *f),
			const struct swap *s, int k)
{
	bool swapped = false;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(CHILD_SKIP);
		(void)raise(SIGSTOP);
		act(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIP)
		skip_because("ptrace(PTRACE_TRACEME) is refused here");
	assert_true(WIFSTOPPED(status));
	/* A call stops the child twice, before and behind it: both are moments for a swap. */
	for (int stops = 0; WIFSTOPPED(status); stops++) {
		if (stops == k) {
			swap_now(f, s);
			swapped = true;
		}
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return swapped;
}

static void swap_at_each_call(const struct fixture *f, void (*act)(const struct fixture *f),
			      bool full, const struct swap *swaps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int k;

		for (k = 0; k < CALLS_MAX; k++) {
			build(f, full);
			if (!run_swapped(f, act, &swaps[i], k))
				break;
			assert_outside_untouched(f);
		}
		assert_true(k > 2);
		assert_true(k < CALLS_MAX);
	}
}

static const struct swap dirs[] = {
	{ "root/x", "outside" },
	{ "root/x/d", "outside" },
	{ "root/x/d/e", "outside" },
	{ "root/x/d/e/g", "outside" },
	{ "root/x/d/e/h", "outside" },
	{ "root/x/d/e/canary", "outside/canary" },
	{ "root/x/d/e/canary", "outside/new" },
	{ "root/x/d/canary", "outside/canary" },
};

static void test_mkdirs(void **state)
{
	swap_at_each_call(*state, act_mkdirs, false, dirs, 5);
}

static void test_mkfile(void **state)
{
	swap_at_each_call(*state, act_mkfile, false, dirs, 7);
}

static void test_nodes(void **state)
{
	swap_at_each_call(*state, act_nodes, false, dirs, 3);
}

static void test_link(void **state)
{
	swap_at_each_call(*state, act_link, true, dirs, BK_ARRAY_SIZE(dirs));
}

static void test_read(void **state)
{
	swap_at_each_call(*state, act_read, true, dirs, BK_ARRAY_SIZE(dirs));
}

static void test_write(void **state)
{
	swap_at_each_call(*state, act_write, true, dirs, BK_ARRAY_SIZE(dirs));
}

static void test_unlink(void **state)
{
	swap_at_each_call(*state, act_unlink, true, dirs, BK_ARRAY_SIZE(dirs));
}

static void test_rmtree(void **state)
{
	swap_at_each_call(*state, act_rmtree, true, dirs, BK_ARRAY_SIZE(dirs));
}

BK_TEST_MAIN(FIXTURE_TEST(test_mkdirs), FIXTURE_TEST(test_mkfile), FIXTURE_TEST(test_nodes),
	     FIXTURE_TEST(test_link), FIXTURE_TEST(test_read), FIXTURE_TEST(test_write),
	     FIXTURE_TEST(test_unlink), FIXTURE_TEST(test_rmtree))
