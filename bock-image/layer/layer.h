/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Applying layers to a directory (image-spec layer.md): in one pass the blob is read and hashed,
 * decompressed (gzip, zstd, none: by its first bytes), hashed again (DiffID), parsed and written.
 *
 * The tree is untrusted from the first entry on: everything happens below a bk_root. Parents are
 * resolved inside it (links followed), a last component never is. Whiteouts hide what lower layers
 * brought, wherever in the layer they stand. No entry can replace the root itself (CVE-2021-29136).
 *
 * Uses / used by: store, layer_stream, layer_tar, layer_tree / bundle, bock-build.
 */
#ifndef LAYER_H
#define LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_root.h"
#include "digest/bk_digest.h"
#include "store/store_image.h"

/* What a hostile layer must not pass; 0 in a member of opts means these. */
#define LAYER_ENTRIES_MAX ((uint64_t)4 << 20)	/* of one layer */
#define LAYER_SIZE_MAX ((uint64_t)1 << 40)	/* bytes of one layer, uncompressed; of one file */
#define LAYER_RATIO_MAX 250			/* uncompressed : compressed; zeros alone reach 1032 by gzip */
#define LAYER_RATIO_FREE ((uint64_t)64 << 20)	/* so many bytes are free of the ratio */
#define LAYER_DEPTH_MAX 256			/* components of a path */
#define LAYER_XATTRS_MAX 256			/* of one entry */
#define LAYER_PAX_MAX ((size_t)1 << 20)		/* bytes of one extended header */

/* Whether layer_apply_image works in a process that can't do anything else (layer_confine.h). */
enum layer_confine_how {
	LAYER_CONFINE_AUTO,	/* by what this kernel has */
	LAYER_CONFINE_REQUIRED,	/* by all of it, or -BK_ERR_UNSUPPORTED */
	LAYER_CONFINE_NONE,
};

struct layer_ids;

struct layer_opts {
	/*
	 * All files belong to the caller whatever the layer says, and device nodes are left out with a
	 * warning. What another user than root gets in any case.
	 */
	bool rootless;
	/* Owners are mapped by these, unless rootless; NULL or none of them: as the layer says. */
	const struct layer_ids *ids;
	/* Bounds; 0: what is above. A sparse file counts with its holes. */
	uint64_t max_entries, max_size, max_file;
	unsigned int max_ratio, max_depth;
	size_t max_name, max_pax;
	unsigned int threads;	/* of layer_stream.h; 0: by the number of CPUs */
	enum layer_confine_how confine;
	/*
	 * The tree is one of overlayfs, or will be a layer of one: a device 0:0, which is a whiteout there, is left out
	 * with a warning; so is said which hard links it can't keep.
	 */
	bool overlay;
	/* Told what was left out, and why; may be NULL. */
	void (*warn)(void *ctx, const char *message);
	void *ctx;
};

struct layer_stats {
	uint64_t entries;
	uint64_t whiteouts;
	uint64_t bytes;		/* uncompressed */
	char diff_id[BK_DIGEST_TEXT_SIZE];
};

/*
 * Applies the blob that fd yields (from its beginning) to root. digest and diff_id are what the two
 * hashes must turn out to be; either may be NULL. A mismatch is found at the end, -BK_ERR_CONFIG:
 * the caller then throws the directory away. ret_stats may be NULL.
 */
int layer_apply(const struct bk_root *root, int fd, const char *digest, const char *diff_id,
		const struct layer_opts *opts, struct layer_stats *ret_stats, struct bk_err **err);

/*
 * All layers of an image in order, each against its digest and DiffID, in a process of their own as
 * opts->confine says. ret_stats (NULL): sums.
 */
int layer_apply_image(const struct store *s, const struct store_image *image,
		      const struct bk_root *root, const struct layer_opts *opts,
		      struct layer_stats *ret_stats, struct bk_err **err);

/* The layer i of it alone, to a tree that has those below it. */
int layer_apply_one(const struct store *s, const struct store_image *image, size_t i,
		    const struct bk_root *root, const struct layer_opts *opts,
		    struct layer_stats *ret_stats, struct bk_err **err);

#endif
