/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of criu's RPC. Numbers and names are those of criu's images/rpc.proto
 * (github.com/checkpoint-restore/criu, MIT; Debian's package criu has it as /usr/include/criu/rpc.proto); what
 * nobody here sends or reads is left out.
 */
#ifndef CRIU_MSG_H
#define CRIU_MSG_H

#include "criu/criu_pb.h"

#define CRIU_MSG_MAX ((size_t)1 << 20)	/* bytes of a request */
#define CRIU_ANSWER_MAX ((size_t)64 << 10)	/* bytes of an answer */

enum criu_req_type {
	CRIU_EMPTY = 0,
	CRIU_DUMP = 1,
	CRIU_RESTORE = 2,
	CRIU_PRE_DUMP = 4,
	CRIU_NOTIFY = 6,
	CRIU_FEATURE_CHECK = 9,
	CRIU_VERSION = 10,
};

enum criu_cg_mode {
	CRIU_CG_IGNORE = 0,
	CRIU_CG_SOFT = 3,
	CRIU_CG_FULL = 4,
	CRIU_CG_STRICT = 5,
	CRIU_CG_DEFAULT = 6,
};

enum criu_network_lock {
	CRIU_LOCK_IPTABLES = 1,
	CRIU_LOCK_NFTABLES = 2,
	CRIU_LOCK_SKIP = 3,
};

struct criu_page_server {
	const char *address;
	struct criu_pb_num port;
};

struct criu_ext_mount {
	const char *key, *val;
};

struct criu_join_ns {
	const char *ns, *ns_file;
};

struct criu_inherit_fd {
	const char *key;
	struct criu_pb_num fd;
};

struct criu_cgroup_root {
	const char *ctrl;
	const char *path;
};

struct criu_opts {
	struct criu_pb_num images_dir_fd, pid;
	struct criu_pb_num leave_running, ext_unix_sk, tcp_established, evasive_devices, shell_job,
		file_locks, log_level;
	const char *log_file;
	struct criu_page_server *ps;
	struct criu_pb_num notify_scripts;
	const char *root;
	const char *parent_img;
	struct criu_pb_num track_mem, auto_dedup, work_dir_fd, link_remap;
	struct criu_ext_mount *ext_mnt;
	size_t n_ext_mnt;
	struct criu_pb_num manage_cgroups;
	struct criu_cgroup_root *cg_root;
	size_t n_cg_root;
	struct criu_pb_num rst_sibling;
	struct criu_inherit_fd *inherit_fd;
	size_t n_inherit_fd;
	struct criu_pb_num manage_cgroups_mode;	/* enum criu_cg_mode */
	const char **external;
	size_t n_external;
	struct criu_pb_num empty_ns;		/* CLONE_NEWNET */
	struct criu_join_ns *join_ns;
	size_t n_join_ns;
	const char *freeze_cgroup;
	struct criu_pb_num tcp_skip_in_flight, lazy_pages, orphan_pts_master;
	const char *config_file;
	struct criu_pb_num tcp_close;
	const char *lsm_profile;
	const char *lsm_mount_context;
	struct criu_pb_num network_lock;	/* enum criu_network_lock */
};

struct criu_features {
	struct criu_pb_num mem_track, lazy_pages;
};

struct criu_req {
	struct criu_pb_num type;	/* enum criu_req_type */
	struct criu_opts *opts;
	struct criu_pb_num notify_success, keep_open;
	struct criu_features *features;
};

struct criu_notify {
	const char *script;
	struct criu_pb_num pid;
};

struct criu_version {
	struct criu_pb_num major, minor, sublevel;
};

struct criu_restore_resp {
	struct criu_pb_num pid;
};

struct criu_resp {
	struct criu_pb_num type, success;
	struct criu_restore_resp *restore;
	struct criu_notify *notify;
	struct criu_pb_num cr_errno;
	struct criu_features *features;
	const char *cr_errmsg;
	struct criu_version *version;
};

extern const struct criu_pb_type criu_req_type, criu_resp_type;

#define CRIU_NUM(value) ((struct criu_pb_num){ .set = true, .v = (value) })

#endif
