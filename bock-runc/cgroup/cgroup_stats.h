/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel counted for a cgroup, in the shape that runc's `events` has given to it, which engines
 * parse. A file that is not there (a controller that is not enabled, an older kernel) leaves its member
 * out or 0: that is no error.
 *
 * About twenty files, an open, a read and a close each.
 */
#ifndef CGROUP_STATS_H
#define CGROUP_STATS_H

#include <stdint.h>

#include "base/bk_err.h"
#include "codec/bk_doc.h"

#define CGROUP_STATS_FILE_MAX ((size_t)64 << 10) /* bytes of a file */

struct cgroup_psi_line {
	char *avg10, *avg60, *avg300;	/* percent, as the kernel writes it */
	uint64_t total;			/* microseconds */
};

struct cgroup_psi {
	struct cgroup_psi_line *some, *full;
};

struct cgroup_stats_cpu_usage {
	uint64_t total, kernel, user;	/* nanoseconds */
};

struct cgroup_stats_throttling {
	uint64_t periods, throttled_periods, throttled_time; /* nanoseconds */
};

struct cgroup_stats_cpu {
	struct cgroup_stats_cpu_usage *usage;
	struct cgroup_stats_throttling *throttling;
	struct cgroup_psi *psi;
};

struct cgroup_stats_memory_entry {
	uint64_t limit, usage, max, failcnt;	/* bytes; limit UINT64_MAX: none */
};

struct cgroup_stats_memory {
	uint64_t cache;
	struct cgroup_stats_memory_entry *usage, *swap, *kernel, *kernel_tcp; /* swap: memory and swap */
	char *raw;				/* memory.stat as a JSON object */
	struct cgroup_psi *psi;
};

struct cgroup_stats_pids {
	uint64_t current, limit;	/* limit 0: none */
};

struct cgroup_stats_blkio_entry {
	uint64_t major, minor, value;
	char *op;			/* "Read", "Write" */
};

struct cgroup_stats_blkio {
	struct cgroup_stats_blkio_entry *bytes, *ops;
	size_t n_bytes, n_ops;
	struct cgroup_psi *psi;
};

struct cgroup_stats_hugetlb {
	char *key;			/* "2MB" */
	uint64_t usage, max, failcnt;
};

struct cgroup_stats {
	struct cgroup_stats_cpu *cpu;
	char *cpuset;			/* {}: version 2 counts nothing there */
	struct cgroup_stats_memory *memory;
	struct cgroup_stats_pids *pids;
	struct cgroup_stats_blkio *blkio;
	struct cgroup_stats_hugetlb *hugetlb;
	size_t n_hugetlb;
	char *intel_rdt;		/* {} */
	char *network_interfaces;	/* null */
};

extern const struct bk_doc_type cgroup_stats_type;

/* Reads them all; memory is the arena's. */
void cgroup_stats_read(int dirfd, struct bk_arena *arena, struct cgroup_stats *ret);

/* oom_kill of memory.events: how many processes the kernel has killed for want of memory; 0 without the file. */
uint64_t cgroup_stats_oom_kills(int dirfd);

/* One number in a file ("max" is UINT64_MAX); false where there is none. */
bool cgroup_stats_number(int dirfd, const char *file, uint64_t *ret);

/* The parsers, pure functions: the number behind "key " or "key=" at the begin of a word; 0 without it. */
uint64_t cgroup_stats_value(const char *text, const char *key);
struct cgroup_psi *cgroup_stats_psi(const char *text, struct bk_arena *arena);
void cgroup_stats_io(const char *text, struct bk_arena *arena, struct cgroup_stats_blkio *ret);

#endif
