/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bk_root: the only door below an untrusted tree (a container's rootfs, an image being unpacked, a
 * build context).
 *
 * A bk_root is a directory fd. Paths given to these calls are resolved by openat2(2) (kernel 5.6) with
 * RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: "/" and absolute links mean the root, ".." stops at it,
 * and /proc/PID/fd style links are refused. What comes back is a descriptor; every later operation
 * is an *at call with a single final name on that descriptor, or works on the descriptor itself, so
 * that a component swapped between two calls cannot lead outside. Final names never follow links
 * unless the function says so.
 *
 * Calling order: bk_root_open (or _from_fd), any of the others, bk_root_done.
 * Errors: BK_ERR_IO/NOT_FOUND/PERMISSION with the path as the tree sees it; BK_ERR_UNSUPPORTED
 * naming openat2 when the kernel or a sandbox refuses it.
 */
#ifndef BK_ROOT_H
#define BK_ROOT_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_err.h"

#define BK_ROOT_PATH_MAX 4096	/* bytes of one path */
#define BK_ROOT_DEPTH_MAX 256	/* components that bk_root_mkdirs makes */

struct bk_root {
	int fd;			/* O_PATH | O_DIRECTORY */
};

#define BK_ROOT_INIT { .fd = -1 }

/* Opens the tree at path (trusted: followed as the host sees it). */
int bk_root_open(struct bk_root *r, const char *path, struct bk_err **err);
/* Takes a directory fd over (owned from now on). */
void bk_root_from_fd(struct bk_root *r, int fd);
void bk_root_done(struct bk_root *r);
#define bk_autoroot bk_auto(bk_root_done)

/*
 * Opens path below the root with open(2) flags (O_CLOEXEC added; mode for O_CREAT). Links in the
 * middle are followed inside the root; the last component too, unless O_NOFOLLOW is among flags.
 */
int bk_root_openat(const struct bk_root *r, const char *path, int flags, mode_t mode, int *ret_fd,
		   struct bk_err **err);
/* The same without any link being followed (RESOLVE_NO_SYMLINKS). */
int bk_root_openat_nolinks(const struct bk_root *r, const char *path, int flags, mode_t mode,
			   int *ret_fd, struct bk_err **err);
/*
 * Opens the directory that holds path's last component (made with all its parents, mode 0755, if
 * `make`), and returns that component in ret_name (heap). "/" and paths that end in "/", "." or ".."
 * are refused.
 */
int bk_root_parent(const struct bk_root *r, const char *path, bool make, int *ret_dirfd,
		   char **ret_name, struct bk_err **err);
/*
 * Makes path and its parents as directories where they are missing, following links inside the
 * root (what a dangling one points to is made); returns an O_PATH fd of the last one. An existing
 * non-directory is ENOTDIR. The umask applies to mode, here and in the calls below.
 */
int bk_root_mkdirs(const struct bk_root *r, const char *path, mode_t mode, int *ret_fd,
		   struct bk_err **err);
/* The same for who has just seen that the path is not there: it is not looked for first. It may have come since. */
int bk_root_mkdirs_missing(const struct bk_root *r, const char *path, mode_t mode, int *ret_fd,
			   struct bk_err **err);
/*
 * Makes an empty regular file (and its parents, mode 0755) if nothing is there; returns an O_PATH fd
 * of what is there now, be it a directory or a device: the caller looks. Links are followed inside
 * the root, the last component too, as for bk_root_mkdirs.
 */
int bk_root_mkfile(const struct bk_root *r, const char *path, mode_t mode, int *ret_fd,
		   struct bk_err **err);
/* As mknod(2), on a name not there yet; parents are made. */
int bk_root_mknod(const struct bk_root *r, const char *path, mode_t mode, dev_t dev,
		  struct bk_err **err);
/* A symbolic link at path with that target text; parents are made. -BK_ERR_IO EEXIST if there is one. */
int bk_root_symlink(const struct bk_root *r, const char *target, const char *path,
		    struct bk_err **err);
/* A hard link to `from` (not followed if it is a link) at `to`; both below the root. */
int bk_root_link(const struct bk_root *r, const char *from, const char *to, struct bk_err **err);
/* Status of path; the last component is not followed. */
int bk_root_lstat(const struct bk_root *r, const char *path, struct stat *ret_st,
		  struct bk_err **err);
/* Removes one file, link or empty directory. */
int bk_root_unlink(const struct bk_root *r, const char *path, bool dir, struct bk_err **err);
/*
 * Removes path and everything below it, never leaving it and never crossing a mount (EBUSY, with
 * what was before it gone); absent is success.
 */
int bk_root_rmtree(const struct bk_root *r, const char *path, struct bk_err **err);
/* The same for a single name in an open directory. */
int bk_root_rmtree_at(int dirfd, const char *name, struct bk_err **err);
/*
 * Reads a regular file (not a FIFO, device or directory: CVE-2024-9676) of at most b->max bytes. A
 * link is followed inside the root.
 */
int bk_root_read(const struct bk_root *r, const char *path, struct bk_buf *b, struct bk_err **err);

/* Removes the content of an open directory, depth first, no links followed, one file system. */
int bk_root_empty_dir(int dirfd, struct bk_err **err);
/* 0 if openat2 works here, else -BK_ERR_UNSUPPORTED naming it. */
int bk_root_probe(struct bk_err **err);

#endif
