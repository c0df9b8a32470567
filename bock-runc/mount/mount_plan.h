/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[] of config.json compiled to operations, and their execution (mount_do.c).
 *
 * Every target is resolved below the rootfs by bk_root and mounted on as a descriptor: a bind mount is
 * cloned detached, given its attributes and only then attached with move_mount(2); a new file system is
 * mounted on "." after fchdir(2) to the target, which names exactly that directory.
 */
#ifndef MOUNT_PLAN_H
#define MOUNT_PLAN_H

#include "base/bk_root.h"
#include "mount/mount_opts.h"
#include "oci/oci_runtime.h"

enum mount_kind {
	MOUNT_NEW,	/* a file system made by mount(2) */
	MOUNT_BIND,
	MOUNT_REMOUNT,	/* attributes of what is mounted there already */
	MOUNT_CGROUP,	/* cgroup2, or a bind mount of the container's own cgroup */
};

struct mount_op {
	enum mount_kind kind;
	const char *where;		/* "mounts[3]" */
	const char *source;
	const char *dest;		/* cleaned, absolute inside the rootfs */
	const char *type;
	const char *cgroup_dir;		/* MOUNT_CGROUP: our cgroup as the host sees it; NULL: none */
	bool cgroup_ns;			/* MOUNT_CGROUP: in a cgroup namespace of its own */
	bool nolinks;			/* /proc and /sys: a link in the way is an error */
	struct mount_flags f;
};

/* What the compiler must know besides the mount itself. */
struct mount_ctx {
	const char *bundle;		/* absolute: relative bind sources start here */
	const char *cgroup_dir;
	bool cgroup_ns;
};

/* Compiles m; `index` is its place in mounts[]. Pure: no system call. */
int mount_plan_op(const struct oci_mount *m, size_t index, const struct mount_ctx *ctx,
		  struct bk_arena *arena, struct mount_op *ret, struct bk_err **err);

/* One line: "mount 'proc' on '/proc' type proc (nosuid,noexec,nodev)". */
void mount_plan_print(const struct mount_op *op, struct bk_buf *out);

/* Executes op below root, in the container's mount namespace. Changes the current directory. */
int mount_do(const struct mount_op *op, const struct bk_root *root, struct bk_err **err);

#endif
