/* SPDX-License-Identifier: Apache-2.0 */
/* Layers in memory: against the model of image-spec's rules, and what differs between two of them. */
#include "bk_test.h"

#include <unistd.h>

#include "base/bk_map.h"
#include "base/bk_str.h"
#include "layer/layer_sum.h"
#include "layer/layer_view.h"
#include "layer_model.h"
#include "layer_tar_make.h"

static const struct layer_opts opts;

/* The changes as text: "A a/b\n". */
static int note(void *ctx, const struct layer_change *c, struct bk_err **err)
{
	(void)err;
	bk_buf_printf(ctx, "%c %s", !c->old ? 'A' : !c->new ? 'D' : 'C', c->path);
	if (c->what)
		bk_buf_printf(ctx, " %x", c->what);
	bk_buf_addc(ctx, '\n');
	return 0;
}

static void assert_changes(const struct layer_view *old, const struct layer_view *new, const char *expected)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(TAR_MAX);
	struct bk_err *err = NULL;

	assert_ok(layer_view_compare(old, new, note, &text, &err), &err);
	assert_string_equal(bk_buf_str(&text), expected);
}

static void apply(struct layer_view *v, struct tar *tar)
{
	bk_autoclose int fd = tar_end(tar);
	struct bk_err *err = NULL;

	assert_ok(layer_view_fd(v, fd, NULL, NULL, &opts, &err), &err);
}

/* ---- the model ---------------------------------------------------------------------------------- */

static void on_entry(void *ctx, const char *path, mode_t mode, const char *content)
{
	tar_add(ctx, path, mode, content);
}

static int by_path(const void *a, const void *b)
{
	const char *x = path_of(*(const int *)a, ""), *y = path_of(*(const int *)b, "");
	int order = strcmp(x, y);

	free((char *)(uintptr_t)x);
	free((char *)(uintptr_t)y);
	return order;
}

/* What the model says of two states, as assert_changes has it. Its names have no byte below '/'. */
static void model_changes(const int old[PATHS], const int new[PATHS], struct bk_buf *ret)
{
	int order[PATHS];

	for (int i = 0; i < PATHS; i++)
		order[i] = i;
	qsort(order, PATHS, sizeof(order[0]), by_path);
	for (int k = 0; k < PATHS; k++) {
		const int i = order[k];
		bk_autofree char *path = path_of(i, "");
		const bool both = old[i] != NOTHING && new[i] != NOTHING;

		if (old[i] == new[i])
			continue;
		bk_buf_printf(ret, "%c %s", both ? 'C' : old[i] ? 'D' : 'A', path);
		if (both && (old[i] == DIRECTORY || new[i] == DIRECTORY))
			bk_buf_printf(ret, " %x", LAYER_CHANGE_TYPE | LAYER_CHANGE_MODE);
		else if (both)
			bk_buf_printf(ret, " %x", LAYER_CHANGE_CONTENT);
		bk_buf_addc(ret, '\n');
	}
}

/* Numbers of one digit, so that sizes are the same. */
static void test_model(void **state)
{
	struct choices choices = { .seed = 20260202 };

	(void)state;
	for (int round = 0; round < 300; round++) {
		bk_autolayerview struct layer_view *none = layer_view_new(), *before = layer_view_new();
		bk_autolayerview struct layer_view *v = layer_view_copy(before);
		const int nothing[PATHS] = { NOTHING };
		int model[PATHS] = { NOTHING }, old[PATHS] = { NOTHING };

		for (int number = 0; number < 4; number++) {
			bk_autobuf struct bk_buf all = BK_BUF_INIT(TAR_MAX), part = BK_BUF_INIT(TAR_MAX);
			struct layer l;
			struct tar tar;

			do
				random_layer(&l, model, &choices, number);
			while (!in_order(model, &l));
			tar_begin(&tar);
			write_layer(&l, &choices, on_entry, &tar);
			apply(v, &tar);
			model_apply(model, &l);
			model_changes(nothing, model, &all);
			assert_changes(none, v, bk_buf_str(&all));
			model_changes(old, model, &part);
			assert_changes(before, v, bk_buf_str(&part));
			/* From the second layer on a copy goes on, and what it is of stays as it is. */
			if (number == 1) {
				layer_view_free(before);
				before = v;
				v = layer_view_copy(before);
				memcpy(old, model, sizeof(old));
			}
		}
	}
}

/* ---- what differs ------------------------------------------------------------------------------- */

static void test_links(void **state)
{
	bk_autolayerview struct layer_view *none = layer_view_new(), *v = layer_view_new();
	struct tar tar;

	(void)state;
	tar_begin(&tar);
	tar_add(&tar, "up", S_IFLNK | 0777, "../../..//made/./here");
	tar_add(&tar, "abs", S_IFLNK | 0777, "/up/..");
	tar_add(&tar, "up/file", S_IFREG | 0644, "x");
	tar_add(&tar, "abs/up", S_IFREG | 0644, "x");
	apply(v, &tar);
	assert_changes(none, v, "A abs\nA made\nA made/here\nA made/here/file\nA made/up\nA up\n");
}

static void refuse(const char *a, const char *a_target, const char *b, const char *message)
{
	bk_autolayerview struct layer_view *v = layer_view_new();
	bk_autoclose int fd = -1;
	struct bk_err *err = NULL;
	struct tar tar;

	tar_begin(&tar);
	tar_add(&tar, a, a_target ? S_IFLNK | 0777 : S_IFREG | 0644, a_target ? a_target : "x");
	tar_add(&tar, b, S_IFREG | 0644, "x");
	fd = tar_end(&tar);
	assert_err(layer_view_fd(v, fd, NULL, NULL, &opts, &err), &err, BK_ERR_CONFIG, message);
}

static void test_refused(void **state)
{
	bk_autobuf struct bk_buf deep = BK_BUF_INIT(TAR_MAX);
	bk_autolayerview struct layer_view *v = layer_view_new();
	bk_autoclose int fd = -1;
	struct bk_err *err = NULL;
	struct tar tar;

	(void)state;
	refuse("loop", "loop", "loop/x", "links on the way");
	refuse("file", NULL, "file/x", "Not a directory");
	refuse("a", NULL, "../x", "leads upwards");
	/* Each link leads further down than the one before. */
	tar_begin(&tar);
	for (int i = 0; i < 200; i++)
		bk_buf_adds(&deep, i ? "/d" : "d");
	tar_add(&tar, "l1", S_IFLNK | 0777, bk_buf_str(&deep));
	tar_add(&tar, "l1/l2", S_IFLNK | 0777, bk_buf_str(&deep));
	tar_add(&tar, "l1/l2/l3", S_IFLNK | 0777, bk_buf_str(&deep));
	tar_add(&tar, "l1/l2/l3/x", S_IFREG | 0644, "x");
	fd = tar_end(&tar);
	assert_err(layer_view_fd(v, fd, NULL, NULL, &opts, &err), &err, BK_ERR_CONFIG, "deeper than 512");
}

/* ---- sums --------------------------------------------------------------------------------------- */

static void sum_of(const char *data, size_t len, size_t piece, bool holes, char ret[BK_DIGEST_TEXT_SIZE])
{
	struct layer_sum sum;

	layer_sum_init(&sum);
	for (size_t at = 0; at < len; at += piece) {
		size_t part = len - at < piece ? len - at : piece, zeros = 0;

		while (zeros < part && data[at + zeros] == 0)
			zeros++;
		if (holes && zeros == part)
			layer_sum_hole(&sum, part);
		else
			layer_sum_add(&sum, data + at, part);
	}
	layer_sum_end(&sum, ret);
}

static void test_sum(void **state)
{
	static char data[5 * LAYER_SUM_BLOCK + 77];
	char whole[BK_DIGEST_TEXT_SIZE], other[BK_DIGEST_TEXT_SIZE];

	(void)state;
	memset(data + 10, 'x', 20);
	memset(data + 3 * LAYER_SUM_BLOCK - 1, 'y', 2);
	sum_of(data, sizeof(data), sizeof(data), false, whole);
	for (size_t piece = 1; piece < sizeof(data); piece += piece < 16 ? 1 : 997) {
		sum_of(data, sizeof(data), piece, piece % 2, other);
		assert_string_equal(other, whole);
	}
	data[4 * LAYER_SUM_BLOCK] = 'z';
	sum_of(data, sizeof(data), 512, true, other);
	assert_string_not_equal(other, whole);
	/* The same bytes a block further on are another content. */
	memset(data, 0, sizeof(data));
	data[0] = 'a';
	sum_of(data, sizeof(data), 512, true, whole);
	data[0] = 0;
	data[LAYER_SUM_BLOCK] = 'a';
	sum_of(data, sizeof(data), 512, true, other);
	assert_string_not_equal(other, whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
