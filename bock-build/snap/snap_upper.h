/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a RUN step changed, from the upper directory of the overlay that it ran on.
 *
 * A device 0:0 is a whiteout; an opaque directory hides all that the layers below have there, which is
 * said by one whiteout a name (image-spec layer.md: "SHOULD produce explicit whiteouts"). What
 * overlayfs only copied up and nobody changed is left out, as are directories of which nothing but
 * the time changed.
 *
 * Uses / used by: snap_list / step_run.
 */
#ifndef SNAP_UPPER_H
#define SNAP_UPPER_H

#include "base/bk_root.h"
#include "snap/snap_list.h"

#define SNAP_UPPER_DEPTH_MAX 1024 /* directories below each other */

/*
 * Adds the changes to l. lower is the tree as it was before the step, NULL if it was empty.
 * whiteout_mtime is the time that whiteouts get.
 */
int snap_upper_list(const struct bk_root *upper, const struct bk_root *lower,
		    int64_t whiteout_mtime, struct snap_list *l, struct bk_err **err);

#endif
