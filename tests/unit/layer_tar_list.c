/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tar parser sees in each file named: one line an entry, then "ok" or "bad REASON". For
 * tests/helpers/tar-differential, which holds it against what GNU tar sees.
 *
 *	TYPE MODE UID GID SIZE MTIME CRC PATH [LINK]	(bytes that are not graphic as \ooo)
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <zlib.h>

#include "layer/layer_tar.h"

#define LIST_MAX ((uint64_t)64 << 20)

static void print_text(const char *text)
{
	putchar(' ');
	if (!*text)
		putchar('.');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p > ' ' && *p < 127 && *p != '\\')
			putchar(*p);
		else
			printf("\\%03o", *p);
	}
}

/* Of the content as it would be written, holes included. */
static int content_crc(struct layer_tar *tar, uint64_t size, unsigned long *ret,
		       struct bk_err **err)
{
	bk_autoclose int fd = memfd_create("content", MFD_CLOEXEC);
	int rc = layer_tar_content(tar, fd, err);
	void *data;

	*ret = crc32(0, NULL, 0);
	if (rc < 0 || size == 0)
		return rc;
	data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return bk_err_set(err, BK_ERR_IO, errno, "map");
	*ret = crc32_z(*ret, data, size);
	(void)munmap(data, size);
	return 0;
}

static char type_of(const struct layer_entry *e)
{
	switch (e->attrs.mode & S_IFMT) {
	case S_IFREG:
		return e->is_hardlink ? 'h' : '-';
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	default:
		return 'p';
	}
}

static int list(struct layer_tar *tar, struct bk_err **err)
{
	for (;;) {
		struct layer_entry e;
		unsigned long crc = 0;
		bool more;
		int rc = layer_tar_next(tar, &e, &more, err);

		if (rc < 0 || !more)
			return rc;
		if (type_of(&e) == '-')
			rc = content_crc(tar, e.size, &crc, err);
		if (rc < 0)
			return rc;
		printf("%c %04o %u %u ", type_of(&e), e.attrs.mode & 07777, e.attrs.uid,
		       e.attrs.gid);
		if (S_ISCHR(e.attrs.mode) || S_ISBLK(e.attrs.mode))
			printf("%u,%u", major(e.rdev), minor(e.rdev));
		else
			printf("%" PRIu64, e.size);
		printf(" %" PRId64 " %08lx", (int64_t)e.attrs.mtime.tv_sec, crc);
		print_text(e.path);
		if (e.link)
			print_text(e.link);
		putchar('\n');
	}
}

static int list_file(const char *path, struct bk_err **err)
{
	const struct layer_stream_opts so = { .max_size = LIST_MAX, .threads = 1 };
	const struct layer_opts lo = { .max_file = LIST_MAX };
	bk_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	bk_autolayerstream struct layer_stream *stream = NULL;
	bk_autolayertar struct layer_tar *tar = NULL;
	char diff_id[BK_DIGEST_TEXT_SIZE];
	int rc;

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open");
	rc = layer_stream_new(fd, &so, &stream, err);
	if (rc == 0)
		rc = layer_tar_new(stream, &lo, &tar, err);
	if (rc == 0)
		rc = list(tar, err);
	return rc < 0 ? rc : layer_stream_finish(stream, diff_id, err);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct bk_err *err = NULL;
		char text[BK_ERR_MSG_MAX];

		if (list_file(argv[i], &err) < 0)
			printf("bad %s\n", bk_err_print(err, text, sizeof(text)));
		else
			printf("ok\n");
		bk_err_clear(&err);
	}
	return 0;
}
