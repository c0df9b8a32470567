/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "mount/mount_root.h"
#include "ns/ns.h"

#define OWN_NS "/proc/self/ns/mnt"

int container_view_make(struct container_view *v, struct bk_err **err)
{
	int rc = ns_open(OWN_NS, OCI_NS_MOUNT, &v->own, err);

	if (rc < 0)
		return rc;
	v->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (v->cwd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open the current directory");
	if (unshare(CLONE_NEWNS) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a mount namespace for criu");
	rc = ns_open(OWN_NS, OCI_NS_MOUNT, &v->ns, err);
	if (rc < 0)
		(void)container_view_leave(v, NULL);
	return rc;
}

static int go(const struct container_view *v, int ns, struct bk_err **err)
{
	int rc = ns_join(ns, OCI_NS_MOUNT, OWN_NS, err);

	if (rc == 0 && fchdir(v->cwd) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "enter the current directory");
	return rc;
}

int container_view_enter(const struct container_view *v, struct bk_err **err)
{
	return go(v, v->ns, err);
}

int container_view_leave(const struct container_view *v, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = go(v, v->own, &e);

	if (rc == 0)
		return 0;
	/* for want of memory, which may pass; in the view nothing that was made can be taken away again */
	if (go(v, v->own, NULL) < 0) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	return 0;
}

void container_view_done(struct container_view *v)
{
	bk_close(&v->own);
	bk_close(&v->ns);
	bk_close(&v->cwd);
}

/* criu restores what is in a tmpfs. */
static bool on_tmpfs(const struct init_plan *p, const char *dest)
{
	for (size_t i = 0; i < p->n[INIT_CONTAINER]; i++) {
		const struct mount_op *m = &p->ops[INIT_CONTAINER][i].u.mount;

		if (p->ops[INIT_CONTAINER][i].kind == OP_MOUNT && m->kind == MOUNT_NEW &&
		    bk_streq(m->type, "tmpfs") && !bk_streq(m->dest, dest) && bk_path_below(dest, m->dest))
			return true;
	}
	return false;
}

/* Binds are mounted, because others may want to be mounted on what is in them. */
static int prepare(const struct init_plan *p, const struct mount_op *m, const struct bk_root *root,
		   struct bk_err **err)
{
	bk_autoclose int fd = -1;
	bool made;
	int rc;

	if (m->kind == MOUNT_CGROUP || m->kind == MOUNT_REMOUNT || on_tmpfs(p, m->dest))
		return 0;
	if (m->kind == MOUNT_BIND)
		return mount_do(m, -1, root, err);
	rc = mount_do_target(m, true, root, &fd, &made, err);
	return rc < 0 ? bk_err_wrap(err, rc, "%s '%s'", m->where, m->dest) : 0;
}

static int prepare_all(const struct init_plan *p, const char *rootfs, const char *dir, struct bk_err **err)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	/* its mounts must not come out in the host's tree, whose peer the clone would be */
	int rc = mount_root_clone(rootfs, MS_PRIVATE, &root, err);

	if (rc == 0)
		rc = mount_root_attach(&root, dir, err);
	for (size_t i = 0; rc == 0 && i < p->n[INIT_CONTAINER]; i++) {
		if (p->ops[INIT_CONTAINER][i].kind == OP_MOUNT)
			rc = prepare(p, &p->ops[INIT_CONTAINER][i].u.mount, &root, err);
	}
	if (rc == 0 && umount2(dir, MNT_DETACH) < 0)
		rc = bk_err_set(err, BK_ERR_IO, errno, "unmount '%s'", dir);
	return rc;
}

int container_view_root(const struct container_created *r, const char *dir, struct bk_err **err)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	/* first, because what is changed next may be the mount that holds the rootfs */
	int rc = mount_root_clone(r->spec.rootfs, 0, &root, err);
	mode_t mask = umask(0);

	/* not private: criu gives binds the group of their source, and one that has none is an error */
	if (rc == 0)
		rc = mount_root_set_holder(dir, MS_SLAVE, err);
	if (rc == 0)
		rc = prepare_all(&r->plan, r->spec.rootfs, dir, err);
	(void)umask(mask);
	return rc == 0 ? mount_root_attach(&root, dir, err) : rc;
}
