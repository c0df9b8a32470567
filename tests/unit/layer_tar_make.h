/* SPDX-License-Identifier: Apache-2.0 */
/* Tars for the tests of layers, made by libarchive. */
#ifndef LAYER_TAR_MAKE_H
#define LAYER_TAR_MAKE_H

#include "bk_test.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"

#define TAR_MAX ((size_t)16 << 20)

struct tar {
	struct archive *a;
	struct bk_buf bytes;
};

static inline la_ssize_t on_write(struct archive *a, void *ctx, const void *data, size_t len)
{
	struct tar *t = ctx;

	(void)a;
	return bk_buf_add(&t->bytes, data, len) ? (la_ssize_t)len : -1;
}

static inline void tar_begin(struct tar *t)
{
	*t = (struct tar){ .bytes = BK_BUF_INIT(TAR_MAX) };
	t->a = archive_write_new();
	assert_int_equal(archive_write_set_format_pax_restricted(t->a), ARCHIVE_OK);
	assert_int_equal(archive_write_open(t->a, t, NULL, on_write, NULL), ARCHIVE_OK);
}

static inline void tar_add(struct tar *t, const char *path, mode_t mode, const char *content)
{
	struct archive_entry *e = archive_entry_new();
	size_t len = content && S_ISREG(mode) ? strlen(content) : 0;

	archive_entry_set_pathname(e, path);
	archive_entry_set_mode(e, mode);
	archive_entry_set_size(e, (la_int64_t)len);
	archive_entry_set_mtime(e, 1600000000, 0);
	archive_entry_set_uid(e, 0);
	archive_entry_set_gid(e, 0);
	if (S_ISLNK(mode))
		archive_entry_set_symlink(e, content);
	assert_int_equal(archive_write_header(t->a, e), ARCHIVE_OK);
	if (len > 0)
		assert_int_equal(archive_write_data(t->a, content, len), len);
	archive_entry_free(e);
}

/* The tar as a file to read; t is done with. */
static inline int tar_end(struct tar *t)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_int_equal(archive_write_free(t->a), ARCHIVE_OK);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, t->bytes.data, t->bytes.len), t->bytes.len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	bk_buf_done(&t->bytes);
	return fd;
}

#endif
