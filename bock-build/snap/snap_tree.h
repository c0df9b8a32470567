/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a RUN step changed, by comparing a tree with what was noted of it before: for where overlayfs is
 * not to be had. ctime tells: nothing but the kernel sets it.
 *
 * Uses / used by: snap_list / snap_chain.
 */
#ifndef SNAP_TREE_H
#define SNAP_TREE_H

#include "base/bk_root.h"
#include "snap/snap_list.h"

struct snap_tree; /* paths and attributes of a tree at one time */

int snap_tree_note(const struct bk_root *root, struct snap_tree **ret, struct bk_err **err);
void snap_tree_free(struct snap_tree *t);
BK_DEFINE_AUTO(snap_tree, snap_tree_free);
#define snap_autotree bk_auto(bk_auto_snap_tree_)

/* Adds what is different now to l; whiteouts get that time. The list reads from root. */
int snap_tree_list(const struct snap_tree *before, const struct bk_root *root,
		   int64_t whiteout_mtime, struct snap_list *l, struct bk_err **err);

#endif
