/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes of layers in the form of EROFS, read back by a reader of the test's own. */
#include "bk_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/bk_map.h"
#include "base/bk_str.h"
#include "layer/layer_erofs.h"
#include "layer_tar_make.h"

#define BLOCK	   512
#define ROUNDS	   150
#define LAYERS	   3
#define ENTRIES	   60
#define CONTENT_MAX 3000

static const struct layer_opts opts;

struct image {
	int fd, tars[LAYERS];
	size_t n_tars;
	uint64_t size;
	struct bk_buf seen;	/* what was read: a line each */
	size_t n_inodes;
};

static uint64_t get(const unsigned char *p, int n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | p[n];
	return value;
}

static void read_at(int fd, uint64_t at, void *buf, size_t n)
{
	assert_int_equal(pread(fd, buf, n, (off_t)at), n);
}

/* "NAME=SIZE," for each attribute, whose values must be of one letter. */
static void read_xattrs(struct image *i, uint64_t at, size_t icount)
{
	uint64_t end = at + 12 + 4 * (icount - 1);
	unsigned char head[12];

	if (icount == 0)
		return;
	read_at(i->fd, at, head, sizeof(head));
	assert_int_equal(head[4], 0);
	for (at += 12; at < end;) {
		unsigned char e[4], name[256] = { 0 };
		bk_autofree unsigned char *value = NULL;
		size_t size;

		read_at(i->fd, at, e, sizeof(e));
		size = (size_t)get(e + 2, 2);
		assert_in_range(e[1], 1, 6);
		read_at(i->fd, at + 4, name, e[0]);
		value = bk_calloc(size + 1, 1);
		read_at(i->fd, at + 4 + e[0], value, size);
		for (size_t k = 1; k < size; k++)
			assert_int_equal(value[k], value[0]);
		bk_buf_printf(&i->seen, " %d%s=%zu%s", e[1], (char *)name, size, size ? (char[]){ (char)value[0], '\0' } : "");
		at += (4u + e[0] + size + 3) / 4 * 4;
	}
	assert_int_equal(at, end);
}

/* Bytes of a file: from the tar or the image that each chunk names. */
static void read_content(struct image *i, uint64_t at, unsigned int format, uint64_t size)
{
	uint64_t chunk = (uint64_t)BLOCK << (format & 0x1f);
	bk_autofree char *content = bk_calloc((size_t)size + 1, 1);

	assert_int_equal(format & ~0x1fu, 0x20);
	for (uint64_t done = 0; done < size; done += chunk, at += 8) {
		uint64_t n = size - done < chunk ? size - done : chunk;
		unsigned char index[8];
		uint64_t device, block;

		read_at(i->fd, at, index, sizeof(index));
		device = get(index + 2, 2);
		block = get(index + 4, 4);
		assert_in_range(device, 0, i->n_tars);
		if (block != UINT32_MAX)
			read_at(device ? i->tars[device - 1] : i->fd, block * BLOCK, content + done, (size_t)n);
	}
	for (uint64_t k = 0; k < size; k++)
		bk_buf_addc(&i->seen, content[k] ? content[k] : '0');
}

static void read_inode(struct image *i, const char *path, uint64_t nid, uint64_t parent);

/* One block of a directory: in order, behind what came before. */
static void read_names(struct image *i, const char *path, const unsigned char *block, char last[256], uint64_t nid, uint64_t parent)
{
	size_t n = (size_t)get(block + 8, 2) / 12;

	assert_int_equal(get(block + 8, 2) % 12, 0);
	for (size_t k = 0; k < n; k++) {
		const unsigned char *d = block + 12 * k;
		size_t at = (size_t)get(d + 8, 2), end = k + 1 < n ? (size_t)get(d + 12 + 8, 2) : BLOCK;
		bk_autofree char *name = NULL, *below = NULL;

		assert_true(at < end && end <= BLOCK);
		name = bk_strndup((const char *)block + at, strnlen((const char *)block + at, end - at));
		assert_in_range(strlen(name), 1, 255);
		assert_true(strcmp(last, name) < 0);
		(void)snprintf(last, 256, "%s", name);
		if (bk_streq(name, ".") || bk_streq(name, "..")) {
			assert_int_equal(get(d, 8), name[1] ? parent : nid);
			assert_int_equal(d[10], 2);
			continue;
		}
		below = bk_asprintf("%s/%s", path, name);
		read_inode(i, below, get(d, 8), nid);
	}
}

static void read_dir(struct image *i, const char *path, uint64_t at, uint64_t size, uint64_t nid, uint64_t parent)
{
	char last[256] = "";

	assert_int_equal(size % BLOCK, 0);
	for (uint64_t done = 0; done < size; done += BLOCK) {
		unsigned char block[BLOCK];

		read_at(i->fd, at + done, block, sizeof(block));
		read_names(i, path, block, last, nid, parent);
	}
}

static void read_inode(struct image *i, const char *path, uint64_t nid, uint64_t parent)
{
	unsigned char s[64];
	uint64_t at = nid * 32, size, block;
	unsigned int icount, mode;

	read_at(i->fd, at, s, sizeof(s));
	icount = (unsigned int)get(s + 2, 2);
	mode = (unsigned int)get(s + 4, 2);
	size = get(s + 8, 8);
	block = get(s + 16, 4);
	assert_in_range(get(s + 20, 4), 1, i->n_inodes);
	bk_buf_printf(&i->seen, "%s %o %u:%u %llu %u", path, mode, (unsigned int)get(s + 24, 4), (unsigned int)get(s + 28, 4),
		      (unsigned long long)get(s + 32, 8), S_ISDIR(mode) ? 0 : (unsigned int)get(s + 44, 4));
	read_xattrs(i, at + 64, icount);
	bk_buf_addc(&i->seen, ' ');
	at += 64 + (icount ? 12 + 4 * (icount - 1) : 0);
	if (S_ISREG(mode) && size > 0) {
		assert_int_equal(get(s, 2), 9);
		read_content(i, (at + 7) / 8 * 8, (unsigned int)block, size);
	} else if (S_ISLNK(mode)) {
		bk_autofree char *link = bk_calloc((size_t)size + 1, 1);

		assert_int_equal(get(s, 2), 1);
		read_at(i->fd, block * BLOCK, link, (size_t)size);
		bk_buf_adds(&i->seen, link);
	}
	bk_buf_addc(&i->seen, '\n');
	if (S_ISDIR(mode))
		read_dir(i, path, block * BLOCK, size, nid, parent);
}

static void read_image(struct image *i)
{
	unsigned char super[128];
	struct stat st;
	uint64_t root;

	assert_int_equal(fstat(i->fd, &st), 0);
	read_at(i->fd, 1024, super, sizeof(super));
	assert_int_equal(get(super, 4), 0xe0f5e1e2);
	assert_int_equal(super[12], 9);
	assert_int_equal(get(super + 36, 4) * BLOCK, st.st_size);
	assert_int_equal(get(super + 80, 4), 0xc);
	assert_int_equal(get(super + 86, 2), i->n_tars);
	for (size_t k = 0; k < i->n_tars; k++) {
		unsigned char blocks[4];

		assert_int_equal(fstat(i->tars[k], &st), 0);
		read_at(i->fd, get(super + 88, 2) * 128 + 128 * k + 64, blocks, sizeof(blocks));
		assert_int_equal(get(blocks, 4), (st.st_size + BLOCK - 1) / BLOCK);
	}
	root = get(super + 14, 2);
	i->n_inodes = (size_t)get(super + 16, 8);
	i->seen = (struct bk_buf)BK_BUF_INIT(TAR_MAX);
	read_inode(i, "", root, root);
}

static int new_file(void)
{
	int fd = memfd_create("index", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void write_image(struct image *i, int fd)
{
	bk_autolayerview struct layer_view *v = layer_view_new_places();
	struct bk_err *err = NULL;

	for (size_t k = 0; k < i->n_tars; k++) {
		assert_int_equal(lseek(i->tars[k], 0, SEEK_SET), 0);
		assert_ok(layer_view_fd(v, i->tars[k], NULL, NULL, &opts, &err), &err);
	}
	assert_ok(layer_erofs_write(v, i->tars, i->n_tars, fd, NULL, NULL, &err), &err);
}

static void close_image(struct image *i)
{
	for (size_t k = 0; k < i->n_tars; k++)
		bk_close(&i->tars[k]);
	bk_close(&i->fd);
	bk_buf_done(&i->seen);
}

/* ---- what there is ------------------------------------------------------------------------------ */

static void add_rich(struct tar *t, const char *path, const char *content, const char *xattr, size_t size)
{
	struct archive_entry *e = archive_entry_new();
	bk_autofree char *value = bk_malloc(size + 1);

	memset(value, 'v', size + 1);
	archive_entry_set_pathname(e, path);
	archive_entry_set_mode(e, S_IFREG | 04711);
	archive_entry_set_size(e, (la_int64_t)strlen(content));
	archive_entry_set_mtime(e, 1600000001, 5);
	archive_entry_set_uid(e, 100000);
	archive_entry_set_gid(e, 4000000);
	archive_entry_xattr_add_entry(e, xattr, value, size);
	assert_int_equal(archive_write_header(t->a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(t->a, content, strlen(content)), strlen(content));
	archive_entry_free(e);
}

static void test_all(void **state)
{
	struct image i = { .fd = new_file(), .n_tars = 2 };
	struct tar t;

	(void)state;
	tar_begin(&t);
	tar_add(&t, "d", S_IFDIR | 01777, NULL);
	tar_add(&t, "d/-", S_IFREG | 0644, "before the dot");
	tar_add(&t, "d/a", S_IFREG | 0600, "");
	tar_add(&t, "d/l", S_IFLNK | 0777, "../x");
	tar_add(&t, "gone", S_IFREG | 0600, "x");
	tar_add(&t, "f", S_IFIFO | 0622, NULL);
	i.tars[0] = tar_end(&t);
	tar_begin(&t);
	add_rich(&t, "x", "content", "user.note", 700);
	tar_add(&t, ".wh.gone", S_IFREG | 0600, "");
	tar_add(&t, "u/n", S_IFREG | 0644, "n");
	i.tars[1] = tar_end(&t);
	write_image(&i, i.fd);
	read_image(&i);
	assert_string_equal(bk_buf_str(&i.seen), " 40755 0:0 0 0 \n"
						 "/d 41777 0:0 1600000000 0 \n"
						 "/d/- 100644 0:0 1600000000 1 before the dot\n"
						 "/d/a 100600 0:0 1600000000 1 \n"
						 "/d/l 120777 0:0 1600000000 1 ../x\n"
						 "/f 10622 0:0 1600000000 1 \n"
						 "/u 40755 0:0 0 0 \n"
						 "/u/n 100644 0:0 1600000000 1 n\n"
						 "/x 104711 100000:4000000 1600000001 1 1note=700v content\n");
	close_image(&i);
}

/* ---- at random ---------------------------------------------------------------------------------- */

static unsigned int next(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 8) % n;
}

static void random_name(unsigned int *seed, char name[260])
{
	size_t len = next(seed, 4) ? 1 + next(seed, 3) : 1 + next(seed, 250);

	name[0] = "abc!~"[next(seed, 5)];
	memset(name + 1, "x-"[next(seed, 2)], len);
	name[len] = '\0';
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_same_lines(const struct bk_map *want, const char *seen)
{
	bk_autostrv char **lines = bk_strv_split(seen, "\n");
	bk_autostrv char **wanted = NULL;
	size_t it = 0, n;
	const char *path;
	void *value;

	while (bk_map_next(want, &it, &path, &value))
		bk_strv_push(&wanted, bk_asprintf("/%s %s", path, (char *)value));
	bk_strv_add(&wanted, " 40755 0:0 0 0 ");
	n = bk_strv_len(wanted);
	qsort(wanted, n, sizeof(*wanted), compare_lines);
	qsort(lines, bk_strv_len(lines), sizeof(*lines), compare_lines);
	assert_int_equal(bk_strv_len(lines), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(lines[i], wanted[i]);
}

/* A layer of files and directories, whose lines go to want. */
static int random_layer(unsigned int *seed, struct bk_map *want, struct bk_map *dirs)
{
	struct tar t;

	tar_begin(&t);
	for (int k = 0; k < ENTRIES; k++) {
		char name[260], content[CONTENT_MAX + 1];
		bk_autofree char *path = NULL;
		size_t it = 0, len = next(seed, 3) ? next(seed, CONTENT_MAX) : 512 * next(seed, 5), skip;
		const char *dir = "";
		void *value;

		for (skip = next(seed, 8); skip > 0 && bk_map_next(dirs, &it, &dir, &value); skip--)
			;
		random_name(seed, name);
		path = bk_asprintf("%s%s%s", dir, *dir ? "/" : "", name);
		if (strlen(path) > 900 || bk_map_has(dirs, path))
			continue;
		if (next(seed, 4) == 0 && !bk_map_has(want, path)) {
			tar_add(&t, path, S_IFDIR | 0700, NULL);
			(void)bk_map_set(dirs, path, want);
			(void)bk_map_set(want, path, bk_strdup("40700 0:0 1600000000 0 "));
			continue;
		}
		memset(content, 'a' + (char)next(seed, 26), len);
		content[len] = '\0';
		tar_add(&t, path, S_IFREG | 0644, content);
		(void)bk_map_set(want, path, bk_asprintf("100644 0:0 1600000000 1 %s", content));
	}
	return tar_end(&t);
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		bk_automap struct bk_map *want = bk_map_new(free);
		bk_automap struct bk_map *dirs = bk_map_new(NULL);
		struct image i = { .fd = new_file(), .n_tars = 1 + round % LAYERS };
		bk_autoclose int again = new_file();
		unsigned int seed = round;
		struct stat a, b;

		for (size_t k = 0; k < i.n_tars; k++)
			i.tars[k] = random_layer(&seed, want, dirs);
		write_image(&i, i.fd);
		read_image(&i);
		assert_same_lines(want, bk_buf_str(&i.seen));
		/* the same bytes again */
		write_image(&i, again);
		assert_int_equal(fstat(i.fd, &a), 0);
		assert_int_equal(fstat(again, &b), 0);
		assert_int_equal(a.st_size, b.st_size);
		for (off_t at = 0; at < a.st_size; at += BLOCK) {
			unsigned char x[BLOCK], y[BLOCK];

			read_at(i.fd, (uint64_t)at, x, sizeof(x));
			read_at(again, (uint64_t)at, y, sizeof(y));
			assert_memory_equal(x, y, sizeof(x));
		}
		close_image(&i);
	}
}

/* ---- bounds ------------------------------------------------------------------------------------- */

static void test_bounds(void **state)
{
	bk_autolayerview struct layer_view *v = layer_view_new_places();
	bk_autoclose int fd = new_file();
	struct bk_err *err = NULL;
	struct image i = { .n_tars = 1, .fd = -1 };
	struct tar t;

	(void)state;
	assert_err(layer_erofs_write(v, NULL, LAYER_EROFS_LAYERS_MAX + 1, fd, NULL, NULL, &err), &err, BK_ERR_UNSUPPORTED,
		   "an index has at most 127 layers, not 128");
	tar_begin(&t);
	add_rich(&t, "x", "c", "user.big", 65536);
	i.tars[0] = tar_end(&t);
	assert_ok(layer_view_fd(v, i.tars[0], NULL, NULL, &opts, &err), &err);
	assert_err(layer_erofs_write(v, i.tars, 1, fd, NULL, NULL, &err), &err, BK_ERR_UNSUPPORTED,
		   "'/x': EROFS can't hold the attribute 'user.big'");
	close_image(&i);
}

BK_TEST_MAIN(cmocka_unit_test(test_all), cmocka_unit_test(test_random), cmocka_unit_test(test_bounds))
