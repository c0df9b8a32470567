/* SPDX-License-Identifier: Apache-2.0 */
#include "snap/snap_tar.h"

#include <fcntl.h>
#include <string.h>

#include "base/bk_buf.h"
#include "base/bk_fd.h"

#define COPY_SIZE ((size_t)128 << 10)

struct writer {
	snap_tar_sink sink;
	void *ctx;
	char *copy;
	struct bk_err **err;
};

static int put(const struct writer *w, const void *data, size_t len)
{
	return w->sink(w->ctx, data, len, w->err);
}

static int pad(const struct writer *w, uint64_t written)
{
	static const char zeros[BK_TAR_BLOCK];
	size_t n = bk_tar_padding(written);

	return n ? put(w, zeros, n) : 0;
}

static int put_content(const struct writer *w, const struct snap_entry *e)
{
	bk_autoclose int fd = -1;
	uint64_t left = e->size;
	struct stat st;
	int rc = bk_root_openat_nolinks(e->root, e->source, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
					&fd, w->err);

	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return bk_err_set(w->err, BK_ERR_IO, errno, "stat '%s'", e->source);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size)
		return bk_err_set(w->err, BK_ERR_IO, 0, "'%s' was changed while it was read",
				  e->source);
	while (left > 0) {
		size_t want = left < COPY_SIZE ? (size_t)left : COPY_SIZE;
		ssize_t got = bk_fd_read_full(fd, w->copy, want);

		if (got < 0)
			return bk_err_set(w->err, BK_ERR_IO, (int)-got, "read '%s'", e->source);
		if ((size_t)got < want)
			return bk_err_set(w->err, BK_ERR_IO, 0,
					  "'%s' became shorter while it was read", e->source);
		rc = put(w, w->copy, want);
		if (rc < 0)
			return rc;
		left -= want;
	}
	return pad(w, e->size);
}

static int put_entry(const struct writer *w, const struct snap_entry *e)
{
	bk_autobuf struct bk_buf head = BK_BUF_INIT(BK_TAR_PAX_MAX + 4 * (size_t)BK_TAR_BLOCK);
	const struct bk_tar_entry entry = {
		.path = e->path,
		.link = e->link,
		.hardlink = e->hardlink,
		.mode = e->mode,
		.uid = e->uid,
		.gid = e->gid,
		.mtime = e->mtime,
		.size = e->size,
		.rdev = e->rdev,
		.xattrs = e->xattrs,
		.n_xattrs = e->n_xattrs,
	};
	int rc = bk_tar_header(&entry, &head, w->err);

	if (rc == 0)
		rc = put(w, head.data, head.len);
	if (rc == 0 && e->size > 0 && bk_tar_has_content(&entry))
		rc = put_content(w, e);
	return rc;
}

int snap_tar_write(const struct snap_list *l, snap_tar_sink sink, void *ctx, struct bk_err **err)
{
	static const char end[BK_TAR_END];
	bk_autofree char *copy = bk_malloc(COPY_SIZE);
	const struct writer w = { .sink = sink, .ctx = ctx, .copy = copy, .err = err };
	int rc = 0;

	for (size_t i = 0; i < l->n && rc == 0; i++)
		rc = put_entry(&w, &l->items[i]);
	return rc < 0 ? rc : put(&w, end, sizeof(end));
}
