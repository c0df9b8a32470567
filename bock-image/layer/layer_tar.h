/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a layer's tar, checked: names are clean and short, kinds are known, nothing that the
 * parser complains of is skipped (two parsers that see different members are an attack: CVE-2025-62518).
 *
 * Calling order: layer_tar_new, then layer_tar_next until *ret_more is false; layer_tar_content after
 * an entry of a regular file; layer_tar_free.
 *
 * Uses / used by: layer_stream, libarchive / layer_apply.
 */
#ifndef LAYER_TAR_H
#define LAYER_TAR_H

#include "layer/layer_stream.h"
#include "layer/layer_tree.h"

struct layer_tar;

struct layer_entry {
	const char *path;	/* relative and clean; "" is the root */
	const char *link;	/* target of a symbolic link as it stands, of a hard link cleaned */
	bool is_hardlink;
	struct layer_attrs attrs;
	dev_t rdev;
	uint64_t size;		/* of a regular file */
};

int layer_tar_new(struct layer_stream *stream, struct layer_tar **ret, struct bk_err **err);
/* The next entry, owned by the tar until the next call. */
int layer_tar_next(struct layer_tar *t, struct layer_entry *ret, bool *ret_more,
		   struct bk_err **err);
/* Writes the content of the entry to the empty file fd, holes as holes. */
int layer_tar_content(struct layer_tar *t, int fd, struct bk_err **err);
void layer_tar_free(struct layer_tar *t);
BK_DEFINE_AUTO(layer_tar, layer_tar_free);
#define bk_autolayertar bk_auto(bk_auto_layer_tar_)

/*
 * "./a//b/" -> "a/b", "/" and "." -> "". -BK_ERR_CONFIG for ".." in it, and for what is longer than
 * BK_ROOT_PATH_MAX or deeper than LAYER_DEPTH_MAX. Heap.
 */
int layer_tar_clean(const char *name, char **ret, struct bk_err **err);

#endif
