/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files on the host side (trusted paths). Untrusted trees: bk_root.h. */
#ifndef BK_FILE_H
#define BK_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"

/*
 * Reads path (relative to dirfd; AT_FDCWD) into b; b->max is the limit. Absent: -BK_ERR_NOT_FOUND.
 */
int bk_file_read(int dirfd, const char *path, struct bk_buf *b, struct bk_err **err);
/*
 * Replaces path by data: temporary file beside it, write, fsync if `sync`, rename. A reader sees
 * the old or the new content, never a part.
 */
int bk_file_write_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
			 bool sync, struct bk_err **err);
/* One write(2) to an existing file (procfs, sysfs, cgroupfs), no creation. */
int bk_file_put(int dirfd, const char *path, const char *data, struct bk_err **err);
/* mkdir -p on the host. */
int bk_file_mkdirs(const char *path, mode_t mode, struct bk_err **err);
/* rm -r on the host, no link followed, no mount crossed; absent is success. */
int bk_file_rmtree(int dirfd, const char *path, struct bk_err **err);

#endif
