/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming process.user. */
#ifndef PROC_USER_H
#define PROC_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bk_err.h"
#include "oci/oci_runtime.h"

/*
 * setgroups, setresgid, setresuid. With setgroups denied in this user namespace, asking for additional
 * groups is an error; without any, the call is left out. keep_groups: no setgroups whatever
 * user says. Capabilities are kept (PR_SET_KEEPCAPS) for
 * the caller to set.
 */
int proc_user_become(const struct oci_user *user, bool keep_groups, bool setgroups_denied,
		     struct bk_err **err);

#endif
