/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bk_root share: the one place that calls openat2(2). Not for others. */
#ifndef BK_ROOT_PRIV_H
#define BK_ROOT_PRIV_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_err.h"

/* How a path from outside is resolved: from the root, as if we had chroot(2)ed there. */
#define BK_ROOT_RESOLVE (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
/* How a single name in a directory that we hold is resolved: it, and nothing that it points to. */
#define BK_ROOT_RESOLVE_NAME (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/*
 * openat2(2): the descriptor, or -errno. EINTR is retried; EAGAIN, which says that a rename or mount
 * somewhere on the machine passed by while ".." was being resolved, a bounded number of times.
 */
int bk_root_openat2_(int dirfd, const char *path, int flags, mode_t mode, uint64_t resolve);

/*
 * Sets the error of a failed act on path: "ACT 'PATH'", NOT_FOUND for ENOENT, and UNSUPPORTED where
 * openat2 itself is refused (ENOSYS, or EPERM that it also gives for a path that can't be one).
 */
int bk_root_fail_(struct bk_err **err, int errnum, const char *act, const char *path);

#endif
