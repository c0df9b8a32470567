/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept layers (store_layers.h) put on top of each other by overlayfs, as a mount that is not attached anywhere. One's
 * own user namespace is taken where the caller may not mount: with overlayfs's attributes in user.* (kernel 5.11).
 *
 * Layers are named one by one (lowerdir+, kernel 6.8); on an older kernel all at once, in the 4095 bytes that mount(2)
 * takes, which are some 40 layers.
 *
 * Uses / used by: base / layer_keep, bundle, cmd.
 */
#ifndef LAYER_OVERLAY_H
#define LAYER_OVERLAY_H

#include <stdbool.h>

#include "base/bk_err.h"

#define LAYER_OVERLAY_MAX 500		/* lower layers that overlayfs takes */
#define LAYER_OVERLAY_EMPTY "empty"	/* below the folder of layers: lowest of a mount, and where it is made */

/* What every overlayfs of ours is mounted with: images must not make it follow or trust anything. */
#define LAYER_OVERLAY_OPTIONS "redirect_dir=nofollow", "metacopy=off", "index=off"

struct layer_overlay {
	int layers;		/* the folder that the names below are relative to */
	char *const *lower;	/* strv, the topmost first; two at least where upper is NULL */
	const char *upper;	/* NULL: read-only */
	const char *work;	/* with upper */
	const char *source;	/* what mountinfo shows; NULL: "bock" */
	bool userxattr;
};

/*
 * Mounts it: *ret_fd is its root (O_PATH), and the mount ends with the last descriptor below it, or is attached by
 * move_mount(2), if `attach`. -BK_ERR_UNSUPPORTED where the kernel has no overlayfs or refuses it here; attach where the
 * caller may not mount is -BK_ERR_PERMISSION.
 */
int layer_overlay_mount(const struct layer_overlay *o, bool attach, int *ret_fd, struct bk_err **err);

/* Whether this process is in the first user namespace, where overlayfs can have trusted.* attributes. */
bool layer_overlay_first_userns(void);

#endif
