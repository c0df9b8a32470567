/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of bk_root share: a folder with `root`, the untrusted tree, and beside it `outside`
 * with one file, the canary. After each test nothing outside may have changed.
 */
#ifndef ROOT_FIXTURE_H
#define ROOT_FIXTURE_H

#include "bk_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_root.h"

#define CANARY "untouched\n"

struct fixture {
	char base[256];	   /* absolute */
	char outside[300]; /* absolute */
	int host;	   /* fd of base: what the tests use to look from outside */
	struct bk_root r;
};

static inline void put_file(int dirfd, const char *path, const char *text)
{
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(dirfd, path, text, strlen(text), 0644, false, &err), &err);
}

static inline void assert_content(int dirfd, const char *path, const char *text)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(dirfd, path, &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), text);
}

static inline bool exists(const struct fixture *f, const char *path)
{
	struct stat st;

	return fstatat(f->host, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where an O_PATH descriptor is, as the host sees it, without the base. */
static inline void assert_fd_is(const struct fixture *f, int fd, const char *path)
{
	struct stat a, b;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(f->host, path, &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

static inline void link_at(const struct fixture *f, const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, f->host, path), 0);
}

/* Nothing came to the canary, and nothing to it. */
static inline void assert_outside_untouched(const struct fixture *f)
{
	bk_autoclosedir DIR *d = opendir(f->outside);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n++;
	assert_int_equal(n, 3);
	assert_content(f->host, "outside/canary", CANARY);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = bk_calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");
	struct bk_err *err = NULL;
	char path[600];

	(void)umask(022);
	(void)snprintf(path, sizeof(path), "%.200s/bk-root-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	assert_int_equal(chmod(path, 0755), 0);
	(void)snprintf(f->base, sizeof(f->base), "%.255s", path);
	(void)snprintf(f->outside, sizeof(f->outside), "%s/outside", f->base);
	f->host = open(f->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->host >= 0);
	assert_int_equal(mkdirat(f->host, "root", 0755), 0);
	assert_int_equal(mkdirat(f->host, "outside", 0755), 0);
	put_file(f->host, "outside/canary", CANARY);
	(void)snprintf(path, sizeof(path), "%s/root", f->base);
	f->r = (struct bk_root)BK_ROOT_INIT;
	assert_ok(bk_root_open(&f->r, path, &err), &err);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	struct bk_err *err = NULL;

	assert_outside_untouched(f);
	assert_ok(bk_file_rmtree(AT_FDCWD, f->base, &err), &err);
	bk_root_done(&f->r);
	bk_close(&f->host);
	free(f);
	return 0;
}

#define FIXTURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

/* In a child process, where cmocka's assertions have nowhere to go: says what failed, and ends. */
#define CHILD_CHECK(cond)                                                                   \
	do {                                                                                \
		if (!(cond)) {                                                              \
			(void)dprintf(2, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			_exit(1);                                                           \
		}                                                                           \
	} while (0)

/* A child that could not get the privilege that it needs says so by this exit code. */
#define CHILD_SKIP 77

/* Runs fn in a child of its own and returns its exit code. */
static inline int in_child(const struct fixture *f, void (*fn)(const struct fixture *f))
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		fn(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
