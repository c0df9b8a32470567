/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A procfs of our own, made by fsopen(2) and never attached: nothing the container mounted or linked can
 * stand between us and the kernel (CVE-2019-16884, CVE-2025-52881).
 */
#ifndef PROC_FS_H
#define PROC_FS_H

#include "base/bk_err.h"

/* Opens the root of a new procfs of the current pid namespace. */
int proc_fs_open(int *ret_fd, struct bk_err **err);

/*
 * Writes value to path ("sys/net/ipv4/ip_forward") below it, resolved without links and without leaving the
 * file system.
 */
int proc_fs_write(int proc_fd, const char *path, const char *value, struct bk_err **err);

#endif
