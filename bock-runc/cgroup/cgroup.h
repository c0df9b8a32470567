/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's cgroup, version 2 only, by the file system itself (no systemd).
 *
 * On a hybrid host (version 1 on /sys/fs/cgroup, version 2 on /sys/fs/cgroup/unified) everything
 * that the core of version 2 gives works: membership, freeze, kill, devices. Limits:
 * cgroup_limits.h.
 *
 * Calling order of a create: cgroup_find, cgroup_path, (the caller writes the path to its state),
 * cgroup_make, clone3 with CLONE_INTO_CGROUP. Of a delete: cgroup_open, cgroup_kill,
 * cgroup_remove. A `path` is always absolute, clean and as seen from the root of the mount. Every
 * wait has a time-out, in milliseconds; -1 waits for ever.
 *
 * On the hot path: cgroup_find is one statfs (two on a hybrid host), cgroup_make is mkdir and
 * open, cgroup_remove of an empty cgroup is one rmdir.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bk_err.h"

#define CGROUP_PATH_MAX 4096	/* bytes of a path */
#define CGROUP_DEPTH_MAX 64	/* components made or removed */
#define CGROUP_PIDS_MAX 65536	/* processes that cgroup_procs lists */

enum cgroup_kind {
	CGROUP_NONE,	/* no version 2 hierarchy is mounted at either place */
	CGROUP_UNIFIED,	/* on /sys/fs/cgroup */
	CGROUP_HYBRID,	/* on /sys/fs/cgroup/unified */
};

struct cgroup_host {
	enum cgroup_kind kind;
	const char *mount;	/* static text; NULL for CGROUP_NONE */
	int errnum;		/* of CGROUP_NONE: why it can't be said; 0: there is none */
};

/* Finds the hierarchy. Never fails: without one, kind is CGROUP_NONE; where it can't be looked at, with errnum. */
void cgroup_find(struct cgroup_host *ret);
/* The same with the mount point given (tests, private mounts): NONE or UNIFIED. */
void cgroup_find_at(const char *mount, struct cgroup_host *ret);
/* An error if it can't be said whether there is one; none is no error. */
int cgroup_check_host(const struct cgroup_host *h, struct bk_err **err);

/*
 * The path of a container's cgroup, from linux.cgroupsPath (NULL or "": unset):
 *   absolute: from the root of the mount, cleaned (".." stops at the root);
 *   relative: below the parent of the cgroup that we are in ourselves (as runc does: our own has
 *	processes, so no controller could be enabled for a child of it);
 *   unset, root: "/ID";  unset, rootless: as the relative path "ID".
 * Heap string. -BK_ERR_CONFIG: too long, too deep, or the root itself.
 */
int cgroup_path(const struct cgroup_host *h, const char *cgroups_path, const char *id,
		bool rootless, char **ret_path, struct bk_err **err);

/*
 * Makes the cgroup and its parents where they are missing. One that is there already must be
 * without processes and not frozen: else -BK_ERR_CONFIG in runc's words ("container's cgroup is
 * not empty: N process(es) found", "container's cgroup unexpectedly frozen"). *ret_dirfd is for
 * clone3, the calls below and *at calls. *ret_top_len: the first that many bytes of path are the
 * topmost cgroup that this call made; 0: all were there. Undone on failure. What a rootless
 * caller may not make is -BK_ERR_PERMISSION (errno EACCES, EPERM or EROFS).
 */
int cgroup_make(const struct cgroup_host *h, const char *path, int *ret_dirfd, size_t *ret_top_len,
		struct bk_err **err);

/*
 * The cgroup of a process (0: our own), as seen from the root of our cgroup namespace; heap string.
 * cgroup_in_text reads it from the text of a /proc/PID/cgroup; NULL: version 2 is not in there.
 */
int cgroup_of(pid_t pid, char **ret, struct bk_err **err);
char *cgroup_in_text(const char *text);

/* Opens an existing one; -BK_ERR_NOT_FOUND. */
int cgroup_open(const struct cgroup_host *h, const char *path, int *ret_dirfd, struct bk_err **err);

/* Kills every process in it and below (cgroup.kill, kernel 5.14). Does not wait. -BK_ERR_NOT_FOUND: it was removed. */
int cgroup_kill(int dirfd, struct bk_err **err);

/* Whether a cgroup can have this name, one component: not what the kernel's own files are called. -BK_ERR_CONFIG. */
int cgroup_check_name(const char *name, struct bk_err **err);

/* Moves a process into it. */
int cgroup_join(int dirfd, pid_t pid, struct bk_err **err);

/*
 * The processes in it and, if `below`, in all its descendants; heap array. Threaded ones, which
 * the kernel does not list, are skipped.
 */
int cgroup_procs(int dirfd, bool below, pid_t **ret_pids, size_t *ret_n, struct bk_err **err);

/* "populated" and "frozen" of cgroup.events; each may be NULL. */
int cgroup_events(int dirfd, bool *ret_populated, bool *ret_frozen, struct bk_err **err);

/* Waits until no live process is left in it or below, or it was removed; -BK_ERR_IO ETIMEDOUT names those that are. */
int cgroup_wait_empty(int dirfd, int timeout_ms, struct bk_err **err);

/*
 * Puts "held by process 12 (...), ..." in front of an error that is set: those in it and below, at most eight of them, but
 * not this one (0: all). Nobody there: nothing is put there. Returns rc.
 */
int cgroup_name_holders(int dirfd, pid_t but, int rc, struct bk_err **err);

/*
 * Stops or continues all processes and waits until the kernel says so; ETIMEDOUT names those that did not stop, and
 * the cgroup above that is frozen too. A freeze that ran out of time is taken back.
 */
int cgroup_freeze(int dirfd, int timeout_ms, struct bk_err **err);
int cgroup_thaw(int dirfd, int timeout_ms, struct bk_err **err);

/*
 * Whether it was told to freeze, itself (not a cgroup above): what cgroup.freeze says. Three system
 * calls; false where there is no such cgroup.
 */
int cgroup_is_frozen(const struct cgroup_host *h, const char *path, bool *ret, struct bk_err **err);

/*
 * Removes the cgroup with its descendants, then its parents down to the first top_len bytes of
 * path (from cgroup_make; 0: no parent) as far as they are empty. Processes that are still dying
 * are waited for at most timeout_ms; the error names those that hold it. Absent is success.
 */
int cgroup_remove(const struct cgroup_host *h, const char *path, size_t top_len, int timeout_ms,
		  struct bk_err **err);

/*
 * Gives the cgroup to the container's root: the folder and the files that
 * /sys/kernel/cgroup/delegate names. To be done only for a container with its own cgroup
 * namespace and a writable cgroup mount.
 */
int cgroup_delegate(int dirfd, uid_t uid, gid_t gid, struct bk_err **err);

/* Each controller that the cgroup has, of which there may be none, is enabled for those below it. */
int cgroup_enable_all(int dirfd, struct bk_err **err);

/*
 * Makes the cgroup `name` below for pid, the only process in there, to have to itself: moves it there, enables all
 * controllers for it, and gives it to owner (0: it stays the caller's). What is made is removed with the one above.
 */
int cgroup_delegate_below(int dirfd, const char *name, pid_t pid, uid_t owner, struct bk_err **err);

#endif
