/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layer will hold, before it is written: a list of entries, each with its attributes and, for a
 * regular file, the place where its content is read from. Built by what copies (step_copy) and by
 * what compares (snap_upper); written by snap_layer.
 *
 * Calling order: snap_list_new, snap_list_add..., snap_list_finish, read, snap_list_free. The roots that
 * entries read from must stay open until then.
 *
 * Uses / used by: base / snap_tar, snap_layer, snap_upper, step.
 */
#ifndef SNAP_LIST_H
#define SNAP_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "base/bk_root.h"
#include "codec/bk_tar.h"

#define SNAP_ENTRIES_MAX ((size_t)4 << 20) /* of one layer */
#define SNAP_XATTR_MAX	 65536		   /* bytes of one value: the kernel's own limit */
#define SNAP_WHITEOUT	 ".wh."

struct snap_entry {
	const char *path;  /* in the layer, as "a/b"; a whiteout's with ".wh." */
	const char *order; /* what entries are sorted by (snap_list_finish), */
	size_t number;	   /* and in which order they were added */
	mode_t mode;	   /* type and permissions */
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* seconds */
	uint64_t size; /* of a regular file */
	dev_t rdev;
	dev_t dev; /* with ino: which entries are one file; only where nlink > 1 */
	ino_t ino;
	nlink_t nlink;
	const char *link; /* symbolic link: its text; hard link: path of an entry before it */
	bool hardlink;
	struct bk_tar_xattr *xattrs; /* sorted by name */
	size_t n_xattrs;
	const struct bk_root *root; /* regular file: where its content is ... */
	const char *source;	    /* ... read from; NULL: empty */
};

struct snap_list {
	struct bk_arena *arena;
	struct snap_entry *items;
	size_t n;
};

struct snap_list *snap_list_new(void) __attribute__((returns_nonnull));
void snap_list_free(struct snap_list *l);
BK_DEFINE_AUTO(snap_list, snap_list_free);
#define snap_autolist bk_auto(bk_auto_snap_list_)

/*
 * Adds an entry for what is at `source` below root (itself, if it is a link): attributes, link text and
 * xattrs are read now, content later. path is where it goes. *ret_entry (may be NULL) may be changed
 * by the caller until the next addition. Sockets can't be in a layer: then *ret_entry is NULL.
 */
int snap_list_add(struct snap_list *l, const char *path, const struct bk_root *root,
		  const char *source, struct snap_entry **ret_entry, struct bk_err **err);
/* Adds a directory that is nowhere yet: 0755, root's. */
int snap_list_add_dir(struct snap_list *l, const char *path, int64_t mtime,
		      struct snap_entry **ret_entry, struct bk_err **err);
/* Adds the whiteout that hides path of the layers below. */
int snap_list_add_whiteout(struct snap_list *l, const char *path, int64_t mtime,
			   struct bk_err **err);

/*
 * Sorts (a directory before what it holds, whiteouts before their siblings), drops all but the last
 * addition of each path, makes hard links of entries that are one file, and clamps times to
 * max_mtime (INT64_MAX: none). -BK_ERR_CONFIG where something lies below what is no directory.
 */
int snap_list_finish(struct snap_list *l, int64_t max_mtime, struct bk_err **err);

#endif
