/* SPDX-License-Identifier: Apache-2.0 */
/* The confined process: what it can't do any more, what it still can, and how its words come back. */
#include "bk_test.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "layer/layer_confine.h"

struct fixture {
	char base[64];
	int base_fd, root, store, spare;
	bool landlock;
	char warned[128];
};

static int setup(void **state)
{
	struct fixture *f = bk_calloc(1, sizeof(*f));

	snprintf(f->base, sizeof(f->base), "/tmp/bk-confine-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	f->base_fd = open(f->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(f->base_fd, "root", 0755), 0);
	assert_int_equal(mkdirat(f->base_fd, "root/d", 0755), 0);
	assert_int_equal(mkdirat(f->base_fd, "store", 0755), 0);
	assert_int_equal(
		bk_file_write_atomic(f->base_fd, "store/blob", "blob", 4, 0644, false, NULL), 0);
	assert_int_equal(bk_file_write_atomic(f->base_fd, "secret", "secret", 6, 0644, false, NULL),
			 0);
	f->root = openat(f->base_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->store = openat(f->base_fd, "store", O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->spare = openat(f->base_fd, "secret", O_RDONLY | O_CLOEXEC);
	assert_true(f->root >= 0 && f->store >= 0 && f->spare >= 0);
	f->landlock = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1u) >= 2;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->root);
	close(f->store);
	close(f->spare);
	close(f->base_fd);
	(void)bk_file_rmtree(AT_FDCWD, f->base, NULL);
	free(f);
	return 0;
}

static void on_warn(void *ctx, const char *message)
{
	struct fixture *f = ctx;

	snprintf(f->warned, sizeof(f->warned), "%s", message);
}

/* What must fail, and with what. */
static int try_calls(const struct fixture *f, struct bk_err **err)
{
	char *const argv[] = { (char[]){ "/bin/true" }, NULL };
	const struct {
		const char *what;
		long rc;
		int got, want;
	} rows[] = {
#define TRY(call, errnum) { #call, call, errno, errnum }
		TRY(socket(AF_INET, SOCK_STREAM, 0), ENOSYS),
		TRY(socket(AF_UNIX, SOCK_STREAM, 0), ENOSYS),
		TRY(execve(argv[0], argv, NULL), ENOSYS),
		TRY(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0), ENOSYS),
		TRY(unshare(CLONE_NEWUSER), ENOSYS),
		TRY(mount("none", "/", "tmpfs", 0, NULL), ENOSYS),
		TRY(ptrace(PTRACE_TRACEME, 0, NULL, NULL), ENOSYS),
		TRY(kill(getppid(), 0), ENOSYS),
		TRY(prctl(PR_SET_DUMPABLE, 1), ENOSYS),
		TRY(mprotect((void *)((uintptr_t)&rows & ~(uintptr_t)4095), 4096,
			     PROT_READ | PROT_WRITE | PROT_EXEC),
		    EPERM),
		TRY(read(f->spare, (char[1]){ 0 }, 1), EBADF),
	};

	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++)
		if (rows[i].rc >= 0 || rows[i].got != rows[i].want)
			return bk_err_set(err, BK_ERR_CONFIG, rows[i].got, "%s gave %ld",
					  rows[i].what, rows[i].rc);
	return 0;
}

static int try_files(const struct fixture *f, struct bk_err **err)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/secret", f->base);
	if (open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return bk_err_set(err, BK_ERR_CONFIG, errno, "a file outside was opened");
	snprintf(path, sizeof(path), "%s/new", f->base);
	if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES)
		return bk_err_set(err, BK_ERR_CONFIG, errno, "a file outside was made");
	if (openat(f->store, "blob", O_WRONLY | O_CLOEXEC) >= 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the store was opened for writing");
	if (unlinkat(f->store, "blob", 0) == 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "something was removed from the store");
	/* What unpacking needs. */
	fd = openat(f->store, "blob", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_CONFIG, errno, "the store can't be read");
	fd = openat(f->root, "d/f", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 5) < 0 || linkat(f->root, "d/f", f->root, "h", 0) < 0 ||
	    symlinkat("x", f->root, "s") < 0 || unlinkat(f->root, "h", 0) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, errno, "the tree can't be written");
	return 0;
}

static int work(void *ctx, const struct layer_opts *opts, struct layer_stats *stats,
		struct bk_err **err)
{
	const struct fixture *f = ctx;
	int rc = try_calls(f, err);

	if (rc == 0 && f->landlock)
		rc = try_files(f, err);
	opts->warn(opts->ctx, "a warning");
	stats->entries = 42;
	return rc;
}

static int work_fails(void *ctx, const struct layer_opts *opts, struct layer_stats *stats,
		      struct bk_err **err)
{
	(void)ctx;
	(void)opts;
	(void)stats;
	return bk_err_wrap(err, bk_err_set(err, BK_ERR_NOT_FOUND, ENOENT, "inner"), "outer");
}

static int work_dies(void *ctx, const struct layer_opts *opts, struct layer_stats *stats,
		     struct bk_err **err)
{
	(void)ctx;
	(void)opts;
	(void)stats;
	(void)err;
	_exit(3);
}

static void test_confined(void **state)
{
	struct fixture *f = *state;
	const struct layer_opts opts = { .warn = on_warn, .ctx = f };
	struct layer_stats stats = { 0 };
	struct bk_err *err = NULL;

	assert_ok(layer_confined_run(f->root, f->store, &opts, work, f, &stats, &err), &err);
	assert_int_equal(stats.entries, 42);
	assert_string_equal(f->warned, "a warning");
	/* the caller is what it was */
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

static void test_words(void **state)
{
	struct fixture *f = *state;
	const struct layer_opts opts = { .warn = on_warn, .ctx = f };
	struct layer_stats stats = { 0 };
	struct bk_err *err = NULL;

	assert_err(layer_confined_run(f->root, -1, &opts, work_fails, f, &stats, &err), &err,
		   BK_ERR_NOT_FOUND, "outer: inner");
	assert_err(layer_confined_run(f->root, -1, &opts, work_dies, f, &stats, &err), &err,
		   BK_ERR_INTERNAL, "ended early (status 3)");
}

BK_TEST_MAIN(cmocka_unit_test_setup_teardown(test_confined, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_words, setup, teardown))
