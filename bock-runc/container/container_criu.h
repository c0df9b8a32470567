/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint and restore have in common: their options, folders, and what criu is told of a container. */
#ifndef CONTAINER_CRIU_H
#define CONTAINER_CRIU_H

#include <stdbool.h>

#include "criu/criu_rpc.h"
#include "mount/mount_plan.h"
#include "spec/spec_load.h"

#define CONTAINER_CRIU_FDS "descriptors.json"	/* in the folder of the images, as runc and crun have it */
#define CONTAINER_CRIU_FDS_MAX ((size_t)64 << 10)
#define CONTAINER_CRIU_STDIO 3
#define CONTAINER_CRIU_DUMP_LOG "dump.log"
#define CONTAINER_CRIU_RESTORE_LOG "restore.log"

/* The options of both commands; texts are borrowed. */
struct container_criu_opts {
	const char *program;		/* NULL: criu in PATH */
	const char *images;		/* NULL: "checkpoint" in the current directory */
	const char *work;		/* NULL: as images */
	int silence_ms;			/* criu_how's */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
	int cgroups;			/* enum criu_cg_mode */
	int network_lock;		/* enum criu_network_lock; 0: criu's own */
	/* checkpoint */
	const char *parent;		/* relative to images; NULL: none */
	const char *page_server;	/* ADDRESS:PORT; NULL: none */
	bool leave_running, tcp_skip_in_flight, link_remap, pre_dump;
	int status_fd;			/* -1: none */
	/* restore */
	bool tcp_close;
	const char *lsm_profile, *lsm_mount_context;
};

struct container_criu_dirs {
	const char *work_path;	/* borrowed */
	int images, work;	/* work is images where none was named */
};

#define CONTAINER_CRIU_DIRS_INIT { .images = -1, .work = -1 }

/* criu needs the rights of the host's root. */
int container_criu_check(struct bk_err **err);

/* Whether a configuration is one that criu can keep. */
int container_criu_check_spec(const struct spec *spec, struct bk_err **err);

/* Opens both; make: the images' folder is made where it is missing (0700). That of work always is. */
int container_criu_open(const struct container_criu_opts *o, bool make, struct container_criu_dirs *ret,
			struct bk_err **err);
void container_criu_dirs_done(struct container_criu_dirs *d);

/* What both tell criu, but for mounts and namespaces. */
void container_criu_fill(const struct container_criu_opts *o, const struct container_criu_dirs *d,
			 const struct oci_runtime_config *config, const char *log, struct criu_opts *ret);

/*
 * The mounts whose source is not of the container: bind mounts, devices and, where the cgroup is one, cgroups, as
 * they are found below the rootfs; their keys are the same for both commands. restore: with their sources.
 * cgroup_dir: on the host; NULL: none. Memory is the arena's. -BK_ERR_UNSUPPORTED: mapped ids.
 */
int container_criu_mounts(const struct spec *spec, const char *cgroup_dir, bool restore,
			  struct bk_arena *arena, struct criu_opts *ret, struct bk_err **err);
void container_criu_add_mount(struct criu_opts *o, struct bk_arena *arena, const char *key,
			      const char *val);
/* Opens a path below the rootfs (O_PATH). 1; 0: there is none; < 0: it can't be said. */
int container_criu_look(const struct bk_root *root, const char *path, int *ret_fd, struct bk_err **err);
/* A path of the configuration as it is found below the rootfs, links in it being followed. *ret is the arena's. */
int container_criu_resolve(const struct bk_root *root, const char *path, struct bk_arena *arena, const char **ret,
			   struct bk_err **err);

/* criu's name for a namespace that it is not to make or dump: "extRootNetNS". Only of net and pid. */
const char *container_criu_ns_key(int type);

/* What criu said last in its log, in front of the error, which stays. Returns rc. */
int container_criu_failed(const struct container_criu_dirs *d, const char *log, int rc,
			  struct bk_err **err);

/*
 * Standard input, output and error of a process as criu is to find them again: "pipe:[N]" and, of a file that is not
 * in the process' mount namespace, criu's "file[MOUNT:INODE]", which it must be told to be external. Anything else is
 * a path, which it knows itself, or "" (a pipe both of whose ends are among the processes pids).
 */
struct container_criu_stream {
	const char *name;
	bool null; /* the null device of elsewhere, which it is again, whatever the caller's stream is */
};

/* The streams of a process; names are the arena's. */
int container_criu_stdio(pid_t pid, const pid_t *pids, size_t n_pids, struct bk_arena *arena,
			 struct container_criu_stream ret[CONTAINER_CRIU_STDIO], struct bk_err **err);
/* True for one that the restored container gets from who restores it. */
bool container_criu_is_outside(const char *name);

/* Three names, as other runtimes have it, and three more words of ours: "/dev/null" of a stream that is null. */
int container_criu_stdio_write(int dir, const struct container_criu_stream s[CONTAINER_CRIU_STDIO],
			       struct bk_err **err);
/* What either runtime wrote; those behind the sixth are passed over. */
int container_criu_stdio_read(int dir, struct bk_arena *arena,
			      struct container_criu_stream ret[CONTAINER_CRIU_STDIO], struct bk_err **err);

#endif
