/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources without its devices: which limits are asked for, and whether they can be had.
 *
 * cgroup_resources_check() comes before any side effect and refuses by its JSON name what is asked for and
 * not supported. Values that ask for nothing (-1, absent, cpu.shares 0) pass.
 */
#ifndef CGROUP_LIMITS_H
#define CGROUP_LIMITS_H

#include <stdbool.h>

#include "base/bk_err.h"
#include "cgroup/cgroup.h"
#include "oci/oci_runtime_linux.h"

/*
 * 0 where everything that r (may be NULL) asks for can be done; *ret_any tells whether
 * cgroup_limits_apply has anything to do (may be NULL). -BK_ERR_UNSUPPORTED, -BK_ERR_CONFIG.
 */
int cgroup_resources_check(const struct oci_resources *r, bool rootless, bool *ret_any,
			   struct bk_err **err);

/*
 * Enables the controllers that r needs from the root down to the parent of path, and writes the limits
 * below dirfd. On a hybrid host whose version 2 lacks a controller: -BK_ERR_UNSUPPORTED that names it and
 * where it is bound.
 */
int cgroup_limits_apply(const struct cgroup_host *h, const char *path, int dirfd,
			const struct oci_resources *r, struct bk_err **err);

#endif
