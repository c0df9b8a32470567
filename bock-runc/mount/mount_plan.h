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
#include "mount/mount_idmap.h"
#include "mount/mount_opts.h"
#include "oci/oci_runtime.h"

enum mount_kind {
	MOUNT_NEW,	/* a file system made by mount(2) */
	MOUNT_BIND,
	MOUNT_REMOUNT,	/* attributes of what is mounted there already */
	MOUNT_CGROUP,	/* cgroup2, or a bind mount of the container's own cgroup */
	MOUNT_ROOT,	/* a file system over the root itself, before all others (mount_cover.h) */
};

struct mount_op {
	enum mount_kind kind;
	const char *where;		/* "mounts[3]" */
	const char *source;
	const char *dest;		/* cleaned, absolute inside the rootfs */
	const char *type;
	const char *cgroup_dir;		/* MOUNT_CGROUP: our cgroup as the host sees it; NULL: none;
					   "": none, as was asked for */
	bool cgroup_ns;			/* MOUNT_CGROUP: in a cgroup namespace of its own */
	bool nolinks;			/* /proc and /sys: a link in the way is an error */
	bool userns;			/* the container's root is not the host's */
	bool host_mounts;		/* it is mounted in the runtime's mount namespace */
	const char *label;		/* SELinux context for the root of an mqueue; NULL: none */
	const struct mount_idmap *idmap; /* NULL: none */
	bool source_sent;		/* MOUNT_BIND: the runtime opens the source, where we may not look */
	struct mount_flags f;
};

/* What the compiler must know besides the mount itself. */
struct mount_ctx {
	const char *bundle;		/* absolute: relative bind sources start here */
	const char *cgroup_dir;
	bool cgroup_ns;
	bool rootless;			/* the runtime itself is in a user namespace, or not root */
	bool host_mounts;		/* the container has the runtime's mount namespace */
	struct mount_idmap_ctx maps;
	size_t roots;			/* mount_plan_roots */
	const char *label;		/* linux.mountLabel; NULL: none */
	const char *label_option;	/* "context", or what the annotation says; NULL: the former */
};

/* How many mounts at the beginning have the destination "/": these may be the container's root, each over the one before. */
size_t mount_plan_roots(const struct oci_mount *mounts, size_t n);

/* Compiles m; `index` is its place in mounts[]. Pure: no system call. */
int mount_plan_op(const struct oci_mount *m, size_t index, const struct mount_ctx *ctx,
		  struct bk_arena *arena, struct mount_op *ret, struct bk_err **err);

/* One line: "mount 'proc' on '/proc' type proc (nosuid,noexec,nodev)". */
void mount_plan_print(const struct mount_op *op, struct bk_buf *out);

/*
 * The part of an id-mapped mount that needs the rights of the file system's own user namespace, and so is done
 * by the runtime, in its namespaces: makes the whole mount, detached, with ids mapped as in userns.
 */
int mount_do_idmapped(const struct mount_op *op, int userns, int *ret_tree, struct bk_err **err);

/*
 * Executes op below root, in the container's mount namespace. given: what mount_do_idmapped made of it, or
 * the source of a bind mount, opened; -1: nothing. Changes the current directory.
 */
int mount_do(const struct mount_op *op, int given, const struct bk_root *root, struct bk_err **err);

/*
 * A new file system, detached, with all its options; over: the directory that it is to cover, whose mode a
 * tmpfs keeps; -1: one that was made for it.
 */
int mount_do_make(const struct mount_op *op, int over, int *ret_tree, struct bk_err **err);

/*
 * A directory or file at op's destination to mount on, made where it is missing. What is there is opened as
 * the options want it (links followed inside the root, or not). *ret_made: it was missing.
 */
int mount_do_target(const struct mount_op *op, bool dir, const struct bk_root *root, int *ret_fd,
		    bool *ret_made, struct bk_err **err);

#endif
