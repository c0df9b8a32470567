/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_runtime_linux.h"

#include <string.h>

#include "base/bk_str.h"

/* Members stand in the order in which other runtimes' `spec` prints them. */

const struct bk_doc_name oci_ns_names[] = {
	{ "pid", OCI_NS_PID },	     { "network", OCI_NS_NETWORK }, { "mount", OCI_NS_MOUNT },
	{ "ipc", OCI_NS_IPC },	     { "uts", OCI_NS_UTS },	    { "user", OCI_NS_USER },
	{ "cgroup", OCI_NS_CGROUP }, { "time", OCI_NS_TIME },	    { NULL, 0 },
};

/* ---- forms that the schema gives as patterns ------------------------------------------------- */

/* ^[1-9][0-9]*[KMG]B$ */
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && text[0] != '0' && text[digits] && strchr("KMG", text[digits]) &&
	       bk_streq(text + digits + 1, "B");
}

/* ^[cbup]$ */
static bool is_device_type(const char *text)
{
	return text[0] && strchr("cbup", text[0]) && text[1] == '\0';
}

bool oci_is_mem_bw_schema(const char *text)
{
	return bk_skip_prefix(text, "MB:") && !strchr(text, '\n');
}

/* ---- namespaces, devices --------------------------------------------------------------------- */

static const struct bk_doc_field namespace_fields[] = {
	BK_DOC_ENUM_F(struct oci_namespace, type, "type", BK_DOC_REQUIRED, oci_ns_names),
	BK_DOC_STR_F(struct oci_namespace, path, "path", 0),
	BK_DOC_END,
};
static const struct bk_doc_type namespace_type = BK_DOC_TYPE(struct oci_namespace,
							     namespace_fields);

static const struct bk_doc_field device_fields[] = {
	BK_DOC_STR_F(struct oci_device, path, "path", BK_DOC_REQUIRED),
	BK_DOC_STR_CHECK_F(struct oci_device, type, "type", BK_DOC_REQUIRED, is_device_type,
			   "one of c, b, u, p"),
	BK_DOC_NUM_F(struct oci_device, major, "major", BK_DOC_I64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct oci_device, minor, "minor", BK_DOC_I64, BK_DOC_ALWAYS),
	BK_DOC_NUM_OPT(struct oci_device, file_mode, has_file_mode, "fileMode", BK_DOC_U32, 0),
	BK_DOC_NUM_OPT(struct oci_device, uid, has_uid, "uid", BK_DOC_U32, 0),
	BK_DOC_NUM_OPT(struct oci_device, gid, has_gid, "gid", BK_DOC_U32, 0),
	BK_DOC_END,
};
static const struct bk_doc_type device_type = BK_DOC_TYPE(struct oci_device, device_fields);

static const struct bk_doc_field net_device_fields[] = {
	BK_DOC_STR_F(struct oci_net_device, name, "name", 0),
	BK_DOC_END,
};
static const struct bk_doc_type net_device_type = BK_DOC_TYPE(struct oci_net_device,
							      net_device_fields);

static const struct bk_doc_field device_rule_fields[] = {
	BK_DOC_BOOL_F(struct oci_device_rule, allow, "allow", BK_DOC_REQUIRED),
	BK_DOC_STR_F(struct oci_device_rule, type, "type", 0),
	BK_DOC_NUM_OPT(struct oci_device_rule, major, has_major, "major", BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_device_rule, minor, has_minor, "minor", BK_DOC_I64, 0),
	BK_DOC_STR_F(struct oci_device_rule, access, "access", 0),
	BK_DOC_END,
};
static const struct bk_doc_type device_rule_type = BK_DOC_TYPE(struct oci_device_rule,
							       device_rule_fields);

/* ---- resources ------------------------------------------------------------------------------- */

static const struct bk_doc_field memory_fields[] = {
	BK_DOC_NUM_OPT(struct oci_memory, limit, has_limit, "limit", BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_memory, reservation, has_reservation, "reservation", BK_DOC_I64,
		       0),
	BK_DOC_NUM_OPT(struct oci_memory, swap, has_swap, "swap", BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_memory, kernel, has_kernel, "kernel", BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_memory, kernel_tcp, has_kernel_tcp, "kernelTCP", BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_memory, swappiness, has_swappiness, "swappiness", BK_DOC_U64, 0),
	BK_DOC_BOOL_OPT(struct oci_memory, disable_oom_killer, has_disable_oom_killer,
			"disableOOMKiller", 0),
	BK_DOC_BOOL_OPT(struct oci_memory, use_hierarchy, has_use_hierarchy, "useHierarchy", 0),
	BK_DOC_BOOL_OPT(struct oci_memory, check_before_update, has_check_before_update,
			"checkBeforeUpdate", 0),
	BK_DOC_END,
};
static const struct bk_doc_type memory_type = BK_DOC_TYPE(struct oci_memory, memory_fields);

static const struct bk_doc_field cpu_fields[] = {
	BK_DOC_NUM_OPT(struct oci_cpu, shares, has_shares, "shares", BK_DOC_U64, 0),
	BK_DOC_NUM_OPT(struct oci_cpu, quota, has_quota, "quota", BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_cpu, burst, has_burst, "burst", BK_DOC_U64, 0),
	BK_DOC_NUM_OPT(struct oci_cpu, period, has_period, "period", BK_DOC_U64, 0),
	BK_DOC_NUM_OPT(struct oci_cpu, realtime_runtime, has_realtime_runtime, "realtimeRuntime",
		       BK_DOC_I64, 0),
	BK_DOC_NUM_OPT(struct oci_cpu, realtime_period, has_realtime_period, "realtimePeriod",
		       BK_DOC_U64, 0),
	BK_DOC_STR_F(struct oci_cpu, cpus, "cpus", 0),
	BK_DOC_STR_F(struct oci_cpu, mems, "mems", 0),
	BK_DOC_NUM_OPT(struct oci_cpu, idle, has_idle, "idle", BK_DOC_I64, 0),
	BK_DOC_END,
};
static const struct bk_doc_type cpu_type = BK_DOC_TYPE(struct oci_cpu, cpu_fields);

static const struct bk_doc_field pids_fields[] = {
	BK_DOC_NUM_OPT(struct oci_pids, limit, has_limit, "limit", BK_DOC_I64, BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type pids_type = BK_DOC_TYPE(struct oci_pids, pids_fields);

static const struct bk_doc_field weight_device_fields[] = {
	BK_DOC_NUM_F(struct oci_weight_device, major, "major", BK_DOC_I64, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_weight_device, minor, "minor", BK_DOC_I64, BK_DOC_REQUIRED),
	BK_DOC_NUM_OPT(struct oci_weight_device, weight, has_weight, "weight", BK_DOC_U16, 0),
	BK_DOC_NUM_OPT(struct oci_weight_device, leaf_weight, has_leaf_weight, "leafWeight",
		       BK_DOC_U16, 0),
	BK_DOC_END,
};
static const struct bk_doc_type weight_device_type = BK_DOC_TYPE(struct oci_weight_device,
								 weight_device_fields);

static const struct bk_doc_field throttle_device_fields[] = {
	BK_DOC_NUM_F(struct oci_throttle_device, major, "major", BK_DOC_I64, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_throttle_device, minor, "minor", BK_DOC_I64, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_throttle_device, rate, "rate", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type throttle_device_type = BK_DOC_TYPE(struct oci_throttle_device,
								   throttle_device_fields);

static const struct bk_doc_field block_io_fields[] = {
	BK_DOC_NUM_OPT(struct oci_block_io, weight, has_weight, "weight", BK_DOC_U16, 0),
	BK_DOC_NUM_OPT(struct oci_block_io, leaf_weight, has_leaf_weight, "leafWeight", BK_DOC_U16,
		       0),
	BK_DOC_OBJV_F(struct oci_block_io, weight_device, n_weight_device, "weightDevice", 0,
		      weight_device_type),
	BK_DOC_OBJV_F(struct oci_block_io, read_bps, n_read_bps, "throttleReadBpsDevice", 0,
		      throttle_device_type),
	BK_DOC_OBJV_F(struct oci_block_io, write_bps, n_write_bps, "throttleWriteBpsDevice", 0,
		      throttle_device_type),
	BK_DOC_OBJV_F(struct oci_block_io, read_iops, n_read_iops, "throttleReadIOPSDevice", 0,
		      throttle_device_type),
	BK_DOC_OBJV_F(struct oci_block_io, write_iops, n_write_iops, "throttleWriteIOPSDevice", 0,
		      throttle_device_type),
	BK_DOC_END,
};
static const struct bk_doc_type block_io_type = BK_DOC_TYPE(struct oci_block_io, block_io_fields);

static const struct bk_doc_field hugepage_limit_fields[] = {
	BK_DOC_STR_CHECK_F(struct oci_hugepage_limit, page_size, "pageSize", BK_DOC_REQUIRED,
			   is_page_size, "a page size such as 64KB or 2MB"),
	BK_DOC_NUM_F(struct oci_hugepage_limit, limit, "limit", BK_DOC_U64, BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type hugepage_limit_type = BK_DOC_TYPE(struct oci_hugepage_limit,
								  hugepage_limit_fields);

static const struct bk_doc_field interface_priority_fields[] = {
	BK_DOC_STR_F(struct oci_interface_priority, name, "name", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_interface_priority, priority, "priority", BK_DOC_U32,
		     BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type interface_priority_type = BK_DOC_TYPE(struct oci_interface_priority,
								      interface_priority_fields);

static const struct bk_doc_field network_fields[] = {
	BK_DOC_NUM_OPT(struct oci_network, class_id, has_class_id, "classID", BK_DOC_U32, 0),
	BK_DOC_OBJV_F(struct oci_network, priorities, n_priorities, "priorities", 0,
		      interface_priority_type),
	BK_DOC_END,
};
static const struct bk_doc_type network_type = BK_DOC_TYPE(struct oci_network, network_fields);

static const struct bk_doc_field rdma_fields[] = {
	BK_DOC_NUM_OPT(struct oci_rdma, hca_handles, has_hca_handles, "hcaHandles", BK_DOC_U32, 0),
	BK_DOC_NUM_OPT(struct oci_rdma, hca_objects, has_hca_objects, "hcaObjects", BK_DOC_U32, 0),
	BK_DOC_END,
};
static const struct bk_doc_type rdma_type = BK_DOC_TYPE(struct oci_rdma, rdma_fields);

static const struct bk_doc_field resources_fields[] = {
	BK_DOC_OBJV_F(struct oci_resources, devices, n_devices, "devices", 0, device_rule_type),
	BK_DOC_OBJ_F(struct oci_resources, memory, "memory", 0, memory_type),
	BK_DOC_OBJ_F(struct oci_resources, cpu, "cpu", 0, cpu_type),
	BK_DOC_OBJ_F(struct oci_resources, pids, "pids", 0, pids_type),
	BK_DOC_OBJ_F(struct oci_resources, block_io, "blockIO", 0, block_io_type),
	BK_DOC_OBJV_F(struct oci_resources, hugepage_limits, n_hugepage_limits, "hugepageLimits", 0,
		      hugepage_limit_type),
	BK_DOC_OBJ_F(struct oci_resources, network, "network", 0, network_type),
	BK_DOC_OBJMAP_F(struct oci_resources, rdma, n_rdma, "rdma", 0, rdma_type),
	BK_DOC_STRMAP_F(struct oci_resources, unified, n_unified, "unified", 0),
	BK_DOC_END,
};
const struct bk_doc_type oci_resources_type = BK_DOC_TYPE(struct oci_resources, resources_fields);

/* ---- seccomp --------------------------------------------------------------------------------- */

static const struct bk_doc_field seccomp_arg_fields[] = {
	BK_DOC_NUM_F(struct oci_seccomp_arg, index, "index", BK_DOC_U32, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_seccomp_arg, value, "value", BK_DOC_U64, BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct oci_seccomp_arg, value_two, "valueTwo", BK_DOC_U64, 0),
	BK_DOC_STR_F(struct oci_seccomp_arg, op, "op", BK_DOC_REQUIRED),
	BK_DOC_END,
};
static const struct bk_doc_type seccomp_arg_type = BK_DOC_TYPE(struct oci_seccomp_arg,
							       seccomp_arg_fields);

static const struct bk_doc_field seccomp_syscall_fields[] = {
	BK_DOC_STRV_F(struct oci_seccomp_syscall, names, "names",
		      BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY),
	BK_DOC_STR_F(struct oci_seccomp_syscall, action, "action", BK_DOC_REQUIRED),
	BK_DOC_NUM_OPT(struct oci_seccomp_syscall, errno_ret, has_errno_ret, "errnoRet", BK_DOC_U32,
		       0),
	BK_DOC_OBJV_F(struct oci_seccomp_syscall, args, n_args, "args", 0, seccomp_arg_type),
	BK_DOC_END,
};
static const struct bk_doc_type seccomp_syscall_type = BK_DOC_TYPE(struct oci_seccomp_syscall,
								   seccomp_syscall_fields);

static const struct bk_doc_field seccomp_fields[] = {
	BK_DOC_STR_F(struct oci_seccomp, default_action, "defaultAction", BK_DOC_REQUIRED),
	BK_DOC_NUM_OPT(struct oci_seccomp, default_errno_ret, has_default_errno_ret,
		       "defaultErrnoRet", BK_DOC_U32, 0),
	BK_DOC_STRV_F(struct oci_seccomp, architectures, "architectures", 0),
	BK_DOC_STRV_F(struct oci_seccomp, flags, "flags", 0),
	BK_DOC_STR_F(struct oci_seccomp, listener_path, "listenerPath", 0),
	BK_DOC_STR_F(struct oci_seccomp, listener_metadata, "listenerMetadata", 0),
	BK_DOC_OBJV_F(struct oci_seccomp, syscalls, n_syscalls, "syscalls", 0,
		      seccomp_syscall_type),
	BK_DOC_END,
};
const struct bk_doc_type oci_seccomp_type = BK_DOC_TYPE(struct oci_seccomp, seccomp_fields);

/* ---- the rest -------------------------------------------------------------------------------- */

static const struct bk_doc_field intel_rdt_fields[] = {
	BK_DOC_STR_F(struct oci_intel_rdt, clos_id, "closID", 0),
	BK_DOC_STRV_F(struct oci_intel_rdt, schemata, "schemata", 0),
	BK_DOC_STR_F(struct oci_intel_rdt, l3_cache_schema, "l3CacheSchema", 0),
	BK_DOC_STR_CHECK_F(struct oci_intel_rdt, mem_bw_schema, "memBwSchema", 0, oci_is_mem_bw_schema,
			   "one line that begins with 'MB:'"),
	BK_DOC_BOOL_F(struct oci_intel_rdt, enable_monitoring, "enableMonitoring", 0),
	BK_DOC_END,
};
static const struct bk_doc_type intel_rdt_type = BK_DOC_TYPE(struct oci_intel_rdt,
							     intel_rdt_fields);

static const struct bk_doc_field memory_policy_fields[] = {
	BK_DOC_STR_F(struct oci_memory_policy, mode, "mode", 0),
	BK_DOC_STR_F(struct oci_memory_policy, nodes, "nodes", 0),
	BK_DOC_STRV_F(struct oci_memory_policy, flags, "flags", 0),
	BK_DOC_END,
};
static const struct bk_doc_type memory_policy_type = BK_DOC_TYPE(struct oci_memory_policy,
								 memory_policy_fields);

static const struct bk_doc_field personality_fields[] = {
	BK_DOC_STR_F(struct oci_personality, domain, "domain", 0),
	BK_DOC_STRV_F(struct oci_personality, flags, "flags", 0),
	BK_DOC_END,
};
static const struct bk_doc_type personality_type = BK_DOC_TYPE(struct oci_personality,
							       personality_fields);

static const struct bk_doc_field time_offset_fields[] = {
	BK_DOC_NUM_F(struct oci_time_offset, secs, "secs", BK_DOC_I64, 0),
	BK_DOC_NUM_F(struct oci_time_offset, nanosecs, "nanosecs", BK_DOC_U32, 0),
	BK_DOC_END,
};
static const struct bk_doc_type time_offset_type = BK_DOC_TYPE(struct oci_time_offset,
							       time_offset_fields);

static const struct bk_doc_field time_offsets_fields[] = {
	BK_DOC_OBJ_F(struct oci_time_offsets, monotonic, "monotonic", 0, time_offset_type),
	BK_DOC_OBJ_F(struct oci_time_offsets, boottime, "boottime", 0, time_offset_type),
	BK_DOC_END,
};
static const struct bk_doc_type time_offsets_type = BK_DOC_TYPE(struct oci_time_offsets,
								time_offsets_fields);

static const struct bk_doc_field linux_fields[] = {
	BK_DOC_OBJV_F(struct oci_linux, uid_mappings, n_uid_mappings, "uidMappings", 0,
		      oci_id_mapping_type),
	BK_DOC_OBJV_F(struct oci_linux, gid_mappings, n_gid_mappings, "gidMappings", 0,
		      oci_id_mapping_type),
	BK_DOC_STRMAP_F(struct oci_linux, sysctl, n_sysctl, "sysctl", 0),
	BK_DOC_OBJ_F(struct oci_linux, resources, "resources", 0, oci_resources_type),
	BK_DOC_STR_F(struct oci_linux, cgroups_path, "cgroupsPath", 0),
	BK_DOC_OBJV_F(struct oci_linux, namespaces, n_namespaces, "namespaces", 0, namespace_type),
	BK_DOC_OBJV_F(struct oci_linux, devices, n_devices, "devices", 0, device_type),
	BK_DOC_OBJMAP_F(struct oci_linux, net_devices, n_net_devices, "netDevices", 0,
			net_device_type),
	BK_DOC_OBJ_F(struct oci_linux, seccomp, "seccomp", 0, oci_seccomp_type),
	BK_DOC_STR_F(struct oci_linux, rootfs_propagation, "rootfsPropagation", 0),
	BK_DOC_STRV_F(struct oci_linux, masked_paths, "maskedPaths", 0),
	BK_DOC_STRV_F(struct oci_linux, readonly_paths, "readonlyPaths", 0),
	BK_DOC_STR_F(struct oci_linux, mount_label, "mountLabel", 0),
	BK_DOC_OBJ_F(struct oci_linux, intel_rdt, "intelRdt", 0, intel_rdt_type),
	BK_DOC_OBJ_F(struct oci_linux, memory_policy, "memoryPolicy", 0, memory_policy_type),
	BK_DOC_OBJ_F(struct oci_linux, personality, "personality", 0, personality_type),
	BK_DOC_OBJ_F(struct oci_linux, time_offsets, "timeOffsets", 0, time_offsets_type),
	BK_DOC_END,
};
const struct bk_doc_type oci_linux_type = BK_DOC_TYPE(struct oci_linux, linux_fields);
