/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder in which a build has its unpacked layers and mounts. Mounts are made in a mount namespace
 * of our own, which is entered before the first: the host never sees one, and the kernel takes them away
 * with the process, however it ends.
 *
 * Calling order: snap_space_open, any others, snap_space_close (which removes everything).
 *
 * Uses / used by: base / snap_chain, step, cmd.
 */
#ifndef SNAP_SPACE_H
#define SNAP_SPACE_H

#include <stdbool.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "base/bk_root.h"

struct snap_space {
	char *path; /* absolute */
	int fd;
	unsigned int next; /* number of the next folder */
	bool private;	   /* we are in a mount namespace of our own */
	bool overlay;	   /* overlayfs works here; known when private is set */
};

#define SNAP_SPACE_INIT  \
	{                \
		.fd = -1 \
	}

/* Makes a folder of mode 0700 below parent (NULL: $TMPDIR, else /var/tmp). */
int snap_space_open(struct snap_space *s, const char *parent, struct bk_err **err);
/* Unmounts and removes everything in it; what can't be removed stays. */
void snap_space_close(struct snap_space *s);
#define snap_autospace bk_auto(snap_space_close)

/* Makes a folder in it, mode 0755; its name (like "l12") is in ret_name, heap. */
int snap_space_mkdir(struct snap_space *s, const char *kind, char **ret_name, struct bk_err **err);
/* Opens a folder in it as the tree that it holds. */
int snap_space_root(const struct snap_space *s, const char *name, struct bk_root *ret,
		    struct bk_err **err);
/* Its absolute path; heap. */
char *snap_space_path(const struct snap_space *s, const char *name);

/*
 * Enters a mount namespace of our own, if that has not been done, and finds out whether overlayfs can be
 * mounted there with its upper directory in this folder. -BK_ERR_UNSUPPORTED without the privilege.
 */
int snap_space_enter(struct snap_space *s, struct bk_err **err);

/*
 * Mounts overlayfs on the folder `on`: lower (names, the uppermost first, joined by ':'), and upper
 * with work, or both NULL for a tree that can't be written.
 */
int snap_space_overlay(const struct snap_space *s, const char *on, const char *lower,
		       const char *upper, const char *work, struct bk_err **err);
/* Unmounts; a mount that is still in use goes when it no longer is. */
void snap_space_unmount(const struct snap_space *s, const char *on);

#endif
