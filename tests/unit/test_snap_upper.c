/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "snap/snap_stubs.h"
#include "snap/snap_tree.h"
#include "snap/snap_upper.h"

struct world {
	char dir[64];
	struct bk_root upper, lower;
};

static void make(const struct world *w, const char *path, const char *text)
{
	bk_autofree char *whole = bk_path_join(w->dir, path);
	bk_autofree char *parent = bk_path_dir(whole);
	const struct timespec times[2] = { { .tv_sec = 77 }, { .tv_sec = 77 } };
	struct bk_err *err = NULL;

	assert_ok(bk_file_mkdirs(text ? parent : whole, 0755, &err), &err);
	if (!text)
		return;
	assert_ok(bk_file_write_atomic(AT_FDCWD, whole, text, strlen(text), 0644, false, &err),
		  &err);
	assert_int_equal(utimensat(AT_FDCWD, whole, times, 0), 0);
}

static void whiteout(const struct world *w, const char *path)
{
	bk_autofree char *whole = bk_path_join(w->dir, path);

	assert_int_equal(mknod(whole, S_IFCHR, makedev(0, 0)), 0);
}

static void opaque(const struct world *w, const char *path)
{
	bk_autofree char *whole = bk_path_join(w->dir, path);

	if (setxattr(whole, "user.overlay.opaque", "y", 1, 0) != 0)
		assert_int_equal(setxattr(whole, "trusted.overlay.opaque", "y", 1, 0), 0);
}

static int setup(void **state)
{
	struct world *w = bk_calloc(1, sizeof(*w));
	struct bk_err *err = NULL;
	bk_autofree char *upper = NULL;
	bk_autofree char *lower = NULL;

	umask(022);
	snprintf(w->dir, sizeof(w->dir), "/tmp/bock-test-upper-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	make(w, "l/etc/conf", "old");
	make(w, "l/etc/same", "same");
	make(w, "l/etc/sneaky", "1234");
	make(w, "l/dir/a", "a");
	make(w, "l/dir/sub/b", "b");
	make(w, "l/dir/sub/c", "c");
	make(w, "l/gone/x", "x");
	make(w, "l/tmp", NULL);
	make(w, "u", NULL);
	upper = bk_path_join(w->dir, "u");
	lower = bk_path_join(w->dir, "l");
	assert_ok(bk_root_open(&w->upper, upper, &err), &err);
	assert_ok(bk_root_open(&w->lower, lower, &err), &err);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	bk_root_done(&w->upper);
	bk_root_done(&w->lower);
	bk_file_rmtree(AT_FDCWD, w->dir, NULL);
	free(w);
	return 0;
}

static void expect_list(struct snap_list *l, const char *want)
{
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(snap_list_finish(l, INT64_MAX, &err), &err);
	for (size_t i = 0; i < l->n; i++)
		bk_buf_printf(&got, "%s%s%s", i > 0 ? " " : "", l->items[i].path,
			      S_ISDIR(l->items[i].mode) ? "/" : "");
	assert_string_equal(bk_buf_str(&got), want);
}

static void expect(const struct world *w, const char *want)
{
	snap_autolist struct snap_list *l = snap_list_new();
	struct bk_err *err = NULL;

	assert_ok(snap_upper_list(&w->upper, &w->lower, 5, l, &err), &err);
	expect_list(l, want);
}

static void test_changes(void **state)
{
	const struct world *w = *state;

	expect(w, "");
	make(w, "u/new/file", "n");
	make(w, "u/etc/conf", "new");
	whiteout(w, "u/gone");
	whiteout(w, "u/never"); /* hides nothing */
	expect(w, ".wh.gone etc/ etc/conf new/ new/file");
}

static void test_only_copied_up(void **state)
{
	const struct world *w = *state;

	make(w, "u/etc/same", "same");
	make(w, "u/tmp", NULL); /* another mtime only */
	expect(w, "");
	make(w, "u/etc/sneaky", "4321"); /* size and time as before */
	expect(w, "etc/ etc/sneaky");
}

static void test_only_whiteouts(void **state)
{
	const struct world *w = *state;

	make(w, "u/etc", NULL);
	whiteout(w, "u/etc/conf");
	expect(w, "etc/ etc/.wh.conf");
}

static void test_opaque(void **state)
{
	const struct world *w = *state;

	make(w, "u/dir/sub/b", "other");
	make(w, "u/dir/new", "n");
	opaque(w, "u/dir");
	expect(w, "dir/ dir/.wh.a dir/new dir/sub/ dir/sub/.wh.c dir/sub/b");
}

static void test_replaced(void **state)
{
	const struct world *w = *state;

	make(w, "u/gone", "now a file");
	make(w, "u/etc/conf/d", "now below a directory");
	opaque(w, "u/etc/conf");
	expect(w, "etc/ etc/conf/ etc/conf/d gone");
}

static void test_links(void **state)
{
	const struct world *w = *state;
	bk_autofree char *a = bk_path_join(w->dir, "u/a");
	bk_autofree char *b = bk_path_join(w->dir, "u/b");
	snap_autolist struct snap_list *l = snap_list_new();
	struct bk_err *err = NULL;

	make(w, "u/a", "x");
	assert_int_equal(linkat(AT_FDCWD, a, AT_FDCWD, b, 0), 0);
	assert_ok(snap_upper_list(&w->upper, NULL, 5, l, &err), &err);
	assert_ok(snap_list_finish(l, INT64_MAX, &err), &err);
	assert_int_equal(l->n, 2);
	assert_false(l->items[0].hardlink);
	assert_true(l->items[1].hardlink);
	assert_string_equal(l->items[1].link, "a");
}

/* The same changes found by comparing. */
static void test_tree(void **state)
{
	const struct world *w = *state;
	snap_autotree struct snap_tree *before = NULL;
	snap_autolist struct snap_list *l = snap_list_new();
	snap_autolist struct snap_list *same = snap_list_new();
	struct bk_err *err = NULL;

	assert_ok(snap_tree_note(&w->lower, &before, &err), &err);
	assert_ok(snap_tree_list(before, &w->lower, 5, same, &err), &err);
	expect_list(same, "");
	make(w, "l/etc/sneaky", "4321");
	make(w, "l/new/file", "n");
	assert_ok(bk_root_rmtree(&w->lower, "gone", &err), &err);
	assert_ok(bk_root_unlink(&w->lower, "dir/sub/c", false, &err), &err);
	assert_ok(bk_root_rmtree(&w->lower, "etc/conf", &err), &err);
	make(w, "l/etc/conf/d", "x");
	assert_ok(snap_tree_list(before, &w->lower, 5, l, &err), &err);
	expect_list(
		l,
		".wh.gone dir/ dir/sub/ dir/sub/.wh.c etc/ etc/conf/ etc/conf/d etc/sneaky new/ new/file");
}

static void test_stubs(void **state)
{
	const struct world *w = *state;
	snap_autostubs struct snap_stubs stubs = SNAP_STUBS_INIT;
	bk_autofree char *proc = NULL;
	bk_autofree char *resolv = NULL;
	bk_autofree char *deep = NULL;
	bk_autofree char *conf = NULL;
	struct bk_err *err = NULL;
	struct stat before;
	struct stat after;

	assert_ok(bk_root_symlink(&w->lower, "../run/resolv.conf", "etc/resolv.conf", &err), &err);
	assert_ok(bk_root_lstat(&w->lower, "dir", &before, &err), &err);
	assert_ok(snap_stubs_add(&stubs, &w->lower, "/proc", true, &proc, &err), &err);
	assert_ok(snap_stubs_add(&stubs, &w->lower, "/etc/resolv.conf", false, &resolv, &err),
		  &err);
	assert_ok(snap_stubs_add(&stubs, &w->lower, "/dir/x/y", true, &deep, &err), &err);
	assert_ok(snap_stubs_add(&stubs, &w->lower, "/etc/conf", false, &conf, &err), &err);
	assert_string_equal(proc, "/proc");
	assert_string_equal(resolv, "/run/resolv.conf");
	assert_string_equal(deep, "/dir/x/y");
	assert_int_equal(stubs.n, 5);
	make(w, "l/dir/x/kept", "k"); /* the step's own: its directory stays */
	assert_ok(snap_stubs_remove(&stubs, &w->lower, &err), &err);
	assert_ok(bk_root_lstat(&w->lower, "dir", &after, &err), &err);
	assert_int_equal(bk_root_lstat(&w->lower, "proc", &after, NULL), -BK_ERR_NOT_FOUND);
	assert_int_equal(bk_root_lstat(&w->lower, "run", &after, NULL), -BK_ERR_NOT_FOUND);
	assert_int_equal(bk_root_lstat(&w->lower, "dir/x/y", &after, NULL), -BK_ERR_NOT_FOUND);
	assert_int_equal(bk_root_lstat(&w->lower, "dir/x/kept", &after, NULL), 0);
	assert_int_equal(bk_root_lstat(&w->lower, "etc/conf", &after, NULL), 0);
}

static void test_stubs_times(void **state)
{
	const struct world *w = *state;
	snap_autostubs struct snap_stubs stubs = SNAP_STUBS_INIT;
	bk_autofree char *path = NULL;
	struct bk_err *err = NULL;
	struct stat before;
	struct stat after;

	assert_ok(bk_root_lstat(&w->lower, "dir", &before, &err), &err);
	usleep(20000);
	assert_ok(snap_stubs_add(&stubs, &w->lower, "/dir/stub", false, &path, &err), &err);
	assert_ok(snap_stubs_remove(&stubs, &w->lower, &err), &err);
	assert_ok(bk_root_lstat(&w->lower, "dir", &after, &err), &err);
	assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

BK_TEST_MAIN(cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_only_copied_up, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_only_whiteouts, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_opaque, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_links, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_stubs, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_stubs_times, setup, teardown))
