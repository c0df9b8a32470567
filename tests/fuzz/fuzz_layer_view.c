/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two stacks of layers differ by. The input is a tar that is cut in three: the layer that both stacks begin with, and the
 * second of each. Whatever they hold, names come in order, a stack does not differ from its copy, the differences the other way round
 * are the same ones mirrored, and what both layer_view and layer_apply take, layer_view knows as it is on the disk.
 *
 * The first byte says at which block the first cut is, the second at which block behind it the second is.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_tar_priv.h"
#include "layer/layer_view.h"

#define INPUT_MAX  ((size_t)256 << 10)
#define TEXT_LIMIT ((size_t)64 << 20)
#define LINK_SIZE  4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char base[64];

static void forget_base(void)
{
	(void)bk_file_rmtree(AT_FDCWD, base, NULL);
}

static void must(bool ok, const char *what, const char *path)
{
	if (ok)
		return;
	fprintf(stderr, "fuzz_layer_view: %s: '%s'\n", what, path);
	abort();
}

/* ---- layers ------------------------------------------------------------------------------------- */

struct warned {
	bool any;
};

static void warn(void *ctx, const char *message)
{
	struct warned *w = ctx;

	(void)message;
	w->any = true;
}

static const struct layer_opts bounds = {
	.rootless = true, .max_entries = 200, .max_size = 4 << 20, .max_file = 1 << 20, .threads = 1,
	.max_depth = 40,
};

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

/* The blocks as a layer, with the end that a tar has. */
static int blob_of(const uint8_t *data, size_t size)
{
	static const char zeros[2 * TAR_BLOCK];
	int fd = memfd_create("layer", MFD_CLOEXEC);

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size &&
		     write(fd, zeros, sizeof(zeros)) == (ssize_t)sizeof(zeros),
	     "write", "a layer");
	return fd;
}

static bool view_takes(struct layer_view *v, int fd)
{
	struct bk_err *err = NULL;
	int rc;

	must(lseek(fd, 0, SEEK_SET) == 0, "seek", "a layer");
	rc = layer_view_fd(v, fd, NULL, NULL, &bounds, &err);
	must((rc < 0) == (err != NULL), "an error without a failure", "layer_view_fd");
	bk_err_clear(&err);
	return rc == 0;
}

/* ---- differences -------------------------------------------------------------------------------- */

struct changes {
	struct bk_buf text;	/* of each: a letter, a path, what; lines end with a zero byte */
	struct bk_buf last;
	bool mirrored;
};

/* Whether path b comes after path a, where a directory is before what is in it. */
static bool in_order(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	if (*a == '\0' || *b == '\0')
		return *b != '\0';
	return *a == '/' || (*b != '/' && (unsigned char)*a < (unsigned char)*b);
}

static int note(void *ctx, const struct layer_change *c, struct bk_err **err)
{
	struct changes *all = ctx;
	const struct layer_file *old = all->mirrored ? c->new : c->old, *new = all->mirrored ? c->old : c->new;

	(void)err;
	must(old || new, "nothing on either side", c->path);
	must((old && new) == (c->what != 0), "a change of nothing", c->path);
	must(!*bk_buf_str(&all->last) || in_order(bk_buf_str(&all->last), c->path), "out of order", c->path);
	bk_buf_reset(&all->last);
	bk_buf_adds(&all->last, c->path);
	bk_buf_printf(&all->text, "%c%s %x", !old ? 'A' : !new ? 'D' : 'C', c->path, c->what);
	bk_buf_addc(&all->text, '\0');
	return 0;
}

static void changes_of(const struct layer_view *old, const struct layer_view *new, struct changes *ret, bool mirrored)
{
	struct bk_err *err = NULL;

	*ret = (struct changes){ .text = BK_BUF_INIT(TEXT_LIMIT), .last = BK_BUF_INIT(TEXT_LIMIT),
				 .mirrored = mirrored };
	must(layer_view_compare(old, new, note, ret, &err) == 0, "no comparison", "layer_view_compare");
}

static void changes_done(struct changes *c)
{
	bk_buf_done(&c->text);
	bk_buf_done(&c->last);
}

static void check_both_ways(const struct layer_view *old, const struct layer_view *new)
{
	bk_autolayerview struct layer_view *copy = layer_view_copy(new);
	struct changes there, back, none;

	changes_of(old, new, &there, false);
	changes_of(new, old, &back, true);
	changes_of(new, copy, &none, false);
	must(none.text.len == 0, "it differs from its copy", bk_buf_str(&none.text));
	must(there.text.len == back.text.len &&
		     (there.text.len == 0 || memcmp(there.text.data, back.text.data, there.text.len) == 0),
	     "the other way round it is another difference", bk_buf_str(&there.text));
	changes_done(&there);
	changes_done(&back);
	changes_done(&none);
}

/* ---- the disk ----------------------------------------------------------------------------------- */

struct disk {
	int root;
	size_t n;	/* of names that the view has */
	bool unknown;	/* a path that no call takes */
};

static int look(void *ctx, const struct layer_change *c, struct bk_err **err)
{
	struct disk *d = ctx;
	const struct layer_file *f = c->new;
	char target[LINK_SIZE + 1] = "";
	struct stat st;

	(void)err;
	if (*c->path == '\0')
		return 0;
	d->n++;
	if (strlen(c->path) >= LINK_SIZE) {
		d->unknown = true;
		return 0;
	}
	must(fstatat(d->root, c->path, &st, AT_SYMLINK_NOFOLLOW) == 0, "not on the disk", c->path);
	must((st.st_mode & S_IFMT) == (f->attrs.mode & S_IFMT), "of another type on the disk", c->path);
	must(S_ISLNK(st.st_mode) || (st.st_mode & 07777) == (f->attrs.mode & 07777), "of another mode on the disk",
	     c->path);
	must(!S_ISREG(st.st_mode) || (uint64_t)st.st_size == f->size, "of another size on the disk", c->path);
	if (S_ISLNK(st.st_mode)) {
		must(readlinkat(d->root, c->path, target, LINK_SIZE) >= 0, "no target on the disk", c->path);
		must(bk_streq(target, f->link), "with another target on the disk", c->path);
	}
	return 0;
}

static size_t count(int fd)
{
	bk_autoclosedir DIR *dir = fdopendir(fd);
	const struct dirent *e;
	size_t n = 0;

	must(dir != NULL, "can't be read", "a directory");
	while ((e = readdir(dir)) != NULL) {
		struct stat st;

		if (bk_streq(e->d_name, ".") || bk_streq(e->d_name, ".."))
			continue;
		n++;
		must(fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0, "stat", e->d_name);
		if (S_ISDIR(st.st_mode)) {
			int below = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			must(below >= 0, "can't be opened", e->d_name);
			n += count(below);
		}
	}
	return n;
}

static void check_disk(const struct layer_view *v, int root)
{
	bk_autolayerview struct layer_view *none = layer_view_new();
	struct disk d = { .root = root };
	struct bk_err *err = NULL;
	int fd;

	must(layer_view_compare(none, v, look, &d, &err) == 0, "no comparison", "layer_view_compare");
	if (d.unknown)
		return;
	fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0, "can't be opened", "the root");
	must(count(fd) == d.n, "there is more on the disk", "the root");
}

/* false: it does not take the layer, or not as it is. */
static bool disk_takes(const struct bk_root *root, int fd)
{
	struct warned w = { false };
	struct layer_opts opts = bounds;
	struct bk_err *err = NULL;
	int rc;

	opts.warn = warn;
	opts.ctx = &w;
	must(lseek(fd, 0, SEEK_SET) == 0, "seek", "a layer");
	rc = layer_apply(root, fd, NULL, NULL, &opts, NULL, &err);
	bk_err_clear(&err);
	return rc == 0 && !w.any;
}

static void on_disk(const struct layer_view *low, const struct layer_view *whole, int first, int second)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autoclose int fd = -1;

	if (!*base) {
		snprintf(base, sizeof(base), "/tmp/bk-fuzz-view-XXXXXX");
		must(mkdtemp(base) != NULL, "no folder", base);
		(void)atexit(forget_base);
	}
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0 && mkdirat(fd, "root", 0755) == 0, "no folder", base);
	root.fd = openat(fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(root.fd >= 0, "no folder", base);
	if (disk_takes(&root, first)) {
		check_disk(low, root.fd);
		if (whole && disk_takes(&root, second))
			check_disk(whole, root.fd);
	}
	must(bk_file_rmtree(fd, "root", NULL) == 0, "the tree can't be removed", base);
}

/* ------------------------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bk_autolayerview struct layer_view *low = layer_view_new();
	bk_autolayerview struct layer_view *old = NULL, *new = NULL;
	bk_autofree uint8_t *copy = NULL;
	bk_autoclose int first = -1, second = -1, third = -1;
	size_t blocks, cut, cut2;
	bool took;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	blocks = (size - 2) / TAR_BLOCK;
	cut = data[0] < blocks ? data[0] : blocks;
	cut2 = cut + data[1] < blocks ? cut + data[1] : blocks;
	copy = bk_memdup(size > 2 ? (const void *)(data + 2) : "", size > 2 ? size - 2 : 1);
	make_checksums_right(copy, size - 2);
	first = blob_of(copy, cut * TAR_BLOCK);
	second = blob_of(copy + cut * TAR_BLOCK, (cut2 - cut) * TAR_BLOCK);
	third = blob_of(copy + cut2 * TAR_BLOCK, (blocks - cut2) * TAR_BLOCK);
	if (!view_takes(low, first))
		return 0;
	/* freed before what it is a copy of: the last that is set goes first */
	old = layer_view_copy(low);
	took = view_takes(old, second);
	new = layer_view_copy(low);
	if (took && view_takes(new, third)) {
		check_both_ways(low, old);
		check_both_ways(old, new);
	}
	/* another user can't look at what its mode keeps him out of */
	if (geteuid() == 0)
		on_disk(low, took ? old : NULL, first, second);
	return 0;
}
