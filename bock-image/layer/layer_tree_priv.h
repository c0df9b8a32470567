/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the tree share. */
#ifndef LAYER_TREE_PRIV_H
#define LAYER_TREE_PRIV_H

#include <stdint.h>

#include "base/bk_map.h"
#include "base/bk_mem.h"
#include "layer/layer_tree.h"

#define TREE_DIRS 32	/* directories held open */

/* A directory whose attributes are set at the end. */
struct layer_pending {
	char *path;		/* real path below the root, "" for itself */
	bool whole;		/* an entry of the layer: all attributes; else mtime, and mode if set */
	bool existed;		/* it may have xattrs that are to go */
	bool has_mode;
	bool times_only;	/* it was made with the right mode and owner */
	struct layer_attrs attrs;
};

/* A directory that is open. */
struct tree_dir {
	char *given;		/* the path that it was asked for by; NULL: none is here */
	char *path;		/* its real path below the root */
	int fd;
	bool own;		/* this layer made it: nobody else may write to it, it has no default ACL */
	bool noted;		/* it gets its time (and mode) back */
	bool pinned;		/* stays while another is opened */
	uint64_t used;
};

struct layer_tree {
	const struct bk_root *root;
	const struct layer_opts *opts;
	bool rootless;
	bool base;		/* the tree was empty: there is nothing lower */
	bool removed;		/* something was: what was made may be gone */
	bool plain;		/* new files are the caller's, of the caller's group, without an inherited ACL */
	uid_t uid;		/* the caller's */
	gid_t gid;
	mode_t umask;
	struct bk_arena *arena;
	struct bk_map *made;	/* real paths that this layer made, or made something below */
	struct bk_map *pending;	/* real path -> struct layer_pending */
	struct tree_dir dirs[TREE_DIRS];
	uint64_t clock;		/* counts uses of them */
	struct tree_dir *dir;	/* of layer_tree_parent_ */
};

void layer_tree_warn_(const struct layer_tree *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The directory `given` (len bytes, as an entry says it), open until another is asked for. Without make an
 * absent one is 0 with *ret NULL.
 */
int tree_dir_get_(struct layer_tree *t, const char *given, size_t len, bool make,
		  struct tree_dir **ret, struct bk_err **err);
/*
 * Opens the directory that holds path's last component, to change it: t->dir, until the next call;
 * *ret_name points into path. Without make an absent one is 0 with *ret_name NULL.
 */
int layer_tree_parent_(struct layer_tree *t, const char *path, bool make, const char **ret_name,
		       struct bk_err **err);
/* Forgets all directories, or all but t->dir: what led to them may lead elsewhere now. */
void layer_tree_forget_(struct layer_tree *t);
void layer_tree_forget_others_(struct layer_tree *t);
/* Whether a new file's owner and mode are already these. */
bool layer_tree_owned_(const struct layer_tree *t, const struct tree_dir *dir,
		       const struct layer_attrs *attrs);
bool layer_tree_moded_(const struct layer_tree *t, const struct tree_dir *dir, mode_t mode);
/* Lets a user who may not write to an own directory do it for now. */
int tree_make_writable_(int fd, const char *path, const struct stat *st, struct bk_err **err);
/* "dir/name", or name in the root. Heap. */
char *layer_tree_join_(const char *dir, const char *name);

/* What of the attributes is as it should be already. */
enum {
	ATTRS_OWNED = 1,
	ATTRS_MODED = 2,
	ATTRS_O_PATH = 4,	/* (not an attribute) fd is of open(O_PATH) */
};
/* Sets all attributes of what fd is; fd is open for reading or writing, or an O_PATH fd. */
int layer_attrs_set_(const struct layer_tree *t, const char *path, int fd, unsigned int flags,
		     const struct layer_attrs *attrs, struct bk_err **err);
/*
 * Where files are the caller's whatever the layer says: notes the owner that the layer gives the file, unless that is
 * root, in an attribute (LAYER_ROOTLESS_XATTR). What can't have one is warned of.
 */
int layer_attrs_note_owner_(const struct layer_tree *t, const char *path, int fd, bool o_path,
			    const struct layer_attrs *attrs, struct bk_err **err);
/* Removes the xattrs of a directory that the entry which replaces its attributes does not have. */
int layer_attrs_clear_(const char *path, int fd,
		       const struct layer_attrs *attrs, struct bk_err **err);

#endif
