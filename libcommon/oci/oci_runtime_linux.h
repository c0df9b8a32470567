/* SPDX-License-Identifier: Apache-2.0 */
/* The "linux" object of config.json (runtime-spec 1.3, config-linux.md). */
#ifndef OCI_RUNTIME_LINUX_H
#define OCI_RUNTIME_LINUX_H

#include "oci/oci_runtime.h"

enum oci_ns { OCI_NS_PID, OCI_NS_NETWORK, OCI_NS_MOUNT, OCI_NS_IPC, OCI_NS_UTS, OCI_NS_USER,
	      OCI_NS_CGROUP, OCI_NS_TIME, OCI_NS_MAX_ };

struct oci_namespace {
	int type;	/* enum oci_ns */
	char *path;	/* NULL or "": a new one */
};

struct oci_device {
	char *type;	/* "c" "b" "u" "p" */
	char *path;
	int64_t major;
	int64_t minor;
	uint32_t file_mode;
	bool has_file_mode;
	uint32_t uid, gid;
	bool has_uid, has_gid;
};

struct oci_net_device {
	char *key;	/* host name of the device */
	char *name;
};

struct oci_device_rule {
	bool allow;
	char *type;	/* NULL or "a": all */
	int64_t major, minor;
	bool has_major, has_minor;	/* absent or -1: any */
	char *access;
};

struct oci_memory {
	int64_t limit, reservation, swap, kernel, kernel_tcp;
	bool has_limit, has_reservation, has_swap, has_kernel, has_kernel_tcp;
	uint64_t swappiness;
	bool has_swappiness;
	bool disable_oom_killer;
	bool has_disable_oom_killer;
	bool use_hierarchy;
	bool has_use_hierarchy;
	bool check_before_update;
	bool has_check_before_update;
};

struct oci_cpu {
	uint64_t shares, period, burst, realtime_period;
	int64_t quota, realtime_runtime, idle;
	bool has_shares, has_period, has_burst, has_realtime_period;
	bool has_quota, has_realtime_runtime, has_idle;
	char *cpus;
	char *mems;
};

struct oci_pids {
	int64_t limit;
	bool has_limit;
};

struct oci_weight_device {
	int64_t major, minor;
	uint16_t weight, leaf_weight;
	bool has_weight, has_leaf_weight;
};

struct oci_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};

struct oci_block_io {
	uint16_t weight, leaf_weight;
	bool has_weight, has_leaf_weight;
	struct oci_weight_device *weight_device;
	size_t n_weight_device;
	struct oci_throttle_device *read_bps, *write_bps, *read_iops, *write_iops;
	size_t n_read_bps, n_write_bps, n_read_iops, n_write_iops;
};

struct oci_hugepage_limit {
	char *page_size;
	uint64_t limit;
};

struct oci_interface_priority {
	char *name;
	uint32_t priority;
};

struct oci_network {
	uint32_t class_id;
	bool has_class_id;
	struct oci_interface_priority *priorities;
	size_t n_priorities;
};

struct oci_rdma {
	char *key;
	uint32_t hca_handles, hca_objects;
	bool has_hca_handles, has_hca_objects;
};

struct oci_resources {
	struct oci_device_rule *devices;
	size_t n_devices;
	struct oci_memory *memory;
	struct oci_cpu *cpu;
	struct oci_pids *pids;
	struct oci_block_io *block_io;
	struct oci_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct oci_network *network;
	struct oci_rdma *rdma;
	size_t n_rdma;
	struct bk_doc_pair *unified;
	size_t n_unified;
};

struct oci_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	char *op;	/* "SCMP_CMP_EQ" */
};

struct oci_seccomp_syscall {
	char **names;
	char *action;	/* "SCMP_ACT_ALLOW" */
	uint32_t errno_ret;
	bool has_errno_ret;
	struct oci_seccomp_arg *args;
	size_t n_args;
};

struct oci_seccomp {
	char *default_action;
	uint32_t default_errno_ret;
	bool has_default_errno_ret;
	char **architectures;	/* "SCMP_ARCH_X86_64" */
	char **flags;		/* "SECCOMP_FILTER_FLAG_LOG" */
	char *listener_path;
	char *listener_metadata;
	struct oci_seccomp_syscall *syscalls;
	size_t n_syscalls;
};

struct oci_intel_rdt {
	char *clos_id;
	char **schemata;
	char *l3_cache_schema;
	char *mem_bw_schema;
	bool enable_monitoring;
};

struct oci_memory_policy {
	char *mode;	/* "MPOL_BIND" */
	char *nodes;
	char **flags;
};

struct oci_personality {
	char *domain;	/* "LINUX", "LINUX32" */
	char **flags;
};

struct oci_time_offset {
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_time_offsets {
	struct oci_time_offset *monotonic;
	struct oci_time_offset *boottime;
};

struct oci_linux {
	struct oci_namespace *namespaces;
	size_t n_namespaces;
	struct oci_id_mapping *uid_mappings, *gid_mappings;
	size_t n_uid_mappings, n_gid_mappings;
	struct oci_time_offsets *time_offsets;
	struct oci_device *devices;
	size_t n_devices;
	struct oci_net_device *net_devices;
	size_t n_net_devices;
	char *cgroups_path;
	struct oci_resources *resources;
	struct oci_intel_rdt *intel_rdt;
	struct oci_memory_policy *memory_policy;
	struct bk_doc_pair *sysctl;
	size_t n_sysctl;
	struct oci_seccomp *seccomp;
	char *rootfs_propagation;
	char **masked_paths;
	char **readonly_paths;
	char *mount_label;
	struct oci_personality *personality;
};

extern const struct bk_doc_type oci_resources_type;
extern const struct bk_doc_type oci_seccomp_type;
/* "pid", "network", ... in the order of enum oci_ns; ended by a NULL name. */
extern const struct bk_doc_name oci_ns_names[];

/* Whether text may be linux.intelRdt.memBwSchema: ^MB:[^\n]*$ */
bool oci_is_mem_bw_schema(const char *text);

#endif
