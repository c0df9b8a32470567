/* SPDX-License-Identifier: Apache-2.0 */
/* Layers applied to a folder: against a model of image-spec's rules, and what opts bound. */
#include "bk_test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "layer/layer.h"
#include "layer/layer_tar.h"
#include "layer_model.h"
#include "layer_tar_make.h"

struct tree {
	char base[64];
	struct bk_root root;
};

static int setup(void **state)
{
	struct tree *t = bk_calloc(1, sizeof(*t));
	struct bk_err *err = NULL;

	snprintf(t->base, sizeof(t->base), "/tmp/bk-layer-XXXXXX");
	assert_non_null(mkdtemp(t->base));
	assert_ok(bk_root_open(&t->root, t->base, &err), &err);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct tree *t = *state;

	bk_root_done(&t->root);
	(void)bk_file_rmtree(AT_FDCWD, t->base, NULL);
	free(t);
	return 0;
}

/* ---- the model ---------------------------------------------------------------------------------- */

static void on_entry(void *ctx, const char *path, mode_t mode, const char *content)
{
	tar_add(ctx, path, mode, content);
}

static int look(const struct tree *t, int i)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(64);
	bk_autofree char *path = path_of(i, "");
	struct stat st;
	uint64_t n = 0;

	if (bk_root_lstat(&t->root, path, &st, NULL) < 0)
		return NOTHING;
	if (S_ISDIR(st.st_mode))
		return DIRECTORY;
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(bk_root_read(&t->root, path, &text, NULL), 0);
	for (const char *p = bk_buf_str(&text); *p; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	return (int)n;
}

static void test_model(void **state)
{
	const struct layer_opts opts = { .rootless = true };
	struct choices choices = { .seed = 20260101 };

	(void)state;
	for (int round = 0; round < 150; round++) {
		int model[PATHS] = { NOTHING };
		struct tree *t;
		void *own = NULL;

		setup(&own);
		t = own;
		for (int number = 0; number < 4; number++) {
			bk_autoclose int fd = -1;
			struct bk_err *err = NULL;
			struct layer l;
			struct tar tar;

			do
				random_layer(&l, model, &choices, number);
			while (!in_order(model, &l));
			tar_begin(&tar);
			write_layer(&l, &choices, on_entry, &tar);
			fd = tar_end(&tar);
			assert_ok(layer_apply(&t->root, fd, NULL, NULL, &opts, NULL, &err), &err);
			model_apply(model, &l);
			for (int i = 0; i < PATHS; i++) {
				bk_autofree char *path = path_of(i, "");
				int got = look(t, i);

				if (got != model[i]) {
					print_error(
						"round %d, layer %d: '%s' is %d, by the model %d\n",
						round, number, path, got, model[i]);
					fail();
				}
			}
		}
		teardown(&own);
	}
}

/* ---- bounds and names --------------------------------------------------------------------------- */

static void apply_one(const struct tree *t, const char *path, mode_t mode, const char *content,
		      enum bk_err_kind kind, const char *message)
{
	const struct layer_opts opts = { .rootless = true };
	bk_autoclose int fd = -1;
	struct bk_err *err = NULL;
	struct tar tar;

	tar_begin(&tar);
	tar_add(&tar, path, mode, content);
	fd = tar_end(&tar);
	if (kind)
		assert_err(layer_apply(&t->root, fd, NULL, NULL, &opts, NULL, &err), &err, kind,
			   message);
	else
		assert_ok(layer_apply(&t->root, fd, NULL, NULL, &opts, NULL, &err), &err);
}

static void test_names(void **state)
{
	const struct tree *t = *state;

	apply_one(t, "../x", S_IFREG | 0644, "x", BK_ERR_CONFIG, "leads upwards");
	apply_one(t, "a/../../x", S_IFREG | 0644, "x", BK_ERR_CONFIG, "leads upwards");
	apply_one(t, ".", S_IFLNK | 0777, "/tmp", BK_ERR_CONFIG, "replaces the root");
	apply_one(t, "a/.wh.", S_IFREG | 0644, "", BK_ERR_CONFIG, "whiteout");
	apply_one(t, "a/.wh..", S_IFREG | 0644, "", BK_ERR_CONFIG, "whiteout");
	apply_one(t, ".wh.x/", S_IFDIR | 0755, NULL, BK_ERR_CONFIG, "whiteout");
	apply_one(t, "./", S_IFDIR | 0755, NULL, 0, NULL);
	apply_one(t, "/abs//olute/./x", S_IFREG | 0644, "x", 0, NULL);
	assert_int_equal(bk_root_lstat(&t->root, "abs/olute/x", &(struct stat){ 0 }, NULL), 0);
	apply_one(t, ".wh..wh.plnk/1.2", S_IFREG | 0644, "x", 0, NULL);
	assert_true(bk_root_lstat(&t->root, ".wh..wh.plnk", &(struct stat){ 0 }, NULL) < 0);
}

static void test_clean(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },	  { ".", "" },		{ "/", "" },	     { "./", "" },
		{ "a", "a" },	  { "./a/", "a" },	{ "//a//b", "a/b" }, { "a/./b/.", "a/b" },
		{ "...", "..." }, { "a/..b", "a/..b" },
	};
	struct bk_err *err = NULL;
	char *clean = NULL;

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(rows); i++) {
		assert_ok(layer_tar_clean(rows[i][0], 4095, 256, &clean, &err), &err);
		assert_string_equal(clean, rows[i][1]);
		free(clean);
	}
	assert_err(layer_tar_clean("a/..", 4095, 256, &clean, &err), &err, BK_ERR_CONFIG, "upwards");
	assert_err(layer_tar_clean("..", 4095, 256, &clean, &err), &err, BK_ERR_CONFIG, "upwards");
}

static void test_bounds(void **state)
{
	const struct tree *t = *state;
	const struct layer_opts few = { .rootless = true, .max_entries = 2 };
	const struct layer_opts small = { .rootless = true, .max_size = 2048 };
	bk_autoclose int fd = -1;
	struct bk_err *err = NULL;
	struct tar tar;

	tar_begin(&tar);
	tar_add(&tar, "a", S_IFREG | 0644, "1");
	tar_add(&tar, "b", S_IFREG | 0644, "2");
	tar_add(&tar, "c", S_IFREG | 0644, "3");
	fd = tar_end(&tar);
	assert_err(layer_apply(&t->root, fd, NULL, NULL, &few, NULL, &err), &err, BK_ERR_CONFIG,
		   "more than 2 entries");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_err(layer_apply(&t->root, fd, NULL, NULL, &small, NULL, &err), &err, BK_ERR_CONFIG,
		   "more than 2048 bytes");
}

static void test_digests(void **state)
{
	static const char wrong[] =
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	const struct tree *t = *state;
	const struct layer_opts opts = { .rootless = true };
	char right[BK_DIGEST_TEXT_SIZE];
	bk_autoclose int fd = -1;
	struct bk_err *err = NULL;
	struct layer_stats stats;
	struct tar tar;

	tar_begin(&tar);
	tar_add(&tar, "a", S_IFREG | 0644, "1");
	fd = tar_end(&tar);
	assert_ok(layer_apply(&t->root, fd, NULL, NULL, &opts, &stats, &err), &err);
	memcpy(right, stats.diff_id, sizeof(right));
	assert_int_equal(stats.entries, 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_ok(layer_apply(&t->root, fd, right, right, &opts, &stats, &err), &err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_err(layer_apply(&t->root, fd, wrong, right, &opts, NULL, &err), &err, BK_ERR_CONFIG,
		   "damaged");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_err(layer_apply(&t->root, fd, right, wrong, &opts, NULL, &err), &err, BK_ERR_CONFIG,
		   "DiffID");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_err(layer_apply(&t->root, fd, "sha256:../x", NULL, &opts, NULL, &err), &err,
		   BK_ERR_CONFIG, "digest");
}

BK_TEST_MAIN(cmocka_unit_test(test_model), cmocka_unit_test(test_clean),
	     cmocka_unit_test_setup_teardown(test_names, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_digests, setup, teardown))
