/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt (config-linux.md "IntelRdt"): cache and memory bandwidth by groups of the resctrl file system.
 *
 *	rdt_check	the document alone
 *	rdt_find	where resctrl is mounted
 *	rdt_decide	what is there and what is to be made: no side effect, so that the state can be saved
 *	rdt_make_group, rdt_configure, rdt_make_monitor
 *	rdt_join	each first process, once it is there; what it forks is in its groups
 *	rdt_remove	at deletion
 *
 * The place of resctrl is an argument, so the unit tests use a folder of files in its place.
 */
#ifndef RDT_H
#define RDT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "oci/oci_runtime_linux.h"

/* The groups of a container. The paths are absolute; the arena's. */
struct rdt {
	const char *mount;
	const char *group;	/* of allocation; the mount itself for closID "/" */
	const char *monitor;	/* of monitoring, below it; NULL: none */
	bool make;		/* group is not there yet */
	bool own;		/* group is the container's alone (no closID), and is deleted with it */
};

/*
 * closID and id can be names of groups, schemata have no line ends; what needs to be there and isn't is left
 * to rdt_decide.
 */
int rdt_check(const struct oci_intel_rdt *r, const char *id, struct bk_err **err);

/* Finds resctrl in the text of /proc/self/mountinfo; heap path. -BK_ERR_UNSUPPORTED: it is not mounted. */
int rdt_find(const char *mountinfo, char **ret_mount, struct bk_err **err);

/*
 * Looks at the tree. Errors: a group named after the container is there already; closID without any schema
 * names no group; closID names one whose schemata differ from l3CacheSchema or memBwSchema; a monitoring
 * group of the container's name is there.
 */
int rdt_decide(const struct oci_intel_rdt *r, const char *id, const char *mount,
	       struct bk_arena *arena, struct rdt *ret, struct bk_err **err);

/* Makes the group where rdt.make says so; -BK_ERR_CONFIG with EEXIST if somebody was faster. */
int rdt_make_group(const struct rdt *rdt, struct bk_err **err);
/*
 * Writes l3CacheSchema, memBwSchema and then schemata, in this order; nothing where none is given. The error
 * has what the kernel says about it (info/last_cmd_status).
 */
int rdt_configure(const struct rdt *rdt, const struct oci_intel_rdt *r, struct bk_err **err);
/* Makes the monitoring group if there is one to be. */
int rdt_make_monitor(const struct rdt *rdt, struct bk_err **err);

/*
 * For a group in use: writes l3CacheSchema and memBwSchema of r, which may be other containers' limits too.
 * *ret_old is what the schemata were (heap), for rdt_put_back(); undone on failure. -BK_ERR_NOT_FOUND: the group
 * has gone.
 */
int rdt_update(const char *mount, const char *group, const struct oci_intel_rdt *r, char **ret_old,
	       struct bk_err **err);
int rdt_put_back(const char *mount, const char *group, const char *old, struct bk_err **err);

/* Moves a process into group and then into monitor (NULL: none). */
int rdt_join(const char *group, const char *monitor, pid_t pid, struct bk_err **err);

/* Whether no process is in a group, or there is none. */
bool rdt_is_empty(const char *group);
/* Removes a group; its processes go to the one above. Absent is success. */
int rdt_remove(const char *group, struct bk_err **err);

#endif
