/* SPDX-License-Identifier: Apache-2.0 */
/* On the machine's own version 2 hierarchy, below one cgroup of the test's own. */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "cgroup/cgroup.h"

#define TOP "/bock-test-cgroup"

static const struct cgroup_host fake = { .kind = CGROUP_UNIFIED, .mount = "/nonexistent" };

static char *path_of(const char *cgroups_path, bool rootless)
{
	struct bk_err *err = NULL;
	char *path = NULL;

	assert_ok(cgroup_path(&fake, cgroups_path, "web", rootless, &path, &err), &err);
	return path;
}

static void test_path(void **state)
{
	static const struct {
		const char *given, *want;
	} cases[] = {
		{ NULL, "/web" },
		{ "", "/web" },
		{ "/a/b", "/a/b" },
		{ "/a//b/./c/", "/a/b/c" },
		{ "/../a", "/a" },
		{ "/a/../../b", "/b" },
		{ "/system.slice:x:y", "/system.slice:x:y" },
	};
	bk_autofree char *relative = NULL, *climbing = NULL, *rootless = NULL, *deep = NULL,
			 *path = NULL;
	struct cgroup_host none = { .kind = CGROUP_NONE };
	struct bk_err *err = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(cases); i++) {
		bk_autofree char *got = path_of(cases[i].given, false);

		assert_string_equal(got, cases[i].want);
	}
	assert_err(cgroup_path(&fake, "/", "web", false, &path, &err), &err, BK_ERR_CONFIG,
		   "root cgroup");
	assert_err(cgroup_path(&fake, "/x/..", "web", false, &path, &err), &err, BK_ERR_CONFIG,
		   "root cgroup");
	deep = bk_malloc(600);
	for (size_t i = 0; i < 300; i++)
		memcpy(deep + 2 * i, "/a", 2);
	deep[598] = '\0';
	assert_err(cgroup_path(&fake, deep, "web", false, &path, &err), &err, BK_ERR_CONFIG,
		   "64 components");
	assert_err(cgroup_path(&none, "/a", "web", false, &path, &err), &err, BK_ERR_UNSUPPORTED,
		   "no cgroup version 2");
	assert_null(path);
	/* wherever we are: a relative path is below the parent of our own, and stays there */
	if (access("/proc/self/cgroup", R_OK) < 0)
		return;
	relative = path_of("a/b", false);
	assert_true(bk_has_suffix(relative, "/a/b"));
	climbing = path_of("../../a/b", false);
	assert_string_equal(climbing, relative);
	rootless = path_of(NULL, true);
	assert_true(bk_has_suffix(rootless, "/web"));
}

static void need_root(struct cgroup_host *h)
{
	cgroup_find(h);
	if (geteuid() != 0)
		skip_because("making cgroups needs root, and this is uid %u", geteuid());
	if (h->kind == CGROUP_NONE)
		skip_because(
			"no cgroup version 2 hierarchy on /sys/fs/cgroup or its unified folder");
}

static int clean(void **state)
{
	struct cgroup_host h;
	int fd;

	(void)state;
	cgroup_find(&h);
	if (geteuid() != 0 || cgroup_open(&h, TOP, &fd, NULL) < 0)
		return 0;
	(void)cgroup_thaw(fd, 1000, NULL);
	(void)cgroup_kill(fd, NULL);
	close(fd);
	return cgroup_remove(&h, TOP, 0, 5000, NULL);
}

static bool exists(const struct cgroup_host *h, const char *path)
{
	bk_autofree char *full = bk_asprintf("%s%s", h->mount, path);

	return access(full, F_OK) == 0;
}

/* A process that sleeps in the cgroup. */
static pid_t sleeper(int dirfd)
{
	struct bk_err *err = NULL;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	assert_ok(cgroup_join(dirfd, pid, &err), &err);
	return pid;
}

static void reap(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_make_remove(void **state)
{
	struct cgroup_host h;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1, again = -1, other = -1;
	size_t top = 0, top2 = 0;

	(void)state;
	need_root(&h);
	assert_ok(cgroup_make(&h, TOP "/a/b", &fd, &top, &err), &err);
	assert_int_equal(top, strlen(TOP));
	assert_true(exists(&h, TOP "/a/b"));
	/* one that is there and empty is taken; nothing was made */
	assert_ok(cgroup_make(&h, TOP "/a/b", &again, &top2, &err), &err);
	assert_int_equal(top2, 0);
	assert_ok(cgroup_make(&h, TOP "/a/c", &other, &top2, &err), &err);
	assert_int_equal(top2, strlen(TOP "/a/c"));
	/* the parents stay while another's is in them */
	assert_ok(cgroup_remove(&h, TOP "/a/b", top, 100, &err), &err);
	assert_false(exists(&h, TOP "/a/b"));
	assert_true(exists(&h, TOP "/a/c"));
	assert_ok(cgroup_remove(&h, TOP "/a/c", top, 100, &err), &err);
	assert_false(exists(&h, TOP));
	/* what is gone is removed */
	assert_ok(cgroup_remove(&h, TOP "/a/c", 0, 100, &err), &err);
	/* and nobody is in it, whoever removed it */
	assert_err(cgroup_kill(fd, &err), &err, BK_ERR_NOT_FOUND, "the cgroup was removed");
	assert_ok(cgroup_wait_empty(fd, 0, &err), &err);
	assert_err(cgroup_open(&h, TOP, &again, &err), &err, BK_ERR_NOT_FOUND,
		   "open cgroup '" TOP "'");
}

static void test_in_use(void **state)
{
	struct cgroup_host h;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1, child = -1;
	bk_autofree pid_t *pids = NULL;
	int again = -1;
	size_t top = 0, n = 0;
	bool populated = false;
	pid_t pid;

	(void)state;
	need_root(&h);
	assert_ok(cgroup_make(&h, TOP, &fd, &top, &err), &err);
	assert_ok(cgroup_make(&h, TOP "/sub", &child, &top, &err), &err);
	pid = sleeper(child);
	assert_err(cgroup_make(&h, TOP, &again, &top, &err), &err, BK_ERR_CONFIG,
		   "container's cgroup is not empty: 1 process(es) found");
	assert_int_equal(again, -1);
	assert_ok(cgroup_procs(fd, false, &pids, &n, &err), &err);
	assert_int_equal(n, 0);
	free(bk_steal_ptr(&pids));
	assert_ok(cgroup_procs(fd, true, &pids, &n, &err), &err);
	assert_int_equal(n, 1);
	assert_int_equal(pids[0], pid);
	assert_ok(cgroup_events(fd, &populated, NULL, &err), &err);
	assert_true(populated);
	{
		bk_autofree char *want = bk_asprintf("held by process %d", (int)pid);

		assert_err(cgroup_remove(&h, TOP, 0, 50, &err), &err, BK_ERR_IO, want);
		assert_err(cgroup_wait_empty(fd, 50, &err), &err, BK_ERR_IO, want);
	}
	assert_ok(cgroup_kill(fd, &err), &err);
	assert_ok(cgroup_wait_empty(fd, 5000, &err), &err);
	assert_ok(cgroup_remove(&h, TOP, 0, 5000, &err), &err); /* and sub with it */
	assert_false(exists(&h, TOP));
	reap(pid);
}

static void test_dying(void **state)
{
	struct cgroup_host h;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	size_t top = 0;
	pid_t pid, killer;

	(void)state;
	need_root(&h);
	assert_ok(cgroup_make(&h, TOP, &fd, &top, &err), &err);
	pid = sleeper(fd);
	killer = fork();
	if (killer == 0) {
		const struct timespec nap = { .tv_nsec = 200000000 };

		nanosleep(&nap, NULL);
		kill(pid, SIGKILL);
		_exit(0);
	}
	/* waits for the end that comes */
	assert_ok(cgroup_remove(&h, TOP, 0, 5000, &err), &err);
	assert_false(exists(&h, TOP));
	reap(pid);
	assert_int_equal(waitpid(killer, NULL, 0), killer);
}

static void test_freeze(void **state)
{
	struct cgroup_host h;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	int again = -1;
	size_t top = 0;
	bool frozen = false;
	pid_t pid;

	(void)state;
	need_root(&h);
	assert_ok(cgroup_make(&h, TOP, &fd, &top, &err), &err);
	pid = sleeper(fd);
	assert_ok(cgroup_freeze(fd, 2000, &err), &err);
	assert_ok(cgroup_events(fd, NULL, &frozen, &err), &err);
	assert_true(frozen);
	assert_ok(cgroup_thaw(fd, 2000, &err), &err);
	assert_ok(cgroup_events(fd, NULL, &frozen, &err), &err);
	assert_false(frozen);
	/* a frozen one is not taken for a new container; nor does it keep kill from its work */
	assert_ok(cgroup_freeze(fd, 2000, &err), &err);
	assert_ok(cgroup_kill(fd, &err), &err);
	assert_ok(cgroup_wait_empty(fd, 5000, &err), &err);
	reap(pid);
	assert_err(cgroup_make(&h, TOP, &again, &top, &err), &err, BK_ERR_CONFIG,
		   "container's cgroup unexpectedly frozen");
	assert_ok(cgroup_remove(&h, TOP, 0, 1000, &err), &err);
}

static void test_delegate(void **state)
{
	struct cgroup_host h;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	struct stat st;
	size_t top = 0;

	(void)state;
	need_root(&h);
	assert_ok(cgroup_make(&h, TOP, &fd, &top, &err), &err);
	assert_ok(cgroup_delegate(fd, 4321, 4322, &err), &err);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, 4321);
	assert_int_equal(fstatat(fd, "cgroup.procs", &st, 0), 0);
	assert_int_equal(st.st_uid, 4321);
	assert_int_equal(st.st_gid, 4322);
	assert_int_equal(fstatat(fd, "cgroup.type", &st, 0), 0);
	assert_int_equal(st.st_uid, 0); /* not one of those that are given away */
	assert_ok(cgroup_remove(&h, TOP, 0, 1000, &err), &err);
}

static void test_delegate_below(void **state)
{
	struct cgroup_host h;
	struct bk_err *err = NULL;
	bk_autoclose int fd = -1;
	bk_autofree pid_t *pids = NULL;
	struct stat st;
	size_t top = 0, n = 0;
	pid_t pid;

	(void)state;
	need_root(&h);
	assert_ok(cgroup_make(&h, TOP, &fd, &top, &err), &err);
	pid = sleeper(fd);
	assert_ok(cgroup_delegate_below(fd, "payload", pid, 4321, &err), &err);
	assert_ok(cgroup_procs(fd, false, &pids, &n, &err), &err);
	assert_int_equal(n, 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(fstatat(fd, "payload", &st, 0), 0);
	assert_int_equal(st.st_uid, 4321);
	assert_int_equal(fstatat(fd, "payload/cgroup.procs", &st, 0), 0);
	assert_int_equal(st.st_uid, 4321);
	assert_ok(cgroup_kill(fd, &err), &err);
	reap(pid);
	assert_ok(cgroup_remove(&h, TOP, 0, 1000, &err), &err);
	assert_err(cgroup_check_name("", &err), &err, BK_ERR_CONFIG, "''");
	assert_err(cgroup_check_name("..", &err), &err, BK_ERR_CONFIG, "'..'");
	assert_err(cgroup_check_name("cgroup.procs", &err), &err, BK_ERR_CONFIG, "can't be the name");
	assert_ok(cgroup_check_name("memory.max", &err), &err);
}

static void test_find(void **state)
{
	struct cgroup_host h;

	(void)state;
	cgroup_find_at("/proc", &h);
	assert_int_equal(h.kind, CGROUP_NONE);
	assert_null(h.mount);
	cgroup_find_at("/nonexistent", &h);
	assert_int_equal(h.kind, CGROUP_NONE);
}

BK_TEST_MAIN(cmocka_unit_test(test_find), cmocka_unit_test(test_path),
	     cmocka_unit_test_setup_teardown(test_make_remove, clean, clean),
	     cmocka_unit_test_setup_teardown(test_in_use, clean, clean),
	     cmocka_unit_test_setup_teardown(test_dying, clean, clean),
	     cmocka_unit_test_setup_teardown(test_freeze, clean, clean),
	     cmocka_unit_test_setup_teardown(test_delegate, clean, clean),
	     cmocka_unit_test_setup_teardown(test_delegate_below, clean, clean))
