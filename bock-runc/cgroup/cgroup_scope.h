/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of a container's scope in systemd: pure functions on linux.cgroupsPath in the form that goes with
 * --systemd-cgroup, "SLICE:PREFIX:NAME".
 */
#ifndef CGROUP_SCOPE_H
#define CGROUP_SCOPE_H

#include <stdbool.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"

#define CGROUP_UNIT_MAX 255	/* bytes of a unit's name */

struct cgroup_scope {
	const char *slice;	/* "machine.slice"; "-.slice" is the root */
	const char *unit;	/* "libpod-ID.scope" */
	const char *path;	/* below the cgroup of the manager's root slice: "/machine.slice/libpod-ID.scope" */
};

/*
 * From cgroupsPath; NULL or "": ":bock-runc:ID". An empty SLICE is system.slice, for a rootless caller
 * user.slice; "-" the root. The unit is PREFIX-NAME.scope, NAME.scope without a PREFIX. Memory is the arena's.
 * -BK_ERR_CONFIG: another form, or names that systemd would refuse.
 */
int cgroup_scope_parse(const char *cgroups_path, const char *id, bool rootless, struct bk_arena *arena,
		       struct cgroup_scope *ret, struct bk_err **err);

#endif
