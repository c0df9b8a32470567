/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: a checked configuration compiled to an ordered, printable list of operations.
 *
 *	spec_load -> init_plan_compile -> (print) | container_create executes
 *
 * Stage RUNTIME is executed by the runtime's own process (container/), CONTAINER by the child after
 * clone3, inside the new namespaces, and PROCESS by the same child once the root file system is its
 * own, up to execve (init_child.h). The compiler makes no system call and has no side effect, so plans
 * are tested without privilege by comparing their print.
 */
#ifndef INIT_PLAN_H
#define INIT_PLAN_H

#include <stdint.h>

#include "base/bk_buf.h"
#include "cgroup/cgroup_devices.h"
#include "cgroup/cgroup_limits.h"
#include "dev/dev_nodes.h"
#include "init/init_seccomp.h"
#include "mount/mount_plan.h"
#include "proc/proc_affinity.h"
#include "proc/proc_mempolicy.h"
#include "proc/proc_sched.h"
#include "sec/sec_caps.h"
#include "spec/spec_load.h"

/* Where a container finds the socket of sd_notify(3). */
#define INIT_NOTIFY_DIR "/run/notify"
#define INIT_NOTIFY_SOCKET "notify.sock"
#define INIT_HOOK_TIMEOUT_MS (10 * 60 * 1000)	/* of a hook without a timeout of its own */
#define INIT_SYSCTL_PATH_MAX 512	/* bytes of a sysctl's path */

enum init_stage { INIT_RUNTIME, INIT_CONTAINER, INIT_PROCESS, INIT_STAGE_MAX_ };

enum init_op_kind {
	/* RUNTIME */
	OP_SEAL,		/* go on from a sealed copy of ourselves; before any side effect */
	OP_SECCOMP_COMPILE,	/* profile -> BPF, through the cache */
	OP_CGROUP,		/* make it */
	OP_LIMITS,		/* write its limits */
	OP_DEVICES,		/* attach the device program */
	OP_RDT,			/* make and configure the groups of resctrl */
	OP_AFFINITY_INITIAL,	/* exec: the runtime's, for the child to begin with */
	OP_CLONE,		/* the child, in its namespaces and cgroup */
	OP_CGROUP_TELL,		/* the child waits for a cgroup that is made around it */
	OP_RDT_JOIN,		/* the child joins them */
	OP_ID_MAPS,
	OP_BIND_SOURCE,		/* the source of one bind mount, opened and sent to the child */
	OP_IDMAP_MOUNT,		/* one mount with mapped ids, made detached and sent to the child */
	OP_CGROUP_OWNER,	/* the cgroup is given to the container's user */
	OP_CGROUP_DELEGATE,	/* when the child is ready: it gets a cgroup of its own below */
	OP_NET_DEVICES,		/* moved into the container; the child waits for this and the next */
	OP_RUNTIME_HOOKS,	/* prestart, createRuntime */
	/* CONTAINER */
	OP_OOM_SCORE,
	OP_HOST_PROC,		/* the procfs through which labels are written later */
	OP_AFFINITY,		/* the cgroup's CPUs, not those of the runtime's caller */
	OP_NOTIFY_OPEN,		/* the folder of sd_notify's socket */
	OP_CGROUP_WAIT,		/* for OP_CGROUP_TELL */
	OP_BECOME_ROOT,		/* wait for the id maps, then 0:0 of the user namespace */
	OP_ENTER,		/* exec: all namespaces of the container's first process */
	OP_FORK,		/* exec, sealed: only a child is in the pid namespace entered */
	OP_JOIN,		/* one namespace by path */
	OP_IPC_NS,		/* unshare it as root of the user namespace */
	OP_TIME_NS,		/* new time namespace with offsets */
	OP_CGROUP_NS,		/* unshare it, being in the cgroup */
	OP_KEY_LABEL,		/* of the session keyring */
	OP_SESSION,		/* setsid, session keyring */
	OP_LOOPBACK,
	OP_ISOLATE,		/* propagation of "/" */
	OP_ROOT_BIND,
	OP_ROOT_OPEN,		/* in their place without a mount namespace */
	OP_PRIVATE_PROC,
	OP_MOUNT,
	OP_NOTIFY_MOUNT,	/* that folder on INIT_NOTIFY_DIR */
	OP_DEV_NODES,
	OP_DEV_LINKS,
	OP_CONSOLE,
	OP_WAIT_HOOKS,		/* OP_NET_DEVICES and OP_RUNTIME_HOOKS run now */
	OP_CREATE_HOOKS,	/* createContainer */
	OP_READONLY_PATHS,
	OP_MASKED_PATHS,
	OP_PIVOT,
	OP_MOVE_ROOT,		/* in its place for --no-pivot */
	OP_CHROOT,		/* and without a mount namespace */
	/* PROCESS */
	OP_PROPAGATION,
	OP_HOSTNAME,
	OP_DOMAINNAME,
	OP_SYSCTL,
	OP_MAKE_CWD,
	OP_ROOT_READONLY,
	OP_RLIMIT,
	OP_NPROC_ROOM,		/* RLIMIT_NPROC so that plan.nproc can be set without rights */
	OP_ENVIRONMENT,
	OP_STDIO_OWNER,
	OP_SCHEDULER,
	OP_IO_PRIORITY,
	OP_PERSONALITY,
	OP_MEMORY_POLICY,
	OP_APPARMOR,		/* for the next execve, as is the next one */
	OP_SELINUX,
	OP_NO_NEW_PRIVS,
	OP_SECCOMP,
	OP_BOUNDING,
	OP_USER,
	OP_CAPS,
	OP_ENTER_CWD,		/* as the runtime, before a filter that forbids to look where that is */
	OP_CHDIR,		/* as the user, where that failed */
	OP_FIND,
	OP_CLOSE_FDS,		/* none but stdio and the passed on reaches the program */
	OP_READY,		/* created: the parent is told, and start is waited for */
	OP_START_HOOKS,
	OP_EXEC,
	OP_NO_PROCESS,		/* nothing to execute: whoever calls for start is told so */
	OP_STAGE,		/* the last four in the sealed last stage */
	OP_KIND_MAX_
};

struct init_op {
	enum init_op_kind kind;
	union {
		struct mount_op mount;
		const struct mount_op *idmapped;	/* of the child's OP_MOUNT */
		const struct mount_op *bind;		/* likewise */
		uid_t owner;
		struct { const char *name; uid_t owner; } below;	/* 0: nobody else's */
		struct { const struct dev_node *v; size_t n; bool bind; } nodes;
		struct { int type; const char *path; } ns;
		struct { const char *path, *value; } pair;	/* sysctl: below /proc */
		const struct oci_rlimit *rlimit;
		unsigned long propagation;
		uint64_t flags;		/* CLONE_NEW* */
		struct proc_sched sched;
		struct proc_mempolicy mempolicy;
		int number;		/* I/O priority, personality */
		const char *text;
	} u;
};

/* What the caller knows beside the configuration. */
struct init_params {
	const char *id;
	const char *cgroup;	/* as seen from the root of the mount; NULL: none */
	const char *cgroup_mount;
	const char *scope;	/* the unit of systemd whose cgroup it is, made after the clone; NULL: it is ours */
	const char *slice;	/* the scope's */
	bool rootless;		/* not the real root */
	bool userns_root;	/* rootless, but root of a user namespace, with rights over what is below it */
	bool no_cgroup;		/* asked for: cgroup is NULL, and devices are not controlled */
	bool cgroup_optional;	/* where none may be made, the container runs without one */
	bool no_pivot;
	bool setgroups_denied;	/* the id map will be a single self-mapping by an unprivileged user */
	unsigned int preserve_fds;	/* from 3; those of listen_fds are the first of them */
	unsigned int listen_fds;	/* LISTEN_FDS; 0: none */
	const char *listen_names;	/* LISTEN_FDNAMES; NULL: none */
	const char *notify_dir;		/* to be bound to INIT_NOTIFY_DIR; NULL: none */
	int hook_timeout_ms;	/* of hooks that have none; 0: INIT_HOOK_TIMEOUT_MS, -1: for ever */
	bool exec;		/* another process in a container that is there: see init_plan_compile_exec */
	bool own_user_ns;	/* exec: the container's user namespace is the runtime's */
	/* exec, of a container without a mount namespace of its own */
	bool other_mount_ns;	/* that which it has is not the runtime's */
	uint64_t root_dev, root_inode; /* what its root file system must be */
};

struct init_plan {
	struct bk_arena *arena;	/* the spec's */
	const struct spec *spec;
	struct init_params params;
	struct init_op *ops[INIT_STAGE_MAX_];
	size_t n[INIT_STAGE_MAX_];
	uint64_t clone_flags;	/* CLONE_NEW* at birth */
	bool joins_user;	/* an intermediate process joins namespaces before the clone */
	bool new_user;
	bool host_mounts;	/* no mount namespace: mounts are made in the runtime's, and chroot takes the
				   place of the pivot */
	bool seal;		/* the runtime goes on from a sealed copy, without the last stage */
	const char *join[OCI_NS_MAX_];	/* paths to join; NULL: none */
	struct init_seccomp seccomp;
	struct sec_caps caps;
	bool stage_forks;	/* exec: the last stage forks into the pid namespace that was entered */
	struct proc_affinity affinity;	/* exec: process.execCPUAffinity */
	const struct oci_rlimit *nproc;	/* for the last stage to set when it has forked; NULL: none */
	char **unknown_caps;	/* heap strv: for a warning */
	struct cgroup_limits limits;	/* linux.resources as writes */
	bool keep_groups;	/* those of the caller, whatever process.user says */
	struct oci_user user;	/* process.user, 0:0 where absent */
};

/* Compiles and checks everything that can be checked without doing it. spec must outlive the plan. */
int init_plan_compile(const struct spec *spec, const struct init_params *params,
		      struct init_plan *ret, struct bk_err **err);
/*
 * The plan of a further process in a running container: the spec is the container's, with the process in
 * place of its own; params.exec is set. What made the container is not in it.
 */
int init_plan_compile_exec(const struct spec *spec, const struct init_params *params,
			   struct init_plan *ret, struct bk_err **err);
void init_plan_done(struct init_plan *p);

/* Prints one operation; one of several devices takes several lines. */
void init_op_print(const struct init_plan *p, enum init_stage stage, const struct init_op *op,
		   struct bk_buf *out);

/* What compiling a mount needs of the document; the cgroup and the caller's rights are the caller's to add. */
void init_plan_mount_ctx(const struct spec *spec, struct mount_ctx *ret);
/* What is checked of a compiled mount beside itself: the maps of its ids. */
int init_plan_check_mount(const struct mount_op *m, struct bk_err **err);

/* Prints the plan, a line an operation, for --dry-run and tests. */
void init_plan_print(const struct init_plan *p, struct bk_buf *out);

#endif
