/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of a tar that is written: POSIX.1-2001 (pax), the same bytes for the same entries. A pax header
 * stands only where ustar can't say it: long or non-ASCII names, large numbers, times before 1970 and
 * between two seconds, xattrs (SCHILY.xattr.*). Users and groups have numbers only.
 *
 * A tar is, for each entry, bk_tar_header, its content if it is a regular file, and zeros up to a whole
 * block (bk_tar_padding of them); then BK_TAR_END zeros.
 */
#ifndef BK_TAR_H
#define BK_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"

#define BK_TAR_BLOCK 512
#define BK_TAR_END   (2 * (size_t)BK_TAR_BLOCK)
/* A pax header holds a path, a link and xattrs, of which a file can have many. */
#define BK_TAR_PAX_MAX ((size_t)8 << 20)

struct bk_tar_xattr {
	const char *name;
	const void *value;
	size_t size;
};

struct bk_tar_entry {
	const char *path; /* without a slash at its end, also a directory's */
	const char *link; /* of a symbolic or hard link; else NULL */
	bool hardlink;
	mode_t mode; /* type and permissions */
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* seconds */
	uint32_t mtime_nsec; /* and nanoseconds, below 1e9 */
	uint64_t size; /* of the content that follows */
	dev_t rdev;
	const struct bk_tar_xattr *xattrs;
	size_t n_xattrs;
};

/* Appends the header, and before it the pax header that it may need. -BK_ERR_CONFIG: more than BK_TAR_PAX_MAX. */
int bk_tar_header(const struct bk_tar_entry *e, struct bk_buf *out, struct bk_err **err);

/* How many zeros follow a content of that many bytes. */
size_t bk_tar_padding(uint64_t size);

/* Whether the entry is a regular file, of which content follows. */
bool bk_tar_has_content(const struct bk_tar_entry *e);

#endif
