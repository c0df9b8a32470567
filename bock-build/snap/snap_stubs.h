/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount points that a RUN step needs and the stage has not: made before the step, taken away behind it
 * unless the step put something there, so that none of them is in the layer. The times of the
 * directories around them are restored.
 *
 * Calling order: snap_stubs_add for each mount point, the step, snap_stubs_remove, snap_stubs_done.
 *
 * Uses / used by: snap_dest / step_run.
 */
#ifndef SNAP_STUBS_H
#define SNAP_STUBS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/bk_err.h"
#include "base/bk_root.h"

struct snap_stub {
	char *path; /* canonical, no leading '/' */
	bool dir;
	struct timespec before, after; /* its parent's mtime around the making */
};

struct snap_stubs {
	struct snap_stub *items; /* in the order of their making */
	size_t n;
};

#define SNAP_STUBS_INIT       \
	{                     \
		.items = NULL \
	}

/*
 * Sees to it that something is at path (links are followed inside the root): a directory or an empty
 * file with the directories above it. *ret_path (heap) is its canonical path with a leading '/'.
 */
int snap_stubs_add(struct snap_stubs *stubs, const struct bk_root *root, const char *path, bool dir,
		   char **ret_path, struct bk_err **err);
/* Takes away, last first, what is still an empty directory or file. */
int snap_stubs_remove(struct snap_stubs *stubs, const struct bk_root *root, struct bk_err **err);
void snap_stubs_done(struct snap_stubs *stubs);
#define snap_autostubs bk_auto(snap_stubs_done)

#endif
