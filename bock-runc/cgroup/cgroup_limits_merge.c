/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_limits.h: what an update makes of the resources that were there. */
#include "cgroup/cgroup_limits.h"

#include <string.h>

#include "base/bk_str.h"

/* A copy of a struct that may not be there. */
#define COPY_OF(arena, p) copy_of(arena, p, sizeof(*(p)))
static void *copy_of(struct bk_arena *a, const void *p, size_t size)
{
	void *copy = bk_arena_alloc(a, size);

	if (p)
		memcpy(copy, p, size);
	return copy;
}

/* A member with its has_ flag. */
#define TAKE(to, from, m)                       \
	do {                                    \
		if ((from)->has_##m) {          \
			(to)->m = (from)->m;    \
			(to)->has_##m = true;   \
		}                               \
	} while (0)

/* A list as a whole. */
#define TAKE_LIST(to, from, m)                  \
	do {                                    \
		if ((from)->n_##m) {            \
			(to)->m = (from)->m;    \
			(to)->n_##m = (from)->n_##m; \
		}                               \
	} while (0)

static struct oci_memory *merge_memory(const struct oci_memory *cur, const struct oci_memory *g,
				       struct bk_arena *a)
{
	struct oci_memory *m = COPY_OF(a, cur);

	TAKE(m, g, limit);
	TAKE(m, g, reservation);
	TAKE(m, g, swap);
	TAKE(m, g, kernel);
	TAKE(m, g, kernel_tcp);
	TAKE(m, g, swappiness);
	TAKE(m, g, disable_oom_killer);
	TAKE(m, g, use_hierarchy);
	TAKE(m, g, check_before_update);
	/* swap includes memory: what is unlimited is included by no limit */
	if (g->has_limit && g->limit < 0 && !g->has_swap) {
		m->swap = -1;
		m->has_swap = true;
	}
	return m;
}

static struct oci_cpu *merge_cpu(const struct oci_cpu *cur, const struct oci_cpu *g,
				 struct bk_arena *a)
{
	struct oci_cpu *c = COPY_OF(a, cur);

	TAKE(c, g, shares);
	TAKE(c, g, period);
	TAKE(c, g, burst);
	TAKE(c, g, quota);
	TAKE(c, g, realtime_period);
	TAKE(c, g, realtime_runtime);
	TAKE(c, g, idle);
	if (g->cpus && *g->cpus)
		c->cpus = g->cpus;
	if (g->mems && *g->mems)
		c->mems = g->mems;
	/* without a quota there is nothing that a burst could be on top of */
	if (g->has_quota && g->quota <= 0 && !g->has_burst)
		c->has_burst = false;
	if (g->has_idle && !g->has_shares)
		c->has_shares = false;
	return c;
}

static struct oci_block_io *merge_block_io(const struct oci_block_io *cur,
					   const struct oci_block_io *g, struct bk_arena *a)
{
	struct oci_block_io *b = COPY_OF(a, cur);

	TAKE(b, g, weight);
	TAKE(b, g, leaf_weight);
	TAKE_LIST(b, g, weight_device);
	TAKE_LIST(b, g, read_bps);
	TAKE_LIST(b, g, write_bps);
	TAKE_LIST(b, g, read_iops);
	TAKE_LIST(b, g, write_iops);
	return b;
}

static struct oci_pids *merge_pids(const struct oci_pids *cur, const struct oci_pids *g,
				   struct bk_arena *a)
{
	struct oci_pids *p = COPY_OF(a, cur);

	TAKE(p, g, limit);
	return p;
}

static void merge_hugepages(struct oci_resources *r, const struct oci_resources *g, struct bk_arena *a)
{
	struct oci_hugepage_limit *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_hugepage_limits + g->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *h = i < r->n_hugepage_limits ?
			&r->hugepage_limits[i] : &g->hugepage_limits[i - r->n_hugepage_limits];
		size_t k = 0;

		while (k < n && !bk_streq0(list[k].page_size, h->page_size))
			k++;
		if (k == n)
			list = bk_arena_grow(a, list, n++, sizeof(*list));
		list[k] = *h;
	}
	r->hugepage_limits = list;
	r->n_hugepage_limits = n;
}

static void merge_rdma(struct oci_resources *r, const struct oci_resources *g, struct bk_arena *a)
{
	struct oci_rdma *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_rdma + g->n_rdma; i++) {
		const struct oci_rdma *d = i < r->n_rdma ? &r->rdma[i] : &g->rdma[i - r->n_rdma];
		size_t k = 0;

		while (k < n && !bk_streq0(list[k].key, d->key))
			k++;
		if (k == n) {
			list = bk_arena_grow(a, list, n++, sizeof(*list));
			list[k].key = d->key;
		}
		TAKE(&list[k], d, hca_handles);
		TAKE(&list[k], d, hca_objects);
	}
	r->rdma = list;
	r->n_rdma = n;
}

static void merge_unified(struct oci_resources *r, const struct oci_resources *g, struct bk_arena *a)
{
	struct bk_doc_pair *pairs = NULL;
	size_t n = 0;

	for (size_t i = 0; i < r->n_unified; i++)
		bk_doc_pair_set(a, &pairs, &n, r->unified[i].key, r->unified[i].value);
	for (size_t i = 0; i < g->n_unified; i++)
		bk_doc_pair_set(a, &pairs, &n, g->unified[i].key, g->unified[i].value);
	r->unified = pairs;
	r->n_unified = n;
}

struct oci_resources *cgroup_resources_merge(const struct oci_resources *current,
					     const struct oci_resources *given,
					     struct bk_arena *arena)
{
	struct oci_resources *r = COPY_OF(arena, current);

	if (!given)
		return r;
	if (given->memory)
		r->memory = merge_memory(r->memory, given->memory, arena);
	if (given->cpu)
		r->cpu = merge_cpu(r->cpu, given->cpu, arena);
	if (given->block_io)
		r->block_io = merge_block_io(r->block_io, given->block_io, arena);
	if (given->pids)
		r->pids = merge_pids(r->pids, given->pids, arena);
	if (given->network)
		r->network = given->network;
	TAKE_LIST(r, given, devices);
	merge_hugepages(r, given, arena);
	merge_rdma(r, given, arena);
	merge_unified(r, given, arena);
	return r;
}
