/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read back by another's reader: libarchive. */
#include "bk_test.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "snap/snap_tar.h"

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static int collect(void *ctx, const void *data, size_t len, struct bk_err **err)
{
	struct bk_buf *b = ctx;

	(void)err;
	bk_buf_add(b, data, len);
	return 0;
}

struct world {
	char dir[64];
	struct bk_root root;
	bool xattrs;
};

static int setup(void **state)
{
	struct world *w = bk_calloc(1, sizeof(*w));
	struct bk_err *err = NULL;
	bk_autofree char *file = NULL;
	bk_autofree char *hard = NULL;
	bk_autofree char *link = NULL;

	umask(022);
	snprintf(w->dir, sizeof(w->dir), "/tmp/bock-test-tar-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	file = bk_path_join(w->dir, "file");
	hard = bk_path_join(w->dir, "hard");
	link = bk_path_join(w->dir, "link");
	assert_ok(bk_file_write_atomic(AT_FDCWD, file, "content\n", 8, 0640, false, &err), &err);
	w->xattrs = setxattr(file, "user.note", "a\0b", 3, 0) == 0;
	assert_int_equal(linkat(AT_FDCWD, file, AT_FDCWD, hard, 0), 0);
	assert_int_equal(symlink(LONG LONG, link), 0);
	assert_ok(bk_root_open(&w->root, w->dir, &err), &err);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	bk_root_done(&w->root);
	bk_file_rmtree(AT_FDCWD, w->dir, NULL);
	free(w);
	return 0;
}

static void fill(const struct world *w, struct snap_list *l)
{
	struct snap_entry *e = NULL;
	struct bk_err *err = NULL;

	/* the wrong way round: finish sorts */
	assert_ok(snap_list_add(l, "z/second", &w->root, "hard", NULL, &err), &err);
	assert_ok(snap_list_add(l, "z/first", &w->root, "file", &e, &err), &err);
	e->mtime = -5;
	assert_ok(snap_list_add(l,
				"z/" LONG LONG "/gr\xc3\xbc\xc3\x9f"
				"e",
				&w->root, "file", &e, &err),
		  &err);
	e->nlink = 1;
	e->uid = 3000000;
	e->mtime = 5000000000;
	assert_ok(snap_list_add_dir(l, "z/" LONG LONG, 7, NULL, &err), &err);
	assert_ok(snap_list_add(l, "z/link", &w->root, "link", NULL, &err), &err);
	assert_ok(snap_list_add_whiteout(l, "z/gone", 7, &err), &err);
	assert_ok(snap_list_add_dir(l, "z", 7, NULL, &err), &err);
	assert_ok(snap_list_finish(l, INT64_MAX, &err), &err);
}

static const char *type_of(struct archive_entry *entry)
{
	if (archive_entry_hardlink(entry))
		return "hard";
	switch (archive_entry_filetype(entry)) {
	case AE_IFDIR:
		return "dir";
	case AE_IFLNK:
		return "link";
	default:
		return "file";
	}
}

static void test_read_back(void **state)
{
	const struct world *w = *state;
	snap_autolist struct snap_list *l = snap_list_new();
	bk_autobuf struct bk_buf tar = BK_BUF_INIT(BK_BUF_DOC);
	bk_autobuf struct bk_buf again = BK_BUF_INIT(BK_BUF_DOC);
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct archive *a = archive_read_new();
	struct archive_entry *entry = NULL;
	struct bk_err *err = NULL;
	const char *name = NULL;
	const void *value = NULL;
	size_t size = 0;
	int rc;

	fill(w, l);
	assert_ok(snap_tar_write(l, collect, &tar, &err), &err);
	assert_ok(snap_tar_write(l, collect, &again, &err), &err);
	assert_int_equal(tar.len, again.len);
	assert_memory_equal(tar.data, again.data, tar.len);
	assert_int_equal(tar.len % 512, 0);

	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, tar.data, tar.len), ARCHIVE_OK);
	while ((rc = archive_read_next_header(a, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		char text[16] = "";

		if (archive_entry_size(entry) > 0)
			archive_read_data(a, text, sizeof(text) - 1);
		bk_buf_printf(
			&got, "%s %s %o %lld %lld %s%s", type_of(entry),
			archive_entry_pathname(entry), (unsigned int)archive_entry_perm(entry),
			(long long)archive_entry_mtime(entry), (long long)archive_entry_uid(entry),
			archive_entry_hardlink(entry) ? archive_entry_hardlink(entry) : "",
			archive_entry_symlink(entry) ? archive_entry_symlink(entry) : "");
		bk_buf_printf(&got, "%s%s", text, *text ? "" : "\n");
		if (w->xattrs && strcmp(archive_entry_pathname(entry), "z/first") == 0) {
			archive_entry_xattr_reset(entry);
			assert_int_equal(archive_entry_xattr_next(entry, &name, &value, &size),
					 ARCHIVE_OK);
			assert_string_equal(name, "user.note");
			assert_int_equal(size, 3);
			assert_memory_equal(value, "a\0b", 3);
		}
	}
	assert_int_equal(rc, ARCHIVE_EOF);
	archive_read_free(a);
	/* the link's own times and owner are the test's */
	assert_non_null(strstr(bk_buf_str(&got), "dir z/ 755 7 0 \nfile z/.wh.gone 0 7 0 \n"
						 "dir z/" LONG LONG "/ 755 7 0 \n"
						 "file z/" LONG LONG "/gr\xc3\xbc\xc3\x9f"
						 "e 640 5000000000 3000000 content\n"
						 "file z/first 640 -5 "));
	assert_non_null(strstr(bk_buf_str(&got), LONG LONG "\nhard z/second 640 "));
	assert_non_null(strstr(bk_buf_str(&got), " z/first\n"));
}

static void test_order(void **state)
{
	snap_autolist struct snap_list *l = snap_list_new();
	struct bk_err *err = NULL;
	static const char *const want[] = { "a", "a/b", "a/b/c", "a-b", "a.b" };

	(void)state;
	for (size_t i = BK_ARRAY_SIZE(want); i > 0; i--)
		assert_ok(snap_list_add_dir(l, want[i - 1], 0, NULL, &err), &err);
	assert_ok(snap_list_add_dir(l, "a/b", 9, NULL, &err), &err);
	assert_ok(snap_list_finish(l, 5, &err), &err);
	assert_int_equal(l->n, BK_ARRAY_SIZE(want));
	for (size_t i = 0; i < l->n; i++)
		assert_string_equal(l->items[i].path, want[i]);
	assert_int_equal(l->items[1].mtime, 5);
}

static void test_below_a_file(void **state)
{
	const struct world *w = *state;
	snap_autolist struct snap_list *l = snap_list_new();
	struct bk_err *err = NULL;

	assert_ok(snap_list_add(l, "x", &w->root, "file", NULL, &err), &err);
	assert_ok(snap_list_add(l, "x/y", &w->root, "file", NULL, &err), &err);
	assert_err(snap_list_finish(l, 0, &err), &err, BK_ERR_CONFIG,
		   "'/x' is no directory and can't hold '/x/y'");
}

static void test_changed_meanwhile(void **state)
{
	const struct world *w = *state;
	snap_autolist struct snap_list *l = snap_list_new();
	bk_autobuf struct bk_buf tar = BK_BUF_INIT(BK_BUF_DOC);
	bk_autofree char *file = bk_path_join(w->dir, "file");
	struct bk_err *err = NULL;

	assert_ok(snap_list_add(l, "x", &w->root, "file", NULL, &err), &err);
	assert_ok(snap_list_finish(l, 0, &err), &err);
	assert_int_equal(truncate(file, 3), 0);
	assert_err(snap_tar_write(l, collect, &tar, &err), &err, BK_ERR_IO,
		   "'file' was changed while it was read");
}

BK_TEST_MAIN(cmocka_unit_test_setup_teardown(test_read_back, setup, teardown),
	     cmocka_unit_test(test_order),
	     cmocka_unit_test_setup_teardown(test_below_a_file, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_changed_meanwhile, setup, teardown))
