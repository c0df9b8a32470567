/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who makes a container's cgroup: we, in the file system, or systemd, as the cgroup of a transient scope.
 *
 * Calling order of a create: find, check, (the caller writes the place to its state), make, and of a delete: remove.
 * What lies between, limits by file, devices, freezing and killing, works on the cgroup whoever made it.
 */
#ifndef CGROUP_MANAGER_H
#define CGROUP_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "cgroup/cgroup.h"
#include "cgroup/cgroup_limits.h"
#include "codec/bk_doc.h"

struct cgroup_manager;

/* Where a container's cgroup is, or will be. Texts are borrowed. */
struct cgroup_place {
	const struct cgroup_manager *manager;
	struct cgroup_host host;
	const char *id;		/* the container's */
	const char *path;	/* as seen from the root of the mount; NULL: not made */
	size_t top_len;		/* cgroup_remove's */
	/* systemd */
	const char *unit;	/* the scope's name */
	const char *slice;	/* for make */
	const char *subgroup;	/* for make: the container's cgroup, below the scope's; NULL: the scope's */
	bool user;		/* of the user's manager */
	int timeout_ms;		/* for systemd to do each thing; 0: 20 s, -1: for ever */
	pid_t pid;		/* the first process, by whose number our scope is told from another's; 0: none */
	const struct bk_doc_pair *annotations; /* for make: org.systemd.property.* */
	size_t n_annotations;
};

/* What find() goes by. */
struct cgroup_want {
	const char *cgroups_path;	/* linux.cgroupsPath */
	const char *id;
	bool rootless;
	const char *subgroup;		/* systemd: below the scope; NULL: none */
	const struct bk_doc_pair *annotations;
	size_t n_annotations;
};

struct cgroup_manager {
	const char *name;
	/* Its cgroups are made around a process: make() comes after the clone. */
	bool late;
	/* Fills the place but for its host, which is given; memory is the arena's. No side effect. */
	int (*find)(const struct cgroup_want *w, struct bk_arena *arena, struct cgroup_place *p,
		    struct bk_err **err);
	/* Whether make() is possible here at all, as far as that is known before. */
	int (*check)(const struct cgroup_place *p, struct bk_err **err);
	/*
	 * Makes it; *ret_dirfd as cgroup_make() has it. late: with process p->pid in it; p->path becomes what it is in
	 * truth, in the arena. Undone on failure, and that process is killed then, which must be the caller's child.
	 */
	int (*make)(struct cgroup_place *p, const struct cgroup_limits *limits, struct bk_arena *arena,
		    int *ret_dirfd, struct bk_err **err);
	/* Tells of limits that are in the files already, so that they stay there. */
	int (*tell)(const struct cgroup_place *p, const struct cgroup_limits *limits, struct bk_err **err);
	/*
	 * Has a process join it whom the kernel lets nobody of the caller's rights move there; NULL: there is
	 * no other way.
	 */
	int (*join)(const struct cgroup_place *p, pid_t pid, struct bk_err **err);
	/* Removes it with what is left in it, waiting for dying processes; there being none is success. */
	int (*remove)(const struct cgroup_place *p, int timeout_ms, struct bk_err **err);
};

extern const struct cgroup_manager cgroup_manager_fs;
extern const struct cgroup_manager cgroup_manager_systemd;	/* cgroup_systemd.c */

/* Whether this program was built with its helper for systemd. */
bool cgroup_systemd_built(void);

#endif
