/* SPDX-License-Identifier: Apache-2.0 */
/* process.rlimits (config.md "POSIX process"). */
#ifndef PROC_RLIMIT_H
#define PROC_RLIMIT_H

#include "base/bk_err.h"
#include "oci/oci_runtime.h"

/* The resource number of "RLIMIT_NOFILE", or -1; and the name of a number, or NULL. */
int proc_rlimit_number(const char *name);
const char *proc_rlimit_name(int number);
/* Names known, no name twice, soft <= hard. */
int proc_rlimit_check(const struct oci_rlimit *limits, size_t n, struct bk_err **err);
/* Sets one for this process. */
int proc_rlimit_set(const struct oci_rlimit *limit, struct bk_err **err);
/*
 * Raises both of our limits so far that a later, unprivileged call can set this one; what is high enough stays.
 */
int proc_rlimit_make_room(const struct oci_rlimit *limit, struct bk_err **err);

#endif
