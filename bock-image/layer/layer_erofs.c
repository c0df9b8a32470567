/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image, in blocks of 512 bytes:
 *
 *	1024		superblock, and behind it a slot for each tar
 *	then		inodes, the root first: 64 bytes, attributes, and of files where their chunks are
 *	from a block on	directories and targets of links, in the order of their inodes, then what was copied
 */
#include "layer/layer_erofs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_map.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_view_priv.h"

#define BLOCK	     ((uint64_t)LAYER_EROFS_BLOCK)
#define BLOCK_BITS   9
#define MAGIC	     0xe0f5e1e2u
#define SUPER_AT     1024
#define SUPER_SIZE   128
#define SLOT_SIZE    128
#define INODE_SIZE   64
#define INODE_ALIGN  32
#define DIRENT_SIZE  12
#define XATTR_HEADER 12
#define XATTRS_MAX   ((size_t)4 * UINT16_MAX)
#define HOLE	     UINT32_MAX
#define CHUNK_BITS_MAX	   21		/* of a file that is in one piece: 1 GiB */
#define COPY_BITS	   3		/* of a sparse file at least: 4 KiB */
#define COPY_CHUNKS_MAX	   65536

#define INCOMPAT_CHUNKS	 0x4u
#define INCOMPAT_DEVICES 0x8u

/* i_format: an inode of 64 bytes, and how its content is kept. */
#define FORMAT_PLAIN  ((0u << 1) | 1u)
#define FORMAT_CHUNKS ((4u << 1) | 1u)
#define CHUNK_INDEXES 0x20u

struct inode;

struct name {
	const char *text;
	const struct inode *inode;
};

struct inode {
	const struct layer_file *file;
	const struct inode *parent;	/* of a directory; the root's is itself */
	struct name *names;		/* of a directory, with "." and "..", in order */
	size_t n_names;
	uint64_t at;			/* in the image */
	uint64_t size;
	uint64_t block;			/* of content that is in the image; of a sparse file the first */
	uint64_t n_chunks;
	unsigned int chunk_bits;
	uint32_t nlink;
	uint32_t ino;
	size_t xattrs;			/* bytes of them */
	bool sparse;
};

struct writer {
	const struct layer_view *view;
	const int *tars;
	size_t n_tars;
	int fd;
	void (*warn)(void *ctx, const char *message);
	void *ctx;
	struct bk_arena *arena;
	struct bk_map *files;		/* address of a struct layer_file -> struct inode, of what is no directory */
	struct inode **inodes;
	size_t n_inodes;
	uint64_t end;			/* of the image, so far */
	unsigned char out[64 * LAYER_EROFS_BLOCK];
	size_t n_out;
	uint64_t out_at;		/* where out begins in the image */
};

static uint64_t round_to(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static void put16(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)value;
	p[1] = (unsigned char)(value >> 8);
}

static void put32(unsigned char *p, uint32_t value)
{
	put16(p, value);
	put16(p + 2, value >> 16);
}

static void put64(unsigned char *p, uint64_t value)
{
	put32(p, (uint32_t)value);
	put32(p + 4, (uint32_t)(value >> 32));
}

/* ---- attributes --------------------------------------------------------------------------------- */

static const struct {
	const char *prefix;
	unsigned char index;
} kinds[] = {
	{ "user.", 1 }, { "system.posix_acl_access", 2 }, { "system.posix_acl_default", 3 }, { "trusted.", 4 }, { "security.", 6 },
};

/* The number of its kind, and what of the name is behind that; 0: there is none. */
static unsigned char xattr_kind(const char *name, const char **ret_rest)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(kinds); i++) {
		const char *rest = bk_skip_prefix(name, kinds[i].prefix);

		*ret_rest = rest;
		if (rest && (bk_has_suffix(kinds[i].prefix, ".") ? *rest != '\0' : *rest == '\0'))
			return kinds[i].index;
	}
	return 0;
}

static size_t xattr_size(const struct layer_xattr *x)
{
	const char *rest;

	if (xattr_kind(x->name, &rest) == 0)
		return 0;
	return (size_t)round_to(4 + strlen(rest) + x->size, 4);
}

static void warn_xattr(const struct writer *w, const char *path, const struct layer_xattr *x)
{
	bk_autofree char *text = bk_asprintf("'%s': attribute '%s' left out: EROFS has none of this kind", path, x->name);

	if (w->warn)
		w->warn(w->ctx, text);
}

static int measure_xattrs(const struct writer *w, struct inode *i, const char *path, struct bk_err **err)
{
	const struct layer_attrs *a = &i->file->attrs;
	size_t sum = 0;

	for (size_t k = 0; k < a->n_xattrs; k++) {
		size_t size = xattr_size(&a->xattrs[k]);

		if (size == 0)
			warn_xattr(w, path, &a->xattrs[k]);
		if (a->xattrs[k].size > UINT16_MAX || strlen(a->xattrs[k].name) > UINT8_MAX)
			return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "'%s': EROFS can't hold the attribute '%.64s'", path,
					  a->xattrs[k].name);
		sum += size;
	}
	if (sum > XATTRS_MAX - XATTR_HEADER)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "'%s' has more attributes than EROFS can hold: %zu bytes", path,
				  sum);
	i->xattrs = sum > 0 ? XATTR_HEADER + sum : 0;
	return 0;
}

/* ---- what there is ------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static bool is_one_piece(const struct layer_file *f)
{
	return f->n_pieces == 1 && f->pieces[0].offset == 0 && f->pieces[0].size == f->size &&
	       f->pieces[0].at % BLOCK == 0;
}

static void measure_file(struct inode *i)
{
	const struct layer_file *f = i->file;

	i->size = f->size;
	if (f->size == 0)
		return;
	i->sparse = !is_one_piece(f);
	i->chunk_bits = i->sparse ? COPY_BITS : 0;
	if (i->sparse)
		while ((f->size - 1) >> (BLOCK_BITS + i->chunk_bits) >= COPY_CHUNKS_MAX)
			i->chunk_bits++;
	else
		while (i->chunk_bits < CHUNK_BITS_MAX && BLOCK << i->chunk_bits < f->size)
			i->chunk_bits++;
	i->n_chunks = ((f->size - 1) >> (BLOCK_BITS + i->chunk_bits)) + 1;
}

static int add_inode(struct writer *w, const struct layer_file *file, const char *path, struct inode **ret,
		     struct bk_err **err)
{
	struct inode *i = bk_arena_alloc(w->arena, sizeof(*i));
	int rc;

	i->file = file;
	i->at = w->end;
	rc = measure_xattrs(w, i, path, err);
	if (rc < 0)
		return rc;
	if (S_ISREG(file->attrs.mode))
		measure_file(i);
	else if (S_ISLNK(file->attrs.mode))
		i->size = strlen(file->link);
	w->inodes = bk_arena_grow(w->arena, w->inodes, w->n_inodes, sizeof(struct inode *));
	w->inodes[w->n_inodes++] = i;
	i->ino = (uint32_t)w->n_inodes;
	w->end = round_to(round_to(i->at + INODE_SIZE + i->xattrs, 8) + 8 * i->n_chunks, INODE_ALIGN);
	*ret = i;
	return 0;
}

static bool is_whiteout(const struct layer_file *f)
{
	return S_ISCHR(f->attrs.mode) && f->rdev == makedev(0, 0);
}

static void warn_whiteout(const struct writer *w, const char *path)
{
	bk_autofree char *text = bk_asprintf("device '%s' left out: 0:0 is what overlayfs takes for a whiteout", path);

	if (w->warn)
		w->warn(w->ctx, text);
}

/* Of a name that is no directory. */
static int add_file(struct writer *w, const struct layer_file *file, const char *path, struct inode **ret,
		    struct bk_err **err)
{
	char key[32];
	int rc;

	(void)snprintf(key, sizeof(key), "%" PRIxPTR, (uintptr_t)file);
	*ret = bk_map_get(w->files, key);
	if (!*ret) {
		rc = add_inode(w, file, path, ret, err);
		if (rc < 0)
			return rc;
		(void)bk_map_set(w->files, key, *ret);
	}
	(*ret)->nlink++;
	return 0;
}

/* How many blocks the names of a directory take. */
static uint64_t count_blocks(const struct inode *dir)
{
	uint64_t n = 0;
	size_t used = LAYER_EROFS_BLOCK;

	for (size_t i = 0; i < dir->n_names; i++) {
		size_t size = DIRENT_SIZE + strlen(dir->names[i].text);

		if (used + size > LAYER_EROFS_BLOCK) {
			n++;
			used = 0;
		}
		used += size;
	}
	return n;
}

static int add_dir(struct writer *w, const struct view_node *node, const struct inode *parent, const char *path,
		   struct inode **ret, struct bk_err **err);

static int add_child(struct writer *w, const struct view_node *node, struct inode *dir, const char *path, struct bk_err **err)
{
	bool is_dir = S_ISDIR(node->file->attrs.mode);
	struct inode *i = NULL;
	int rc;

	if (is_whiteout(node->file)) {
		warn_whiteout(w, path);
		return 0;
	}
	rc = is_dir ? add_dir(w, node, dir, path, &i, err) : add_file(w, node->file, path, &i, err);
	if (rc < 0)
		return rc;
	dir->nlink += is_dir;
	dir->names[dir->n_names++] = (struct name){ .text = node->name, .inode = i };
	return 0;
}

/* Depth is bounded by the view. */
static int add_dir(struct writer *w, const struct view_node *node, const struct inode *parent, const char *path,
		   struct inode **ret, struct bk_err **err)
{
	size_t n = node->children ? bk_map_len(node->children) : 0, count = 0, it = 0;
	bk_autofree struct name *sorted = bk_calloc(n + 1, sizeof(*sorted));
	struct inode *dir;
	const char *key;
	void *value;
	int rc = add_inode(w, node->file, path, &dir, err);

	if (rc < 0)
		return rc;
	while (count < n && bk_map_next(node->children, &it, &key, &value))
		sorted[count++].text = key;
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), compare_names);
	dir->parent = parent ? parent : dir;
	dir->nlink = 2;
	dir->names = bk_arena_alloc(w->arena, (n + 2) * sizeof(*dir->names));
	for (size_t i = 0; rc == 0 && i < count; i++) {
		bk_autofree char *below = bk_asprintf("%s/%s", parent ? path : "", sorted[i].text);

		rc = add_child(w, bk_map_get(node->children, sorted[i].text), dir, below, err);
	}
	dir->names[dir->n_names++] = (struct name){ .text = ".", .inode = dir };
	dir->names[dir->n_names++] = (struct name){ .text = "..", .inode = dir->parent };
	qsort(dir->names, dir->n_names, sizeof(*dir->names), compare_names);
	dir->size = count_blocks(dir) * BLOCK;
	*ret = dir;
	return rc;
}

/* Whether a piece of the file is in the chunk. Pieces are in order: *piece is the first that may be. */
static bool has_data(const struct inode *i, uint64_t chunk, size_t *piece)
{
	const struct layer_file *f = i->file;
	uint64_t begin = chunk << (BLOCK_BITS + i->chunk_bits), end = (chunk + 1) << (BLOCK_BITS + i->chunk_bits);

	while (*piece < f->n_pieces && f->pieces[*piece].offset + f->pieces[*piece].size <= begin)
		++*piece;
	return *piece < f->n_pieces && f->pieces[*piece].offset < end;
}

/* Content that is in the image comes behind the inodes. */
static int place(struct writer *w, struct bk_err **err)
{
	uint64_t block = round_to(w->end, BLOCK) / BLOCK;

	for (size_t k = 0; k < w->n_inodes; k++) {
		struct inode *i = w->inodes[k];

		if (!S_ISDIR(i->file->attrs.mode) && !S_ISLNK(i->file->attrs.mode))
			continue;
		i->block = block;
		block += round_to(i->size, BLOCK) / BLOCK;
	}
	for (size_t k = 0; k < w->n_inodes; k++) {
		struct inode *i = w->inodes[k];
		size_t piece = 0;

		i->block = i->sparse ? block : i->block;
		for (uint64_t c = 0; i->sparse && c < i->n_chunks; c++)
			block += has_data(i, c, &piece) ? (uint64_t)1 << i->chunk_bits : 0;
	}
	if (block >= HOLE)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "EROFS can't hold it: an index of 2 TiB");
	w->end = block * BLOCK;
	return 0;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static int flush(struct writer *w, struct bk_err **err)
{
	int rc = bk_fd_write_all(w->fd, w->out, w->n_out);

	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write the index");
	w->out_at += w->n_out;
	w->n_out = 0;
	return 0;
}

static int put(struct writer *w, const void *data, size_t len, struct bk_err **err)
{
	const unsigned char *p = data;

	while (len > 0) {
		size_t part = sizeof(w->out) - w->n_out;
		int rc;

		part = len < part ? len : part;
		memcpy(w->out + w->n_out, p, part);
		w->n_out += part;
		p += part;
		len -= part;
		rc = w->n_out == sizeof(w->out) ? flush(w, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Zeros up to there. */
static int pad(struct writer *w, uint64_t at, struct bk_err **err)
{
	static const unsigned char zeros[LAYER_EROFS_BLOCK];
	int rc = 0;

	while (rc == 0 && w->out_at + w->n_out < at) {
		uint64_t left = at - w->out_at - w->n_out;

		rc = put(w, zeros, left < sizeof(zeros) ? (size_t)left : sizeof(zeros), err);
	}
	return rc;
}

static int put_super(struct writer *w, struct bk_err **err)
{
	unsigned char s[SUPER_SIZE] = { 0 };
	int rc = pad(w, SUPER_AT, err);

	put32(s, MAGIC);
	s[12] = BLOCK_BITS;
	put16(s + 14, (uint32_t)(w->inodes[0]->at / INODE_ALIGN));
	put64(s + 16, w->n_inodes);
	put32(s + 36, (uint32_t)(w->end / BLOCK));
	put32(s + 80, INCOMPAT_CHUNKS | INCOMPAT_DEVICES);
	put16(s + 86, (uint32_t)w->n_tars);
	put16(s + 88, (SUPER_AT + SUPER_SIZE) / SLOT_SIZE);
	if (rc == 0)
		rc = put(w, s, sizeof(s), err);
	for (size_t i = 0; rc == 0 && i < w->n_tars; i++) {
		unsigned char slot[SLOT_SIZE] = { 0 };
		struct stat st;

		if (fstat(w->tars[i], &st) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "stat the tar of layer %zu", i + 1);
		if ((uint64_t)st.st_size / BLOCK >= HOLE)
			return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "EROFS can't hold it: a tar of 2 TiB");
		put32(slot + 64, (uint32_t)(round_to((uint64_t)st.st_size, BLOCK) / BLOCK));
		rc = put(w, slot, sizeof(slot), err);
	}
	return rc;
}

static int put_xattrs(struct writer *w, const struct inode *i, struct bk_err **err)
{
	static const unsigned char zeros[XATTR_HEADER];
	const struct layer_attrs *a = &i->file->attrs;
	int rc = i->xattrs > 0 ? put(w, zeros, XATTR_HEADER, err) : 0;

	for (size_t k = 0; rc == 0 && k < a->n_xattrs; k++) {
		const struct layer_xattr *x = &a->xattrs[k];
		const char *rest;
		unsigned char head[4] = { 0 };

		head[1] = xattr_kind(x->name, &rest);
		if (head[1] == 0)
			continue;
		head[0] = (unsigned char)strlen(rest);
		put16(head + 2, (uint32_t)x->size);
		rc = put(w, head, sizeof(head), err);
		if (rc == 0)
			rc = put(w, rest, head[0], err);
		if (rc == 0)
			rc = put(w, x->value, x->size, err);
		if (rc == 0)
			rc = pad(w, round_to(w->out_at + w->n_out, 4), err);
	}
	return rc;
}

static int put_chunks(struct writer *w, const struct inode *i, struct bk_err **err)
{
	const struct layer_file *f = i->file;
	uint64_t block = i->sparse ? i->block : i->n_chunks > 0 ? f->pieces[0].at / BLOCK : 0;
	size_t piece = 0;
	int rc = pad(w, round_to(w->out_at + w->n_out, 8), err);

	for (uint64_t c = 0; rc == 0 && c < i->n_chunks; c++) {
		bool there = !i->sparse || has_data(i, c, &piece);
		unsigned char index[8] = { 0 };

		put16(index + 2, i->sparse ? 0 : f->layer);
		put32(index + 4, there ? (uint32_t)block : HOLE);
		block += there ? (uint64_t)1 << i->chunk_bits : 0;
		rc = put(w, index, sizeof(index), err);
	}
	return rc;
}

/* As the kernel's new_encode_dev(). */
static uint32_t encode_device(dev_t dev)
{
	return (minor(dev) & 0xffu) | (major(dev) << 8) | ((minor(dev) & ~0xffu) << 12);
}

static int put_inode(struct writer *w, const struct inode *i, struct bk_err **err)
{
	const struct layer_attrs *a = &i->file->attrs;
	unsigned char s[INODE_SIZE] = { 0 };
	int rc = pad(w, i->at, err);

	put16(s, i->n_chunks > 0 ? FORMAT_CHUNKS : FORMAT_PLAIN);
	put16(s + 2, i->xattrs > 0 ? 1 + (uint32_t)(i->xattrs - XATTR_HEADER) / 4 : 0);
	put16(s + 4, S_ISLNK(a->mode) ? S_IFLNK | 0777 : a->mode);
	put64(s + 8, i->size);
	if (i->n_chunks > 0)
		put16(s + 16, CHUNK_INDEXES | i->chunk_bits);
	else if (S_ISCHR(a->mode) || S_ISBLK(a->mode))
		put32(s + 16, encode_device(i->file->rdev));
	else
		put32(s + 16, (uint32_t)i->block);
	put32(s + 20, i->ino);
	put32(s + 24, a->uid);
	put32(s + 28, a->gid);
	put64(s + 32, (uint64_t)a->mtime.tv_sec);
	put32(s + 40, (uint32_t)a->mtime.tv_nsec);
	put32(s + 44, i->nlink);
	if (rc == 0)
		rc = put(w, s, sizeof(s), err);
	if (rc == 0)
		rc = put_xattrs(w, i, err);
	return rc == 0 && i->n_chunks > 0 ? put_chunks(w, i, err) : rc;
}

static unsigned char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 1;
	case S_IFDIR:
		return 2;
	case S_IFCHR:
		return 3;
	case S_IFBLK:
		return 4;
	case S_IFIFO:
		return 5;
	default:
		return 7;
	}
}

/* Entries, then their names. */
static void fill_block(const struct name *names, size_t n, unsigned char block[LAYER_EROFS_BLOCK])
{
	size_t at = n * DIRENT_SIZE;

	memset(block, 0, LAYER_EROFS_BLOCK);
	for (size_t i = 0; i < n; i++) {
		unsigned char *d = block + i * DIRENT_SIZE;
		size_t len = strlen(names[i].text);

		put64(d, names[i].inode->at / INODE_ALIGN);
		put16(d + 8, (uint32_t)at);
		d[10] = type_of(names[i].inode->file->attrs.mode);
		memcpy(block + at, names[i].text, len);
		at += len;
	}
}

static int put_dir(struct writer *w, const struct inode *dir, struct bk_err **err)
{
	unsigned char block[LAYER_EROFS_BLOCK];
	size_t first = 0;
	int rc = 0;

	while (rc == 0 && first < dir->n_names) {
		size_t n = 0, used = 0;

		while (first + n < dir->n_names) {
			size_t size = DIRENT_SIZE + strlen(dir->names[first + n].text);

			if (used + size > sizeof(block))
				break;
			used += size;
			n++;
		}
		fill_block(dir->names + first, n, block);
		rc = put(w, block, sizeof(block), err);
		first += n;
	}
	return rc;
}

/* ---- content that is copied ---------------------------------------------------------------------- */

static int copy_part(const struct writer *w, const struct layer_file *f, uint64_t from, uint64_t to, uint64_t size,
		     struct bk_err **err)
{
	unsigned char buf[64 * LAYER_EROFS_BLOCK];

	while (size > 0) {
		size_t part = size < sizeof(buf) ? (size_t)size : sizeof(buf);
		ssize_t got = pread(w->tars[f->layer - 1], buf, part, (off_t)from);

		if (got <= 0)
			return bk_err_set(err, BK_ERR_IO, got < 0 ? errno : EIO, "read the tar of layer %u", f->layer);
		if (pwrite(w->fd, buf, (size_t)got, (off_t)to) != got)
			return bk_err_set(err, BK_ERR_IO, errno, "write the index");
		from += (uint64_t)got;
		to += (uint64_t)got;
		size -= (uint64_t)got;
	}
	return 0;
}

/* Each chunk that has data, with what of the pieces lies in it. */
static int copy_sparse(const struct writer *w, const struct inode *i, struct bk_err **err)
{
	const struct layer_file *f = i->file;
	const unsigned int bits = BLOCK_BITS + i->chunk_bits;
	uint64_t to = i->block * BLOCK;
	size_t piece = 0;
	int rc = 0;

	for (uint64_t c = 0; rc == 0 && c < i->n_chunks; c++) {
		uint64_t begin = c << bits, end = (c + 1) << bits;

		if (!has_data(i, c, &piece))
			continue;
		for (size_t k = piece; rc == 0 && k < f->n_pieces && f->pieces[k].offset < end; k++) {
			const struct layer_piece *p = &f->pieces[k];
			uint64_t first = p->offset > begin ? p->offset : begin;
			uint64_t last = p->offset + p->size < end ? p->offset + p->size : end;

			rc = copy_part(w, f, p->at + (first - p->offset), to + (first - begin), last - first, err);
		}
		to += (uint64_t)1 << bits;
	}
	return rc;
}

static int put_all(struct writer *w, struct bk_err **err)
{
	int rc = put_super(w, err);

	for (size_t k = 0; rc == 0 && k < w->n_inodes; k++)
		rc = put_inode(w, w->inodes[k], err);
	for (size_t k = 0; rc == 0 && k < w->n_inodes; k++) {
		const struct inode *i = w->inodes[k];

		if (!S_ISDIR(i->file->attrs.mode) && !S_ISLNK(i->file->attrs.mode))
			continue;
		rc = pad(w, i->block * BLOCK, err);
		if (rc == 0)
			rc = S_ISLNK(i->file->attrs.mode) ? put(w, i->file->link, (size_t)i->size, err) : put_dir(w, i, err);
	}
	if (rc == 0)
		rc = flush(w, err);
	for (size_t k = 0; rc == 0 && k < w->n_inodes; k++)
		if (w->inodes[k]->sparse)
			rc = copy_sparse(w, w->inodes[k], err);
	if (rc == 0 && ftruncate(w->fd, (off_t)w->end) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "extend the index");
	return rc;
}

int layer_erofs_write(const struct layer_view *v, const int *tars, size_t n, int fd,
		      void (*warn)(void *ctx, const char *message), void *ctx, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_automap struct bk_map *files = bk_map_new(NULL);
	bk_autofree struct writer *w = bk_calloc(1, sizeof(*w));
	struct inode *root;
	int rc;

	if (n > LAYER_EROFS_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "an index has at most %d layers, not %zu", LAYER_EROFS_LAYERS_MAX,
				  n);
	w->view = v;
	w->tars = tars;
	w->n_tars = n;
	w->fd = fd;
	w->warn = warn;
	w->ctx = ctx;
	w->arena = arena;
	w->files = files;
	w->end = SUPER_AT + SUPER_SIZE + n * SLOT_SIZE;
	rc = add_dir(w, v->root, NULL, "/", &root, err);
	if (rc == 0)
		rc = place(w, err);
	return rc < 0 ? rc : put_all(w, err);
}
