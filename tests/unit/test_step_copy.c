/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "step/step_copy.h"

struct world {
	char dir[64];
	struct bk_root context, view;
};

static void make(const struct world *w, const char *path, const char *text)
{
	bk_autofree char *whole = bk_path_join(w->dir, path);
	bk_autofree char *parent = bk_path_dir(whole);
	struct bk_err *err = NULL;

	assert_ok(bk_file_mkdirs(text ? parent : whole, 0755, &err), &err);
	if (text)
		assert_ok(bk_file_write_atomic(AT_FDCWD, whole, text, strlen(text), 0640, false,
					       &err),
			  &err);
}

static void link_to(const struct world *w, const char *target, const char *path)
{
	bk_autofree char *whole = bk_path_join(w->dir, path);

	assert_int_equal(symlink(target, whole), 0);
}

static int setup(void **state)
{
	struct world *w = bk_calloc(1, sizeof(*w));
	struct bk_err *err = NULL;
	bk_autofree char *context = NULL;
	bk_autofree char *view = NULL;

	umask(022);
	snprintf(w->dir, sizeof(w->dir), "/tmp/bock-test-copy-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	make(w, "c/a.txt", "a");
	make(w, "c/b.txt", "bb");
	make(w, "c/src/one.c", "1");
	make(w, "c/src/sub/two.c", "2");
	make(w, "c/src/sub/two_test.c", "t");
	make(w, "c/bin/tool", "x");
	make(w, "outside", "secret");
	link_to(w, "a.txt", "c/link");
	link_to(w, "../../outside", "c/escape");
	link_to(w, "one.c", "c/src/inner");
	make(w, "v/usr/bin/old", "o");
	make(w, "v/etc", NULL);
	make(w, "v/file", "f");
	link_to(w, "usr/bin", "v/bin");
	link_to(w, "loop", "v/loop");
	link_to(w, "/../../../etc", "v/up");
	link_to(w, "/etc", "v/usr/absolute");
	link_to(w, "../etc", "v/usr/relative");
	context = bk_path_join(w->dir, "c");
	view = bk_path_join(w->dir, "v");
	assert_ok(bk_root_open(&w->context, context, &err), &err);
	assert_ok(bk_root_open(&w->view, view, &err), &err);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	bk_root_done(&w->context);
	bk_root_done(&w->view);
	bk_file_rmtree(AT_FDCWD, w->dir, NULL);
	free(w);
	return 0;
}

/* "path mode, path mode, ..." of what the copy puts into its layer. */
static int list(const struct world *w, struct step_copy *c, const char *sources, const char *to,
		struct bk_buf *out, struct bk_err **err)
{
	snap_autolist struct snap_list *l = snap_list_new();
	bk_autostrv char **v = bk_strv_split(sources, " ");
	int rc;

	c->from = &w->context;
	c->sources = v;
	c->to = to;
	if (!c->workdir)
		c->workdir = "/";
	c->mtime = 1000;
	bk_buf_reset(out);
	rc = step_copy_list(c, l, err);
	if (rc == 0)
		rc = snap_list_finish(l, INT64_MAX, err);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		bk_buf_printf(out, "%s%s%s%s%s", i > 0 ? " " : "", l->items[i].path,
			      S_ISDIR(l->items[i].mode) ? "/" : "", l->items[i].link ? "->" : "",
			      l->items[i].link ? l->items[i].link : "");
	return rc;
}

static void copies(const struct world *w, struct step_copy c, const char *sources, const char *to,
		   const char *want)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(list(w, &c, sources, to, &out, &err), &err);
	assert_string_equal(bk_buf_str(&out), want);
}

static void refuses(const struct world *w, struct step_copy c, const char *sources, const char *to,
		    enum bk_err_kind kind, const char *message)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_err(list(w, &c, sources, to, &out, &err), &err, kind, message);
}

static const struct step_copy plain;

static void test_destinations(void **state)
{
	const struct world *w = *state;

	copies(w, plain, "a.txt", "/x", "x");
	copies(w, plain, "a.txt", "/x/", "x/ x/a.txt");
	copies(w, plain, "a.txt", "/d/e/x", "d/ d/e/ d/e/x");
	copies(w, plain, "a.txt b.txt", "/x", "x/ x/a.txt x/b.txt");
	copies(w, plain, "*.txt", "/x", "x/ x/a.txt x/b.txt");
	copies(w, plain, "a.txt", "x", "x");
	copies(w, plain, "a.txt", ".", "a.txt");
	copies(w, (struct step_copy){ .workdir = "/w" }, "a.txt", ".", "w/ w/a.txt");
	copies(w, (struct step_copy){ .workdir = "/w" }, "a.txt", "../y", "y");
	copies(w, plain, "../../a.txt", "/../../x", "x");
	copies(w, plain, "src", "/s",
	       "s/ s/inner->one.c s/one.c s/sub/ s/sub/two.c s/sub/two_test.c");
	copies(w, plain, "/src/", "/", "inner->one.c one.c sub/ sub/two.c sub/two_test.c");
	copies(w, plain, "src/sub a.txt", "/s", "s/ s/a.txt s/two.c s/two_test.c");
	copies(w, plain, "**/*.c", "/s/", "s/ s/one.c s/two.c s/two_test.c");
	copies(w, (struct step_copy){ .parents = true }, "src/sub a.txt", "/s",
	       "s/ s/a.txt s/src/ s/src/sub/ s/src/sub/two.c s/src/sub/two_test.c");
}

static void test_links(void **state)
{
	const struct world *w = *state;

	copies(w, plain, "link", "/x", "x"); /* a named link is followed */
	refuses(w, plain, "escape", "/x", BK_ERR_NOT_FOUND, "'escape' is not there");
	copies(w, (struct step_copy){ .view = &w->view }, "a.txt", "/bin/",
	       "usr/ usr/bin/ usr/bin/a.txt");
	copies(w, (struct step_copy){ .view = &w->view }, "a.txt", "/bin/x",
	       "usr/ usr/bin/ usr/bin/x");
	copies(w, (struct step_copy){ .view = &w->view }, "a.txt", "/up/x", "etc/ etc/x");
	copies(w, (struct step_copy){ .view = &w->view }, "a.txt", "/usr/absolute/x", "etc/ etc/x");
	copies(w, (struct step_copy){ .view = &w->view }, "a.txt", "/usr/relative/x", "etc/ etc/x");
	/* a tree with a bin lands in what /bin points to */
	copies(w,
	       (struct step_copy){ .view = &w->view,
				   .exclude = (char *[]){ (char *)(uintptr_t) "src",
							  (char *)(uintptr_t) "*.txt",
							  (char *)(uintptr_t) "[el]*", NULL } },
	       ".", "/", "usr/ usr/bin/ usr/bin/tool");
	refuses(w, (struct step_copy){ .view = &w->view }, "a.txt", "/loop/x", BK_ERR_CONFIG,
		"symbolic links");
	refuses(w, (struct step_copy){ .view = &w->view }, "a.txt", "/file/x", BK_ERR_CONFIG,
		"'/file' is no directory");
}

static void test_existing(void **state)
{
	const struct world *w = *state;
	const struct step_copy c = { .view = &w->view };

	copies(w, c, "a.txt", "/etc", "etc/ etc/a.txt");
	copies(w, c, "a.txt", "/file", "file");
	refuses(w, c, "a.txt b.txt", "/file", BK_ERR_CONFIG, "'/file' is no directory");
	refuses(w, c, "a.txt", "/file/", BK_ERR_CONFIG, "'/file' is no directory");
	make(w, "c/clash/usr", "x");
	refuses(w, c, "clash", "/", BK_ERR_CONFIG,
		"'/usr' is a directory; 'clash/usr' can't replace it");
	refuses(w, plain, "nope", "/x", BK_ERR_NOT_FOUND,
		"copy 'nope' to '/x': 'nope' is not there");
	refuses(w, plain, "*.nope", "/x", BK_ERR_NOT_FOUND, "nothing is like '*.nope'");
}

static void test_left_out(void **state)
{
	const struct world *w = *state;
	struct step_ignore ignore = STEP_IGNORE_INIT;
	char *exclude[] = { (char *)(uintptr_t) "**/*_test.c", (char *)(uintptr_t) "/src/inner",
			    NULL };

	copies(w, (struct step_copy){ .exclude = exclude }, "src", "/s",
	       "s/ s/one.c s/sub/ s/sub/two.c");
	step_ignore_parse(&ignore, "src\n!src/sub/two.c\n*.txt\n");
	copies(w, (struct step_copy){ .ignore = &ignore }, "src", "/s", "s/ s/sub/ s/sub/two.c");
	refuses(w, (struct step_copy){ .ignore = &ignore }, "a.txt", "/s", BK_ERR_NOT_FOUND,
		"'a.txt' is ignored");
	refuses(w, (struct step_copy){ .ignore = &ignore }, "*.txt", "/s", BK_ERR_NOT_FOUND,
		"nothing is like");
	step_ignore_done(&ignore);
}

static void test_attributes(void **state)
{
	const struct world *w = *state;
	snap_autolist struct snap_list *l = snap_list_new();
	struct step_copy c = { .from = &w->context,
			       .to = "/d/x",
			       .workdir = "/",
			       .has_owner = true,
			       .uid = 7,
			       .gid = 8,
			       .chmod = "u=rwX,go=rX",
			       .mtime = 1000,
			       .sources = (char *[]){ (char *)(uintptr_t) "a.txt", NULL } };
	struct bk_err *err = NULL;

	assert_ok(step_copy_list(&c, l, &err), &err);
	assert_ok(snap_list_finish(l, 2000, &err), &err);
	assert_int_equal(l->n, 2);
	assert_int_equal(l->items[0].mode, S_IFDIR | 0755);
	assert_int_equal(l->items[0].uid, 7);
	assert_int_equal(l->items[0].mtime, 1000);
	assert_int_equal(l->items[1].mode, S_IFREG | 0644);
	assert_int_equal(l->items[1].gid, 8);
	assert_int_equal(l->items[1].mtime, 2000);
	assert_int_equal(l->items[1].size, 1);
}

BK_TEST_MAIN(cmocka_unit_test_setup_teardown(test_destinations, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_links, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_existing, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_left_out, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_attributes, setup, teardown))
