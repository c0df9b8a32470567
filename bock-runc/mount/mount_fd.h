/* SPDX-License-Identifier: Apache-2.0 */
/* A bind mount whose source is a descriptor, opened while it could be reached. */
#ifndef MOUNT_FD_H
#define MOUNT_FD_H

#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_root.h"

/*
 * Binds the directory of fd, which must be of this mount namespace, on dest below root (made where it is
 * missing), with the MOUNT_ATTR_* of attrs set.
 */
int mount_fd_bind(int fd, const char *dest, uint64_t attrs, const struct bk_root *root,
		  struct bk_err **err);

#endif
