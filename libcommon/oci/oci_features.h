/* SPDX-License-Identifier: Apache-2.0 */
/* The features document (runtime-spec 1.3, features.md and features-linux.md). */
#ifndef OCI_FEATURES_H
#define OCI_FEATURES_H

#include "codec/bk_doc.h"

struct oci_features_enabled {	/* {"enabled": bool}: apparmor, selinux, idmap, netDevices */
	bool enabled;
};

struct oci_features_cgroup {
	bool v1, v2, systemd, systemd_user, rdma;
};

struct oci_features_seccomp {
	bool enabled;
	char **actions, **operators, **archs, **known_flags, **supported_flags;
};

struct oci_features_intel_rdt {
	bool enabled, schemata, monitoring;
};

struct oci_features_memory_policy {
	char **modes, **flags;
};

struct oci_features_mount_ext {
	struct oci_features_enabled *idmap;
};

struct oci_features_linux {
	char **namespaces;
	char **capabilities;
	struct oci_features_cgroup *cgroup;
	struct oci_features_seccomp *seccomp;
	struct oci_features_enabled *apparmor, *selinux;
	struct oci_features_intel_rdt *intel_rdt;
	struct oci_features_memory_policy *memory_policy;
	struct oci_features_mount_ext *mount_extensions;
	struct oci_features_enabled *net_devices;
};

struct oci_features {
	char *oci_version_min, *oci_version_max;
	char **hooks;
	char **mount_options;
	struct oci_features_linux *linux_;
	struct bk_doc_pair *annotations;
	size_t n_annotations;
	char **potentially_unsafe_config_annotations;
};

extern const struct bk_doc_type oci_features_type;

#endif
