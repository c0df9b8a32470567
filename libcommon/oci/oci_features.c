/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_features.h"

static const struct bk_doc_field enabled_fields[] = {
	BK_DOC_BOOL_F(struct oci_features_enabled, enabled, "enabled", BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type enabled_type = BK_DOC_TYPE(struct oci_features_enabled,
							   enabled_fields);

static const struct bk_doc_field cgroup_fields[] = {
	BK_DOC_BOOL_F(struct oci_features_cgroup, v1, "v1", BK_DOC_ALWAYS),
	BK_DOC_BOOL_F(struct oci_features_cgroup, v2, "v2", BK_DOC_ALWAYS),
	BK_DOC_BOOL_F(struct oci_features_cgroup, systemd, "systemd", BK_DOC_ALWAYS),
	BK_DOC_BOOL_F(struct oci_features_cgroup, systemd_user, "systemdUser", BK_DOC_ALWAYS),
	BK_DOC_BOOL_F(struct oci_features_cgroup, rdma, "rdma", BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type cgroup_type = BK_DOC_TYPE(struct oci_features_cgroup,
							  cgroup_fields);

static const struct bk_doc_field seccomp_fields[] = {
	BK_DOC_BOOL_F(struct oci_features_seccomp, enabled, "enabled", BK_DOC_ALWAYS),
	BK_DOC_STRV_F(struct oci_features_seccomp, actions, "actions", 0),
	BK_DOC_STRV_F(struct oci_features_seccomp, operators, "operators", 0),
	BK_DOC_STRV_F(struct oci_features_seccomp, archs, "archs", 0),
	BK_DOC_STRV_F(struct oci_features_seccomp, known_flags, "knownFlags", 0),
	BK_DOC_STRV_F(struct oci_features_seccomp, supported_flags, "supportedFlags", 0),
	BK_DOC_END,
};
static const struct bk_doc_type seccomp_type = BK_DOC_TYPE(struct oci_features_seccomp,
							   seccomp_fields);

static const struct bk_doc_field intel_rdt_fields[] = {
	BK_DOC_BOOL_F(struct oci_features_intel_rdt, enabled, "enabled", BK_DOC_ALWAYS),
	BK_DOC_BOOL_F(struct oci_features_intel_rdt, schemata, "schemata", 0),
	BK_DOC_BOOL_F(struct oci_features_intel_rdt, monitoring, "monitoring", 0),
	BK_DOC_END,
};
static const struct bk_doc_type intel_rdt_type = BK_DOC_TYPE(struct oci_features_intel_rdt,
							     intel_rdt_fields);

static const struct bk_doc_field memory_policy_fields[] = {
	BK_DOC_STRV_F(struct oci_features_memory_policy, modes, "modes", 0),
	BK_DOC_STRV_F(struct oci_features_memory_policy, flags, "flags", 0),
	BK_DOC_END,
};
static const struct bk_doc_type memory_policy_type = BK_DOC_TYPE(struct oci_features_memory_policy,
								 memory_policy_fields);

static const struct bk_doc_field mount_ext_fields[] = {
	BK_DOC_OBJ_F(struct oci_features_mount_ext, idmap, "idmap", 0, enabled_type),
	BK_DOC_END,
};
static const struct bk_doc_type mount_ext_type = BK_DOC_TYPE(struct oci_features_mount_ext,
							     mount_ext_fields);

static const struct bk_doc_field linux_fields[] = {
	BK_DOC_STRV_F(struct oci_features_linux, namespaces, "namespaces", 0),
	BK_DOC_STRV_F(struct oci_features_linux, capabilities, "capabilities", 0),
	BK_DOC_OBJ_F(struct oci_features_linux, cgroup, "cgroup", 0, cgroup_type),
	BK_DOC_OBJ_F(struct oci_features_linux, seccomp, "seccomp", 0, seccomp_type),
	BK_DOC_OBJ_F(struct oci_features_linux, apparmor, "apparmor", 0, enabled_type),
	BK_DOC_OBJ_F(struct oci_features_linux, selinux, "selinux", 0, enabled_type),
	BK_DOC_OBJ_F(struct oci_features_linux, intel_rdt, "intelRdt", 0, intel_rdt_type),
	BK_DOC_OBJ_F(struct oci_features_linux, memory_policy, "memoryPolicy", 0,
		     memory_policy_type),
	BK_DOC_OBJ_F(struct oci_features_linux, mount_extensions, "mountExtensions", 0,
		     mount_ext_type),
	BK_DOC_OBJ_F(struct oci_features_linux, net_devices, "netDevices", 0, enabled_type),
	BK_DOC_END,
};
static const struct bk_doc_type linux_type = BK_DOC_TYPE(struct oci_features_linux, linux_fields);

static const struct bk_doc_field features_fields[] = {
	BK_DOC_STR_F(struct oci_features, oci_version_min, "ociVersionMin", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_features, oci_version_max, "ociVersionMax", BK_DOC_REQUIRED),
	BK_DOC_STRV_F(struct oci_features, hooks, "hooks", 0),
	BK_DOC_STRV_F(struct oci_features, mount_options, "mountOptions", 0),
	BK_DOC_OBJ_F(struct oci_features, linux_, "linux", 0, linux_type),
	BK_DOC_STRMAP_F(struct oci_features, annotations, n_annotations, "annotations", 0),
	BK_DOC_STRV_F(struct oci_features, potentially_unsafe_config_annotations,
		      "potentiallyUnsafeConfigAnnotations", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_features_type = BK_DOC_TYPE(struct oci_features, features_fields);
