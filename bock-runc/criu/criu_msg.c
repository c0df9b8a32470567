/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/criu_msg.h"

#define NUM CRIU_PB_NUM_F
#define STR CRIU_PB_STR_F
#define REQUIRED CRIU_PB_REQUIRED_F

static const struct criu_pb_field page_server_fields[] = {
	STR(struct criu_page_server, address, 1),
	NUM(struct criu_page_server, port, CRIU_PB_I32, 2),
};
static const struct criu_pb_type page_server_type =
	CRIU_PB_TYPE("criu_page_server_info", struct criu_page_server, page_server_fields);

static const struct criu_pb_field ext_mount_fields[] = {
	REQUIRED(struct criu_ext_mount, key, CRIU_PB_STR, 1),
	REQUIRED(struct criu_ext_mount, val, CRIU_PB_STR, 2),
};
static const struct criu_pb_type ext_mount_type =
	CRIU_PB_TYPE("ext_mount_map", struct criu_ext_mount, ext_mount_fields);

static const struct criu_pb_field join_ns_fields[] = {
	REQUIRED(struct criu_join_ns, ns, CRIU_PB_STR, 1),
	REQUIRED(struct criu_join_ns, ns_file, CRIU_PB_STR, 2),
};
static const struct criu_pb_type join_ns_type =
	CRIU_PB_TYPE("join_namespace", struct criu_join_ns, join_ns_fields);

static const struct criu_pb_field inherit_fd_fields[] = {
	REQUIRED(struct criu_inherit_fd, key, CRIU_PB_STR, 1),
	REQUIRED(struct criu_inherit_fd, fd, CRIU_PB_I32, 2),
};
static const struct criu_pb_type inherit_fd_type =
	CRIU_PB_TYPE("inherit_fd", struct criu_inherit_fd, inherit_fd_fields);

static const struct criu_pb_field cgroup_root_fields[] = {
	STR(struct criu_cgroup_root, ctrl, 1),
	REQUIRED(struct criu_cgroup_root, path, CRIU_PB_STR, 2),
};
static const struct criu_pb_type cgroup_root_type =
	CRIU_PB_TYPE("cgroup_root", struct criu_cgroup_root, cgroup_root_fields);

static const struct criu_pb_field opts_fields[] = {
	REQUIRED(struct criu_opts, images_dir_fd, CRIU_PB_I32, 1),
	NUM(struct criu_opts, pid, CRIU_PB_I32, 2),
	NUM(struct criu_opts, leave_running, CRIU_PB_BOOL, 3),
	NUM(struct criu_opts, ext_unix_sk, CRIU_PB_BOOL, 4),
	NUM(struct criu_opts, tcp_established, CRIU_PB_BOOL, 5),
	NUM(struct criu_opts, evasive_devices, CRIU_PB_BOOL, 6),
	NUM(struct criu_opts, shell_job, CRIU_PB_BOOL, 7),
	NUM(struct criu_opts, file_locks, CRIU_PB_BOOL, 8),
	NUM(struct criu_opts, log_level, CRIU_PB_I32, 9),
	STR(struct criu_opts, log_file, 10),
	CRIU_PB_MSG_F(struct criu_opts, ps, 11, page_server_type),
	NUM(struct criu_opts, notify_scripts, CRIU_PB_BOOL, 12),
	STR(struct criu_opts, root, 13),
	STR(struct criu_opts, parent_img, 14),
	NUM(struct criu_opts, track_mem, CRIU_PB_BOOL, 15),
	NUM(struct criu_opts, auto_dedup, CRIU_PB_BOOL, 16),
	NUM(struct criu_opts, work_dir_fd, CRIU_PB_I32, 17),
	NUM(struct criu_opts, link_remap, CRIU_PB_BOOL, 18),
	CRIU_PB_MSGV_F(struct criu_opts, ext_mnt, 23, ext_mount_type),
	NUM(struct criu_opts, manage_cgroups, CRIU_PB_BOOL, 24),
	CRIU_PB_MSGV_F(struct criu_opts, cg_root, 25, cgroup_root_type),
	NUM(struct criu_opts, rst_sibling, CRIU_PB_BOOL, 26),
	CRIU_PB_MSGV_F(struct criu_opts, inherit_fd, 27, inherit_fd_type),
	NUM(struct criu_opts, manage_cgroups_mode, CRIU_PB_I32, 34),
	CRIU_PB_STRV_F(struct criu_opts, external, 37),
	NUM(struct criu_opts, empty_ns, CRIU_PB_U32, 38),
	CRIU_PB_MSGV_F(struct criu_opts, join_ns, 39, join_ns_type),
	STR(struct criu_opts, freeze_cgroup, 44),
	NUM(struct criu_opts, tcp_skip_in_flight, CRIU_PB_BOOL, 46),
	NUM(struct criu_opts, lazy_pages, CRIU_PB_BOOL, 48),
	NUM(struct criu_opts, orphan_pts_master, CRIU_PB_BOOL, 50),
	STR(struct criu_opts, config_file, 51),
	NUM(struct criu_opts, tcp_close, CRIU_PB_BOOL, 52),
	STR(struct criu_opts, lsm_profile, 53),
	STR(struct criu_opts, lsm_mount_context, 63),
	NUM(struct criu_opts, network_lock, CRIU_PB_I32, 64),
};
static const struct criu_pb_type opts_type = CRIU_PB_TYPE("criu_opts", struct criu_opts, opts_fields);

static const struct criu_pb_field features_fields[] = {
	NUM(struct criu_features, mem_track, CRIU_PB_BOOL, 1),
	NUM(struct criu_features, lazy_pages, CRIU_PB_BOOL, 2),
};
static const struct criu_pb_type features_type =
	CRIU_PB_TYPE("criu_features", struct criu_features, features_fields);

static const struct criu_pb_field req_fields[] = {
	REQUIRED(struct criu_req, type, CRIU_PB_I32, 1),
	CRIU_PB_MSG_F(struct criu_req, opts, 2, opts_type),
	NUM(struct criu_req, notify_success, CRIU_PB_BOOL, 3),
	NUM(struct criu_req, keep_open, CRIU_PB_BOOL, 4),
	CRIU_PB_MSG_F(struct criu_req, features, 5, features_type),
};
const struct criu_pb_type criu_req_type = CRIU_PB_TYPE("criu_req", struct criu_req, req_fields);

static const struct criu_pb_field notify_fields[] = {
	STR(struct criu_notify, script, 1),
	NUM(struct criu_notify, pid, CRIU_PB_I32, 2),
};
static const struct criu_pb_type notify_type =
	CRIU_PB_TYPE("criu_notify", struct criu_notify, notify_fields);

static const struct criu_pb_field version_fields[] = {
	REQUIRED(struct criu_version, major, CRIU_PB_I32, 1),
	REQUIRED(struct criu_version, minor, CRIU_PB_I32, 2),
	NUM(struct criu_version, sublevel, CRIU_PB_I32, 4),
};
static const struct criu_pb_type version_type =
	CRIU_PB_TYPE("criu_version", struct criu_version, version_fields);

static const struct criu_pb_field restore_fields[] = {
	REQUIRED(struct criu_restore_resp, pid, CRIU_PB_I32, 1),
};
static const struct criu_pb_type restore_type =
	CRIU_PB_TYPE("criu_restore_resp", struct criu_restore_resp, restore_fields);

static const struct criu_pb_field resp_fields[] = {
	REQUIRED(struct criu_resp, type, CRIU_PB_I32, 1),
	REQUIRED(struct criu_resp, success, CRIU_PB_BOOL, 2),
	CRIU_PB_MSG_F(struct criu_resp, restore, 4, restore_type),
	CRIU_PB_MSG_F(struct criu_resp, notify, 5, notify_type),
	NUM(struct criu_resp, cr_errno, CRIU_PB_I32, 7),
	CRIU_PB_MSG_F(struct criu_resp, features, 8, features_type),
	STR(struct criu_resp, cr_errmsg, 9),
	CRIU_PB_MSG_F(struct criu_resp, version, 10, version_type),
};
const struct criu_pb_type criu_resp_type = CRIU_PB_TYPE("criu_resp", struct criu_resp, resp_fields);
