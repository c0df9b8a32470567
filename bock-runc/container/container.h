/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container as it stands in the state folder, ROOT/ID:
 *
 *	state.json	what this header describes, replaced atomically
 *	config.json	the configuration that the container was created with, as it was
 *	resources.json	linux.resources as the last update left them; none: as in config.json
 *	start.sock	while it is created and not started: `start` calls here
 *
 * The folder itself is the lock (flock) for whatever changes a container. State is written before the
 * first side effect, so that `delete --force` can undo a create that died anywhere.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "codec/bk_doc.h"
#include "oci/oci_state.h"

#define CONTAINER_STATE_MAX ((size_t)16 << 20)
#define CONTAINER_LOCK_TIMEOUT_MS 30000
#define CONTAINER_KILL_TIMEOUT_MS 10000		/* until SIGKILL has worked */
#define CONTAINER_FREEZE_TIMEOUT_MS 10000	/* until all its processes have stopped */
#define CONTAINER_ANSWER_TIMEOUT_MS 120000	/* of the first process while it is made, beside hooks */
#define CONTAINER_RESERVE_TRIES 10
#define CONTAINER_STATE_FILE "state.json"
#define CONTAINER_CONFIG_FILE "config.json"
#define CONTAINER_RESOURCES_FILE "resources.json"
#define CONTAINER_SOCKET "start.sock"
#define CONTAINER_CACHE ".cache"	/* beside the containers: compiled seccomp profiles */

/* The state folder of all containers. */
struct container_root {
	const char *path;
	int fd;
	int timeout_ms;		/* of each wait (--timeout); 0: its own, -1: none */
};

/* What a wait whose own time-out is own_ms lasts at most; -1: for ever. */
int container_wait_ms(const struct container_root *r, int own_ms);

/* Opens it; make: with its parents, 0700. Absent and not make: fd is -1, which is no error. */
int container_root_open(const char *path, bool make, struct container_root *ret, struct bk_err **err);
void container_root_done(struct container_root *r);

/* What state.json holds. */
struct container_state {
	char *oci_version;
	char *id;
	char *bundle;
	char *rootfs;
	char *created;		/* RFC 3339 */
	int32_t pid;		/* of the container's first process; 0: not there yet */
	uint64_t pid_inode;	/* of its pidfd, or 0 and its start time: names it for ever */
	uint64_t pid_start;
	int32_t owner_pid;	/* of the bock-runc that creates it or stays in its foreground */
	uint64_t owner_start;
	char *cgroup;		/* as seen from the root of the mount; NULL: none */
	uint64_t cgroup_top;	/* cgroup_remove's top_len */
	char *unit;		/* systemd's, whose cgroup it is; NULL: the cgroup is ours */
	bool unit_user;		/* of the user's systemd */
	char *rdt_group;	/* resctrl (container_rdt); NULL: none */
	char *rdt_monitor;	/* to be removed; NULL: none */
	bool rdt_remove;	/* rdt_group, too */
	bool rdt_shared;	/* it has a closID, which others may use by now */
	uint64_t mount_ns;	/* without one of its own: the runtime's, by its inode; 0: it has one */
	uint64_t root_dev, root_inode; /* and what its root file system is */
	int32_t unit_pid;	/* the process that it was made around, where that is not pid; 0: it is */
	bool restoring;		/* pid is criu's, or that of a process that criu is about to let go on */
	bool shared_pid_ns;
	bool no_process;	/* it can't be started */
	uint64_t start_hooks_ms; /* what its startContainer hooks may take; UINT64_MAX: for ever */
	bool no_new_keyring;	/* the container has its caller's */
	bool has_poststart;
	bool has_poststop;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
};

extern const struct bk_doc_type container_state_type;

struct cgroup_host;
struct cgroup_place;
struct init_trace;

struct container {
	const struct container_root *root;
	const char *id;		/* borrowed */
	int dirfd;		/* ROOT/ID */
	bool locked;
	struct bk_arena *arena;
	struct container_state state;
	struct init_trace *trace;	/* borrowed; NULL: none */
	bool has_state;		/* false: a create that died before its first write */
	const struct cgroup_host *host; /* for who looks at many; NULL: it is found when needed */
};

#define CONTAINER_INIT { .dirfd = -1 }

/* What an id may look like; the name of the cache is none. */
int container_check_id(const char *id, struct bk_err **err);

/*
 * Reserves the id: makes ROOT/ID, locks it, and makes the file of its configuration, still empty, which *ret_config
 * is to be written to. "container with given ID already exists" if it is there.
 */
int container_reserve(const struct container_root *root, const char *id, struct container *ret,
		      int *ret_config, struct bk_err **err);
/*
 * Opens an existing one; lock: for a change. -BK_ERR_NOT_FOUND "container does not exist", the words that
 * every caller knows.
 */
int container_open(const struct container_root *root, const char *id, bool lock,
		   struct container *ret, struct bk_err **err);
/*
 * Gives the lock up while the container lives its life, so that others can kill or delete it, and takes
 * it again: -BK_ERR_NOT_FOUND if somebody has deleted the container meanwhile.
 */
void container_unlock(struct container *c);
int container_relock(struct container *c, struct bk_err **err);
int container_save(struct container *c, struct bk_err **err);
/* Removes ROOT/ID. */
int container_forget(struct container *c, struct bk_err **err);
void container_done(struct container *c);
#define bk_autocontainer bk_auto(container_done)

/*
 * For who looks at many: the state alone, in the caller's arena; no folder is open, so it is good for
 * container_status and container_describe only. *ret_uid is whose it is.
 */
int container_peek(const struct container_root *root, const char *id, struct bk_arena *arena,
		   struct container *ret, uid_t *ret_uid, struct bk_err **err);

/*
 * The status now; *ret_pid (may be NULL) is 0 unless the first process lives. What can't be found out is an error.
 * -BK_ERR_NOT_FOUND "container does not exist" if there is no state: one that is just being made, or deleted.
 */
int container_status(const struct container *c, enum oci_status *ret, pid_t *ret_pid,
		     struct bk_err **err);
const char *container_status_name(enum oci_status status);

/* Where its cgroup is, and who made it; texts are borrowed from c. */
void container_place(const struct container *c, struct cgroup_place *ret);

/* Fills the state document (strings are borrowed from c). */
int container_describe(const struct container *c, struct oci_state *ret, struct bk_err **err);

/* The error that a process is still there when the time after its SIGKILL is over. */
int container_still_there(const struct container_root *root, pid_t pid, struct bk_err **err);

/* A pidfd of the first process, if it still is that process; -BK_ERR_NOT_FOUND "container not running". */
int container_pidfd(const struct container *c, int *ret_fd, struct bk_err **err);

/* Sends a signal; all: to every process of the container. */
int container_kill(const struct container *c, int sig, bool all, struct bk_err **err);

/*
 * Stops all its processes, or lets them go on; waits until the kernel has done so
 * (CONTAINER_FREEZE_TIMEOUT_MS). "container not running" unless it runs or is created, "container not
 * paused".
 */
int container_pause(const struct container *c, struct bk_err **err);
int container_resume(const struct container *c, struct bk_err **err);

/*
 * The processes of the container (of its cgroup and those below), as the caller's pid namespace counts
 * them; heap array. A container without a cgroup: its first process. None when it has stopped.
 */
int container_procs(const struct container *c, pid_t **ret, size_t *ret_n, struct bk_err **err);

/*
 * Lets a created container run and runs its poststart hooks; returns when the program has been executed,
 * or with the reason why it could not. notify (NOTIFY_SOCKET; NULL: none): and when the container has said
 * that it is ready, which the service manager there is told; the container is unlocked then. What fails of
 * that is appended to warnings (strv).
 */
int container_start(struct container *c, const char *notify, char ***warnings, struct bk_err **err);

/*
 * Deletes a stopped (or created) container: processes, cgroup, state, then poststop hooks, whose failures
 * are appended to warnings. force: whatever its status.
 */
int container_delete(struct container *c, bool force, char ***warnings, struct bk_err **err);

/* The ids in the state folder, sorted; heap strv. */
int container_ids(const struct container_root *root, char ***ret, struct bk_err **err);

#endif
