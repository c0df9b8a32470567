/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount namespace of criu's own while it restores: the root file system is bound there to a place where criu can
 * take it (a mount whose parent is not covered), nobody else sees that, and it goes when criu goes, whoever is killed.
 *
 *	container_view_make(&v, err);	we are in it now: start criu
 *	container_view_leave(&v, err);	back
 *	container_view_enter(&v, err);
 *	container_view_root(...);
 *	container_view_leave(&v, err);
 *	container_view_done(&v);
 *
 * Its mounts are peers of the host's as they are here, so that binds from it propagate as the configuration says. One
 * is not: that of the file system which has the state folder is a slave, for the new mount not to come out on the host.
 */
#ifndef CONTAINER_VIEW_H
#define CONTAINER_VIEW_H

#include "container/container_made.h"

struct container_view {
	int own, ns;	/* the mount namespaces */
	int cwd;	/* entering one loses it */
};

#define CONTAINER_VIEW_INIT { .own = -1, .ns = -1, .cwd = -1 }

/* Makes it, and is in it then: this process alone, which has one thread. */
int container_view_make(struct container_view *v, struct bk_err **err);
/* Into it, and back; the current directory stays. After a failure of leave nothing more is to be done. */
int container_view_enter(const struct container_view *v, struct bk_err **err);
int container_view_leave(const struct container_view *v, struct bk_err **err);
/* Closes it. */
void container_view_done(struct container_view *v);

/*
 * In the view: makes what is missing to mount on in the rootfs, as create does, and binds the rootfs on dir, which is
 * an absolute path in the state folder.
 */
int container_view_root(const struct container_created *r, const char *dir, struct bk_err **err);

#endif
