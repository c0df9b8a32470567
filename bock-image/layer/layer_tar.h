/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a layer's tar. The parser is strict: what two readers could see differently is an attack
 * (CVE-2025-62518) and is refused, never skipped. It knows ustar, pax (extended headers; global ones
 * that set nothing of an entry), GNU's long names and numbers, all four sparse forms, and the old form
 * without a magic number. Refused, among others:
 *
 *	- a wrong checksum, an unknown magic number, version or type, a number that is none or negative;
 *	- a size in a pax header that is not the one in the entry's own, where that could hold it;
 *	- a body behind what has none (links, directories, devices), a file whose name ends in '/';
 *	- malformed or repeated pax records, two extended headers before one entry, one beside GNU's
 *	  long names, a header of this kind without an entry, NULs in names;
 *	- a global header that sets a name, a size, an owner, a time or an attribute (readers disagree);
 *	- maps of sparse files that are out of order, overlap, or don't fit sizes;
 *	- one block of zeros with an entry behind it, and anything behind the end.
 *
 * Names come out clean and short. What is a matter of the file system (whiteouts, links that lead
 * somewhere) is layer_apply's.
 *
 * Calling order: layer_tar_new, then layer_tar_next until *ret_more is false; layer_tar_content after
 * an entry of a regular file (or not: it is skipped); layer_tar_free.
 *
 * Uses / used by: layer_stream, layer_sum / layer_sink, layer_view, cmd (import).
 */
#ifndef LAYER_TAR_H
#define LAYER_TAR_H

#include "layer/layer_stream.h"
#include "layer/layer_sum.h"
#include "layer/layer_tree.h"

struct layer_tar;

struct layer_entry {
	const char *path;	/* relative and clean; "" is the root */
	const char *link;	/* target of a symbolic link as it stands, of a hard link cleaned */
	bool is_hardlink;
	struct layer_attrs attrs;
	dev_t rdev;
	uint64_t size;		/* of a regular file, holes included */
	const char *left_out;	/* what of the entry can't be taken over, and why; mostly NULL */
	bool gone, opaque;	/* of layer_walk alone, in an upper directory of overlayfs */
};

/* opts: the bounds of names, headers and sizes; NULL: the defaults. It must live as long as the tar. */
int layer_tar_new(struct layer_stream *stream, const struct layer_opts *opts,
		  struct layer_tar **ret, struct bk_err **err);
/* The next entry, owned by the tar until the next call. */
int layer_tar_next(struct layer_tar *t, struct layer_entry *ret, bool *ret_more,
		   struct bk_err **err);
/* Writes the content of the entry to the empty file fd, holes as holes. */
int layer_tar_content(struct layer_tar *t, int fd, struct bk_err **err);
/* The same to a sum, in place of a file. */
int layer_tar_sum(struct layer_tar *t, struct layer_sum *sum, struct bk_err **err);

/* A part of a file's content that is in the tar; what lies between them is zeros. */
struct layer_piece {
	uint64_t offset, size;	/* in the file */
	uint64_t at;		/* in the uncompressed tar */
};

/* Where the entry's content is, in place of reading it: *ret_n pieces in order, owned by the arena. */
void layer_tar_pieces(const struct layer_tar *t, struct bk_arena *arena, struct layer_piece **ret, size_t *ret_n);
void layer_tar_free(struct layer_tar *t);
BK_DEFINE_AUTO(layer_tar, layer_tar_free);
#define bk_autolayertar bk_auto(bk_auto_layer_tar_)

/*
 * "./a//b/" -> "a/b", "/" and "." -> "". -BK_ERR_CONFIG for ".." in it, and for what is longer than
 * max_name bytes or deeper than max_depth components. Heap.
 */
int layer_tar_clean(const char *name, size_t max_name, unsigned int max_depth, char **ret,
		    struct bk_err **err);

#endif
