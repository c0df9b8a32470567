/* SPDX-License-Identifier: Apache-2.0 */
#include "cgroup/cgroup_limits.h"

#include <stdint.h>
#include <string.h>

#include "base/bk_str.h"

#define BLKIO_WEIGHT_MIN   10U
#define BLKIO_WEIGHT_MAX   1000U
#define CPU_PERIOD_DEFAULT 100000U
#define CPU_WEIGHT_DEFAULT 100U
#define SWAPPINESS_DEFAULT 60U

void cgroup_limits_done(struct cgroup_limits *limits)
{
	if (limits->arena)
		bk_arena_free(limits->arena);
	*limits = (struct cgroup_limits)CGROUP_LIMITS_INIT;
}

/* Takes value over (arena memory, or static text). More than fits is found in the end. */
static void add(struct cgroup_limits *l, const char *controller, const char *json, const char *file,
		const char *value, unsigned int flags)
{
	if (l->n > CGROUP_LIMITS_MAX)
		return;
	l->list = bk_arena_grow(l->arena, l->list, l->n, sizeof(*l->list));
	l->list[l->n++] = (struct cgroup_limit){
		.controller = controller,
		.json = json,
		.file = file,
		.value = value,
		.flags = flags,
	};
}

static const char *u64_text(struct cgroup_limits *l, uint64_t value)
{
	return bk_arena_printf(l->arena, "%llu", (unsigned long long)value);
}

static int unsupported(const char *json, const char *why, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "linux.resources.%s: %s", json, why);
}

static int invalid(const char *json, const char *why, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.resources.%s: %s", json, why);
}

/* What version 2 has nothing for. */
static int refuse_memory(const struct oci_memory *m, struct bk_err **err)
{
	if (m->has_kernel && m->kernel > 0)
		return unsupported("memory.kernel",
				   "cgroup version 2 has no limit of its own for it", err);
	if (m->has_kernel_tcp && m->kernel_tcp > 0)
		return unsupported("memory.kernelTCP",
				   "cgroup version 2 has no limit of its own for it", err);
	if (m->has_swappiness && m->swappiness != SWAPPINESS_DEFAULT)
		return unsupported("memory.swappiness", "cgroup version 2 has no such setting",
				   err);
	if (m->has_disable_oom_killer && m->disable_oom_killer)
		return unsupported("memory.disableOOMKiller",
				   "cgroup version 2 has no such setting", err);
	if (m->has_use_hierarchy && !m->use_hierarchy)
		return unsupported("memory.useHierarchy", "cgroup version 2 is always hierarchical",
				   err);
	return 0;
}

/* What is to be unlimited: that is what a new cgroup has, and what an update must say. */
static void add_max(struct cgroup_limits *l, const char *controller, const char *json,
		    const char *file)
{
	if (l->update)
		add(l, controller, json, file, "max", 0);
}

/* swap in the specification is memory and swap together; memory.swap.max is swap alone. */
static int add_swap(const struct oci_memory *m, struct cgroup_limits *l, struct bk_err **err)
{
	bool limited = m->has_limit && m->limit > 0;

	if (m->has_swap && m->swap < 0)
		add_max(l, "memory", "memory.swap", "memory.swap.max");
	if (!m->has_swap || m->swap <= 0)
		return 0; /* -1 and 0: as much as there is */
	if (!limited)
		return invalid("memory.swap", "needs memory.limit, which it includes", err);
	if (m->swap < m->limit)
		return invalid("memory.swap", "is less than memory.limit, which it includes", err);
	/* a kernel without swap has no such file, and nothing to limit when it is to be 0 */
	add(l, "memory", "memory.swap", "memory.swap.max",
	    u64_text(l, (uint64_t)(m->swap - m->limit)),
	    m->swap == m->limit ? CGROUP_LIMIT_OPTIONAL : 0);
	return 0;
}

static void add_bytes(struct cgroup_limits *l, int64_t bytes, const char *json, const char *file)
{
	if (bytes > 0)
		add(l, "memory", json, file, u64_text(l, (uint64_t)bytes), 0);
	else if (bytes < 0)
		add_max(l, "memory", json, file);
}

/* Here and below: what is given (g) is written, with what it depends on from the whole (m). */
static int add_memory(const struct oci_memory *m, const struct oci_memory *g,
		      struct cgroup_limits *l, struct bk_err **err)
{
	int rc = refuse_memory(g, err);

	if (rc == 0 && (g->has_swap || g->has_limit))
		rc = add_swap(m, l, err);
	if (rc < 0)
		return rc;
	if (g->has_limit)
		add_bytes(l, m->limit, "memory.limit", "memory.max");
	if (g->has_reservation)
		add_bytes(l, m->reservation, "memory.reservation", "memory.low");
	return 0;
}

/* log2 of x >= 1, and e to the x for small x: bock-runc does not link libm for one formula. */
static double log2_of(uint64_t x)
{
	unsigned int whole = 63U - (unsigned int)__builtin_clzll(x);
	double mantissa = (double)x / (double)(UINT64_C(1) << whole), result = whole, step = 1;

	for (int i = 0; i < 50; i++) {
		mantissa *= mantissa;
		step /= 2;
		if (mantissa >= 2) {
			mantissa /= 2;
			result += step;
		}
	}
	return result;
}

static double exp_of(double x)
{
	double sum = 1, term = 1;

	/* 60 terms give all of a double's digits for x <= 10 (the most that comes is 4 * ln 10) */
	for (int i = 1; i < 60; i++) {
		term *= x / i;
		sum += term;
	}
	return sum;
}

unsigned int cgroup_cpu_weight(unsigned long long shares)
{
	const double ln10 = 2.302585092994045684;
	double l, weight;
	unsigned int whole;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of(shares);
	weight = exp_of(((l * l + 125 * l) / 612 - 7.0 / 34) * ln10);
	whole = (unsigned int)weight;
	/* rounded up, but not for the noise behind an exact value */
	return weight - whole > 1e-6 ? whole + 1 : whole;
}

static int add_cpu_max(const struct oci_cpu *c, const struct oci_cpu *g, struct cgroup_limits *l,
		       struct bk_err **err)
{
	bool limited = c->has_quota && c->quota > 0;
	uint64_t period = c->has_period && c->period ? c->period : CPU_PERIOD_DEFAULT;
	bool has_burst = g->has_burst && (g->burst > 0 || l->update);

	if (c->has_burst && c->burst > 0) {
		if (!limited || c->burst > (uint64_t)c->quota)
			return invalid("cpu.burst", "is larger than cpu.quota", err);
	}
	/* the one that is lowered first: the kernel wants the burst below the quota at all times */
	if (has_burst && l->update)
		add(l, "cpu", "cpu.burst", "cpu.max.burst", u64_text(l, c->burst), CGROUP_LIMIT_TRY);
	if (!g->has_quota && !g->has_period)
		;
	else if (limited)
		add(l, "cpu", "cpu.quota", "cpu.max",
		    bk_arena_printf(l->arena, "%lld %llu", (long long)c->quota,
				    (unsigned long long)period),
		    0);
	else if ((c->has_period && c->period) || (g->has_quota && l->update))
		add(l, "cpu", "cpu.period", "cpu.max",
		    bk_arena_printf(l->arena, "max %llu", (unsigned long long)period), 0);
	/* after the quota, which bounds it */
	if (has_burst)
		add(l, "cpu", "cpu.burst", "cpu.max.burst", u64_text(l, c->burst), 0);
	return 0;
}

/* containerd asks everyone for 1024 shares, which is what a new cgroup has: no controller is missed for that. */
static void add_cpu_weight(struct cgroup_limits *l, unsigned int weight)
{
	bool nothing = weight == CPU_WEIGHT_DEFAULT && !l->update;

	add(l, "cpu", "cpu.shares", "cpu.weight", u64_text(l, weight),
	    nothing ? CGROUP_LIMIT_OPTIONAL | CGROUP_LIMIT_DEFAULT : 0);
}

static int add_cpu(const struct oci_cpu *c, const struct oci_cpu *g, struct cgroup_limits *l,
		   struct bk_err **err)
{
	bool idle = c->has_idle && c->idle == 1;

	if ((g->has_realtime_runtime && g->realtime_runtime > 0) ||
	    (g->has_realtime_period && g->realtime_period > 0))
		return unsupported("cpu.realtimeRuntime",
				   "cgroup version 2 has no real-time limits", err);
	if (c->has_idle && c->idle != 0 && c->idle != 1)
		return invalid("cpu.idle", "is neither 0 nor 1", err);
	if (g->has_idle && (idle || l->update))
		add(l, "cpu", "cpu.idle", "cpu.idle", idle ? "1" : "0", 0);
	if (!idle && g->has_shares && c->shares > 0) /* an idle cgroup takes no weight */
		add_cpu_weight(l, cgroup_cpu_weight(c->shares));
	if (g->cpus && g->cpus[0])
		add(l, "cpuset", "cpu.cpus", "cpuset.cpus", g->cpus, 0);
	if (g->mems && g->mems[0])
		add(l, "cpuset", "cpu.mems", "cpuset.mems", g->mems, 0);
	return add_cpu_max(c, g, l, err);
}

static int blkio_weight(unsigned int weight, struct cgroup_limits *l, const char **ret,
			const char *json, struct bk_err **err)
{
	if (weight < BLKIO_WEIGHT_MIN || weight > BLKIO_WEIGHT_MAX)
		return invalid(json, "is not between 10 and 1000", err);
	*ret = u64_text(l, 1 + (weight - BLKIO_WEIGHT_MIN) * 9999ULL /
					   (BLKIO_WEIGHT_MAX - BLKIO_WEIGHT_MIN));
	return 0;
}

static void add_throttle(const struct oci_throttle_device *d, size_t n, const char *key,
			 const char *json, struct cgroup_limits *l)
{
	for (size_t i = 0; i < n; i++)
		add(l, "io", json, "io.max",
		    bk_arena_printf(l->arena, "%lld:%lld %s=%llu", (long long)d[i].major,
				    (long long)d[i].minor, key, (unsigned long long)d[i].rate),
		    0);
}

static int add_block_io(const struct oci_block_io *b, struct cgroup_limits *l, struct bk_err **err)
{
	const char *weight = NULL;
	int rc;

	if (b->has_leaf_weight && b->leaf_weight)
		return unsupported("blockIO.leafWeight", "cgroup version 2 has no such weight",
				   err);
	if (b->has_weight && b->weight) {
		rc = blkio_weight(b->weight, l, &weight, "blockIO.weight", err);
		if (rc < 0)
			return rc;
		add(l, "io", "blockIO.weight", "io.weight",
		    bk_arena_printf(l->arena, "default %s", weight), 0);
	}
	for (size_t i = 0; i < b->n_weight_device; i++) {
		const struct oci_weight_device *d = &b->weight_device[i];

		if (d->has_leaf_weight && d->leaf_weight)
			return unsupported("blockIO.weightDevice.leafWeight",
					   "cgroup version 2 has no such weight", err);
		if (!d->has_weight || !d->weight)
			continue;
		rc = blkio_weight(d->weight, l, &weight, "blockIO.weightDevice.weight", err);
		if (rc < 0)
			return rc;
		add(l, "io", "blockIO.weightDevice", "io.weight",
		    bk_arena_printf(l->arena, "%lld:%lld %s", (long long)d->major,
				    (long long)d->minor, weight),
		    0);
	}
	add_throttle(b->read_bps, b->n_read_bps, "rbps", "blockIO.throttleReadBpsDevice", l);
	add_throttle(b->write_bps, b->n_write_bps, "wbps", "blockIO.throttleWriteBpsDevice", l);
	add_throttle(b->read_iops, b->n_read_iops, "riops", "blockIO.throttleReadIOPSDevice", l);
	add_throttle(b->write_iops, b->n_write_iops, "wiops", "blockIO.throttleWriteIOPSDevice", l);
	return 0;
}

static void add_pids(const struct oci_pids *p, struct cgroup_limits *l)
{
	if (p->has_limit && p->limit < 0)
		add_max(l, "pids", "pids.limit", "pids.max");
	if (!p->has_limit || p->limit < 0)
		return;
	/* The first process is one itself: with 0 it could not be made in its cgroup. */
	add(l, "pids", "pids.limit", "pids.max", u64_text(l, p->limit ? (uint64_t)p->limit : 1), 0);
}

/* A name that becomes a part of a file name. */
static bool plain_name(const char *s)
{
	return s && s[0] && s[0] != '.' && !strchr(s, '/') && strlen(s) < 128;
}

static int add_hugepages(const struct oci_hugepage_limit *h, size_t n, struct cgroup_limits *l,
			 struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		const char *value = u64_text(l, h[i].limit);

		if (!plain_name(h[i].page_size))
			return invalid("hugepageLimits.pageSize", "is no size", err);
		add(l, "hugetlb", "hugepageLimits",
		    bk_arena_printf(l->arena, "hugetlb.%s.max", h[i].page_size), value, 0);
		/* reservations are counted apart, and would otherwise go past the limit */
		add(l, "hugetlb", "hugepageLimits",
		    bk_arena_printf(l->arena, "hugetlb.%s.rsvd.max", h[i].page_size), value,
		    CGROUP_LIMIT_OPTIONAL);
	}
	return 0;
}

/* The kernel takes no number that is not an int's; UINT32_MAX has always been everyone's word for "max". */
static const char *rdma_part(struct cgroup_limits *l, const char *key, bool has, uint32_t value)
{
	if (!has)
		return "";
	if (value == UINT32_MAX)
		return bk_arena_printf(l->arena, " %s=max", key);
	return bk_arena_printf(l->arena, " %s=%u", key, value);
}

static int add_rdma(const struct oci_rdma *r, size_t n, struct cgroup_limits *l,
		    struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		const char *handles = rdma_part(l, "hca_handle", r[i].has_hca_handles, r[i].hca_handles);
		const char *objects = rdma_part(l, "hca_object", r[i].has_hca_objects, r[i].hca_objects);

		if (!plain_name(r[i].key))
			return invalid("rdma", "has a device without a name", err);
		if (handles[0] || objects[0])
			add(l, "rdma", "rdma", "rdma.max",
			    bk_arena_printf(l->arena, "%s%s%s", r[i].key, handles, objects), 0);
	}
	return 0;
}

static int refuse_network(const struct oci_network *n, struct bk_err **err)
{
	if (n->has_class_id && n->class_id)
		return unsupported("network.classID", "cgroup version 2 has no net_cls", err);
	if (n->n_priorities)
		return unsupported("network.priorities", "cgroup version 2 has no net_prio", err);
	return 0;
}

/* One write a line of the value; the controller is the part in front of the first dot. */
static int add_unified(const struct bk_doc_pair *pairs, size_t n, struct cgroup_limits *l,
		       struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		const char *dot = pairs[i].key ? strchr(pairs[i].key, '.') : NULL, *line,
			   *controller;

		if (!plain_name(pairs[i].key) || !dot)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "linux.resources.unified: '%s' is not the name of a "
					  "cgroup file",
					  pairs[i].key ? pairs[i].key : "");
		controller = bk_arena_strndup(l->arena, pairs[i].key, (size_t)(dot - pairs[i].key));
		if (bk_streq(controller, "cgroup"))
			controller = "";
		for (line = pairs[i].value; line && *line;) {
			size_t len = strcspn(line, "\n");

			if (len)
				add(l, controller, "unified", pairs[i].key,
				    bk_arena_strndup(l->arena, line, len), 0);
			line += len + (line[len] == '\n');
		}
	}
	return 0;
}

/* whole: what r was added to by an update; r itself where there is none. */
static int compile(const struct oci_resources *whole, const struct oci_resources *r,
		   struct cgroup_limits *l, struct bk_err **err)
{
	int rc = 0;

	if (r->memory)
		rc = add_memory(whole->memory, r->memory, l, err);
	if (rc == 0 && r->cpu)
		rc = add_cpu(whole->cpu, r->cpu, l, err);
	if (rc == 0 && r->pids)
		add_pids(r->pids, l);
	if (rc == 0 && r->block_io)
		rc = add_block_io(r->block_io, l, err);
	if (rc == 0)
		rc = add_hugepages(r->hugepage_limits, r->n_hugepage_limits, l, err);
	if (rc == 0 && r->network)
		rc = refuse_network(r->network, err);
	if (rc == 0)
		rc = add_rdma(r->rdma, r->n_rdma, l, err);
	if (rc == 0)
		rc = add_unified(r->unified, r->n_unified, l, err);
	if (rc == 0 && l->n > CGROUP_LIMITS_MAX)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "linux.resources: more than %d limits",
				CGROUP_LIMITS_MAX);
	return rc;
}

/* Most containers ask for nothing: no arena then. */
static bool asks(const struct oci_resources *r)
{
	return r->memory || r->cpu || r->pids || r->block_io || r->n_hugepage_limits ||
	       r->network || r->n_rdma || r->n_unified;
}

static int compile_new(const struct oci_resources *whole, const struct oci_resources *r,
		       struct cgroup_limits *ret, struct bk_err **err)
{
	struct cgroup_limits limits = { .update = whole != r };
	int rc;

	if (!r || !asks(r)) {
		*ret = limits;
		return 0;
	}
	limits.arena = bk_arena_new();
	rc = compile(whole, r, &limits, err);
	if (rc < 0) {
		cgroup_limits_done(&limits);
		return rc;
	}
	*ret = limits;
	return 0;
}

int cgroup_limits_compile(const struct oci_resources *r, struct cgroup_limits *ret,
			  struct bk_err **err)
{
	return compile_new(r, r, ret, err);
}

int cgroup_limits_compile_update(const struct oci_resources *whole, const struct oci_resources *given,
				 struct cgroup_limits *ret, struct bk_err **err)
{
	return compile_new(whole, given, ret, err);
}

int cgroup_resources_check(const struct oci_resources *r, bool rootless, bool *ret_any,
			   struct bk_err **err)
{
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	int rc = cgroup_limits_compile(r, &limits, err);

	(void)rootless;
	if (rc < 0)
		return rc;
	if (ret_any)
		*ret_any = limits.n > 0;
	cgroup_limits_done(&limits);
	return 0;
}

void cgroup_limits_print(const struct cgroup_limits *limits, struct bk_buf *out)
{
	for (size_t i = 0; i < limits->n; i++)
		bk_buf_printf(out, "%s = %s\n", limits->list[i].file, limits->list[i].value);
}
