/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_stats.h: the document, member by member as runc prints it. */
#include "cgroup/cgroup_stats.h"

static const struct bk_doc_field line_fields[] = {
	BK_DOC_RAW_F(struct cgroup_psi_line, avg10, "avg10", BK_DOC_REQUIRED),
	BK_DOC_RAW_F(struct cgroup_psi_line, avg60, "avg60", BK_DOC_REQUIRED),
	BK_DOC_RAW_F(struct cgroup_psi_line, avg300, "avg300", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct cgroup_psi_line, total, "total", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type line_type = BK_DOC_TYPE(struct cgroup_psi_line, line_fields);

static const struct bk_doc_field psi_fields[] = {
	BK_DOC_OBJ_F(struct cgroup_psi, some, "some", 0, line_type),
	BK_DOC_OBJ_F(struct cgroup_psi, full, "full", 0, line_type),
	BK_DOC_END,
};
static const struct bk_doc_type psi_type = BK_DOC_TYPE(struct cgroup_psi, psi_fields);

static const struct bk_doc_field cpu_usage_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_cpu_usage, total, "total", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct cgroup_stats_cpu_usage, kernel, "kernel", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct cgroup_stats_cpu_usage, user, "user", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type cpu_usage_type = BK_DOC_TYPE(struct cgroup_stats_cpu_usage,
							     cpu_usage_fields);

static const struct bk_doc_field throttling_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_throttling, periods, "periods", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_throttling, throttled_periods, "throttledPeriods", BK_DOC_U64,
		     0),
	BK_DOC_NUM_F(struct cgroup_stats_throttling, throttled_time, "throttledTime", BK_DOC_U64, 0),
	BK_DOC_END,
};
static const struct bk_doc_type throttling_type = BK_DOC_TYPE(struct cgroup_stats_throttling,
							      throttling_fields);

static const struct bk_doc_field cpu_fields[] = {
	BK_DOC_OBJ_F(struct cgroup_stats_cpu, usage, "usage", BK_DOC_ALWAYS, cpu_usage_type),
	BK_DOC_OBJ_F(struct cgroup_stats_cpu, throttling, "throttling", BK_DOC_ALWAYS, throttling_type),
	BK_DOC_OBJ_F(struct cgroup_stats_cpu, psi, "psi", 0, psi_type),
	BK_DOC_END,
};
static const struct bk_doc_type cpu_type = BK_DOC_TYPE(struct cgroup_stats_cpu, cpu_fields);

static const struct bk_doc_field entry_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_memory_entry, limit, "limit", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_NUM_F(struct cgroup_stats_memory_entry, usage, "usage", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_memory_entry, max, "max", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_memory_entry, failcnt, "failcnt", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type entry_type = BK_DOC_TYPE(struct cgroup_stats_memory_entry, entry_fields);

static const struct bk_doc_field memory_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_memory, cache, "cache", BK_DOC_U64, 0),
	BK_DOC_OBJ_F(struct cgroup_stats_memory, usage, "usage", BK_DOC_ALWAYS, entry_type),
	BK_DOC_OBJ_F(struct cgroup_stats_memory, swap, "swap", BK_DOC_ALWAYS, entry_type),
	BK_DOC_OBJ_F(struct cgroup_stats_memory, kernel, "kernel", BK_DOC_ALWAYS, entry_type),
	BK_DOC_OBJ_F(struct cgroup_stats_memory, kernel_tcp, "kernelTCP", BK_DOC_ALWAYS, entry_type),
	BK_DOC_RAW_F(struct cgroup_stats_memory, raw, "raw", 0),
	BK_DOC_OBJ_F(struct cgroup_stats_memory, psi, "psi", 0, psi_type),
	BK_DOC_END,
};
static const struct bk_doc_type memory_type = BK_DOC_TYPE(struct cgroup_stats_memory, memory_fields);

static const struct bk_doc_field pids_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_pids, current, "current", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_pids, limit, "limit", BK_DOC_U64, 0),
	BK_DOC_END,
};
static const struct bk_doc_type pids_type = BK_DOC_TYPE(struct cgroup_stats_pids, pids_fields);

static const struct bk_doc_field blkio_entry_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_blkio_entry, major, "major", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_blkio_entry, minor, "minor", BK_DOC_U64, 0),
	BK_DOC_STR_F(struct cgroup_stats_blkio_entry, op, "op", 0),
	BK_DOC_NUM_F(struct cgroup_stats_blkio_entry, value, "value", BK_DOC_U64, 0),
	BK_DOC_END,
};
static const struct bk_doc_type blkio_entry_type = BK_DOC_TYPE(struct cgroup_stats_blkio_entry,
							       blkio_entry_fields);

static const struct bk_doc_field blkio_fields[] = {
	BK_DOC_OBJV_F(struct cgroup_stats_blkio, bytes, n_bytes, "ioServiceBytesRecursive", 0,
		      blkio_entry_type),
	BK_DOC_OBJV_F(struct cgroup_stats_blkio, ops, n_ops, "ioServicedRecursive", 0, blkio_entry_type),
	BK_DOC_OBJ_F(struct cgroup_stats_blkio, psi, "psi", 0, psi_type),
	BK_DOC_END,
};
static const struct bk_doc_type blkio_type = BK_DOC_TYPE(struct cgroup_stats_blkio, blkio_fields);

static const struct bk_doc_field hugetlb_fields[] = {
	BK_DOC_NUM_F(struct cgroup_stats_hugetlb, usage, "usage", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_hugetlb, max, "max", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct cgroup_stats_hugetlb, failcnt, "failcnt", BK_DOC_U64, BK_DOC_ALWAYS),
	BK_DOC_END,
};
static const struct bk_doc_type hugetlb_type = BK_DOC_TYPE(struct cgroup_stats_hugetlb, hugetlb_fields);

static const struct bk_doc_field stats_fields[] = {
	BK_DOC_OBJ_F(struct cgroup_stats, cpu, "cpu", BK_DOC_ALWAYS, cpu_type),
	BK_DOC_RAW_F(struct cgroup_stats, cpuset, "cpuset", BK_DOC_REQUIRED),
	BK_DOC_OBJ_F(struct cgroup_stats, memory, "memory", BK_DOC_ALWAYS, memory_type),
	BK_DOC_OBJ_F(struct cgroup_stats, pids, "pids", BK_DOC_ALWAYS, pids_type),
	BK_DOC_OBJ_F(struct cgroup_stats, blkio, "blkio", BK_DOC_ALWAYS, blkio_type),
	BK_DOC_OBJMAP_F(struct cgroup_stats, hugetlb, n_hugetlb, "hugetlb", BK_DOC_ALWAYS, hugetlb_type),
	BK_DOC_RAW_F(struct cgroup_stats, intel_rdt, "intel_rdt", BK_DOC_REQUIRED),
	BK_DOC_RAW_F(struct cgroup_stats, network_interfaces, "network_interfaces", BK_DOC_REQUIRED),
	BK_DOC_END,
};
const struct bk_doc_type cgroup_stats_type = BK_DOC_TYPE(struct cgroup_stats, stats_fields);
