/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar parser: whatever the input is, names come out clean, kinds are known, and content has the size
 * that its entry says. Every second input has its checksums made right first, for few would pass.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_tar.h"
#include "layer/layer_tar_priv.h"

#define FILE_MAX ((uint64_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_layer_tar: %s\n", what);
	abort();
}

struct memory {
	const uint8_t *data;
	size_t len;
};

static ssize_t read_memory(void *ctx, void *buf, size_t size, struct bk_err **err)
{
	struct memory *m = ctx;
	size_t n = m->len < size ? m->len : size;

	(void)err;
	memcpy(buf, m->data, n);
	m->data += n;
	m->len -= n;
	return (ssize_t)n;
}

static void check_name(const char *path)
{
	must(*path != '/' && !strstr(path, "//"), "a name that is not clean");
	for (const char *p = path; p; p = strchr(p, '/')) {
		size_t len;

		p += *p == '/';
		len = strcspn(p, "/");
		must(len > 0 || !*path, "an empty component");
		must(!(len == 1 && *p == '.') && !(len == 2 && p[0] == '.' && p[1] == '.'),
		     "a name that is not clean");
	}
}

static void check_entry(const struct layer_entry *e)
{
	check_name(e->path);
	if (e->is_hardlink)
		check_name(e->link);
	must(!S_ISLNK(e->attrs.mode) || (e->link && *e->link), "a link without a target");
	must(e->size <= FILE_MAX, "an entry past the bound");
	must(e->attrs.uid != UINT32_MAX && e->attrs.gid != UINT32_MAX, "no owner");
	must(e->attrs.mtime.tv_nsec >= 0 && e->attrs.mtime.tv_nsec < 1000000000, "a time");
	must(e->attrs.n_xattrs <= LAYER_XATTRS_MAX, "too many attributes");
}

static int check_content(struct layer_tar *tar, const struct layer_entry *e, struct bk_err **err)
{
	bk_autoclose int fd = memfd_create("content", MFD_CLOEXEC);
	struct stat st;
	int rc = layer_tar_content(tar, fd, err);

	if (rc == 0)
		must(fstat(fd, &st) == 0 && (uint64_t)st.st_size == e->size, "another size");
	return rc;
}

static void make_checksums_right(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
		struct tar_header h;
		unsigned int sum = 0;

		memcpy(&h, data + at, sizeof(h));
		if (memcmp(h.magic, "ustar", 5) != 0)
			continue;
		memset(h.chksum, ' ', sizeof(h.chksum));
		for (size_t i = 0; i < sizeof(h); i++)
			sum += ((const uint8_t *)&h)[i];
		snprintf(h.chksum, sizeof(h.chksum), "%06o", sum);
		memcpy(data + at, &h, sizeof(h));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct layer_opts opts = { .max_file = FILE_MAX };
	const struct layer_stream_opts so = { .max_size = 16 << 20, .threads = 1 };
	bk_autofree uint8_t *copy = bk_memdup(size ? (const void *)data : "", size ? size : 1);
	struct memory m = { .data = copy, .len = size };
	const struct layer_source source = { .read = read_memory, .ctx = &m };
	bk_autolayerstream struct layer_stream *stream = NULL;
	bk_autolayertar struct layer_tar *tar = NULL;
	struct bk_err *err = NULL;
	bool more = true;
	int rc;

	if (size % 2 == 0)
		make_checksums_right(copy, size);
	must(layer_stream_new_from(&source, &so, &stream, &err) == 0, "no stream");
	must(layer_tar_new(stream, &opts, &tar, &err) == 0, "no tar");
	do {
		struct layer_entry e;

		rc = layer_tar_next(tar, &e, &more, &err);
		if (rc == 0 && more) {
			check_entry(&e);
			if (S_ISREG(e.attrs.mode) && !e.is_hardlink)
				rc = check_content(tar, &e, &err);
		}
	} while (rc == 0 && more);
	must((rc < 0) == (err != NULL), "an error without a failure");
	bk_err_clear(&err);
	return 0;
}
