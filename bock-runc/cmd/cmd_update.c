/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_num.h"
#include "base/bk_str.h"
#include "cmd/cmd.h"
#include "codec/bk_json.h"
#include "container/container_update.h"

#define RESOURCES_MAX ((size_t)1 << 20)

struct opts {
	const char *resources;
	const char *blkio_weight;
	const char *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems, *cpu_idle;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *pids_limit;
	const char *l3_cache_schema, *mem_bw_schema;
};

/* ---- one option ---- */

static int bad(const char *option, int rc, struct bk_err **err)
{
	return rc < 0 ? bk_err_wrap(err, rc, "--%s", option) : 0;
}

/* Bytes, with a unit perhaps; -1: no limit. */
static int bytes(const char *option, const char *text, int64_t *ret, bool *ret_has, struct bk_err **err)
{
	uint64_t n = 0;
	int rc;

	if (!text)
		return 0;
	*ret_has = true;
	if (bk_streq(text, "-1")) {
		*ret = -1;
		return 0;
	}
	rc = bk_num_size(text, &n, err);
	if (rc == 0 && n > INT64_MAX)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is too large", text);
	*ret = (int64_t)n;
	return bad(option, rc, err);
}

static int signed_number(const char *option, const char *text, int64_t *ret, bool *ret_has,
			 struct bk_err **err)
{
	if (!text)
		return 0;
	*ret_has = true;
	return bad(option, bk_num_i64(text, INT64_MIN, INT64_MAX, ret, err), err);
}

static int number(const char *option, const char *text, uint64_t *ret, bool *ret_has,
		  struct bk_err **err)
{
	if (!text)
		return 0;
	*ret_has = true;
	return bad(option, bk_num_u64(text, UINT64_MAX, ret, err), err);
}

/* ---- the options to resources ---- */

static int memory_of(const struct opts *o, struct oci_memory *m, struct bk_err **err)
{
	int rc = bytes("memory", o->memory, &m->limit, &m->has_limit, err);

	if (rc == 0)
		rc = bytes("memory-reservation", o->memory_reservation, &m->reservation,
			   &m->has_reservation, err);
	if (rc == 0)
		rc = bytes("memory-swap", o->memory_swap, &m->swap, &m->has_swap, err);
	if (rc == 0)
		rc = bytes("kernel-memory", o->kernel_memory, &m->kernel, &m->has_kernel, err);
	if (rc == 0)
		rc = bytes("kernel-memory-tcp", o->kernel_memory_tcp, &m->kernel_tcp,
			   &m->has_kernel_tcp, err);
	return rc;
}

static int cpu_of(const struct opts *o, struct oci_cpu *c, struct bk_err **err)
{
	int rc = number("cpu-period", o->cpu_period, &c->period, &c->has_period, err);

	if (rc == 0)
		rc = signed_number("cpu-quota", o->cpu_quota, &c->quota, &c->has_quota, err);
	if (rc == 0)
		rc = number("cpu-burst", o->cpu_burst, &c->burst, &c->has_burst, err);
	if (rc == 0)
		rc = number("cpu-share", o->cpu_share, &c->shares, &c->has_shares, err);
	if (rc == 0)
		rc = number("cpu-rt-period", o->cpu_rt_period, &c->realtime_period,
			    &c->has_realtime_period, err);
	if (rc == 0)
		rc = signed_number("cpu-rt-runtime", o->cpu_rt_runtime, &c->realtime_runtime,
				   &c->has_realtime_runtime, err);
	if (rc == 0)
		rc = signed_number("cpu-idle", o->cpu_idle, &c->idle, &c->has_idle, err);
	c->cpus = (char *)o->cpuset_cpus;
	c->mems = (char *)o->cpuset_mems;
	return rc;
}

static bool any_memory(const struct opts *o)
{
	return o->memory || o->memory_reservation || o->memory_swap || o->kernel_memory ||
	       o->kernel_memory_tcp;
}

static bool any_cpu(const struct opts *o)
{
	return o->cpu_period || o->cpu_quota || o->cpu_burst || o->cpu_share || o->cpu_rt_period ||
	       o->cpu_rt_runtime || o->cpu_idle || o->cpuset_cpus || o->cpuset_mems;
}

static int from_options(const struct opts *o, struct bk_arena *arena, struct oci_resources *r,
			struct bk_err **err)
{
	uint32_t weight = 0;
	int rc = 0;

	if (any_memory(o)) {
		r->memory = bk_arena_alloc(arena, sizeof(*r->memory));
		rc = memory_of(o, r->memory, err);
	}
	if (rc == 0 && any_cpu(o)) {
		r->cpu = bk_arena_alloc(arena, sizeof(*r->cpu));
		rc = cpu_of(o, r->cpu, err);
	}
	if (rc == 0 && o->pids_limit) {
		r->pids = bk_arena_alloc(arena, sizeof(*r->pids));
		rc = signed_number("pids-limit", o->pids_limit, &r->pids->limit, &r->pids->has_limit, err);
	}
	if (rc == 0 && o->blkio_weight) {
		r->block_io = bk_arena_alloc(arena, sizeof(*r->block_io));
		r->block_io->has_weight = true;
		rc = bad("blkio-weight", bk_num_u32(o->blkio_weight, UINT16_MAX, &weight, err), err);
		r->block_io->weight = (uint16_t)weight;
	}
	return rc;
}

/* "" is as good as absent, to runc's callers. */
static int schemata_of(const struct opts *o, struct oci_intel_rdt *r, bool *ret_any, struct bk_err **err)
{
	r->l3_cache_schema = (char *)o->l3_cache_schema;
	r->mem_bw_schema = (char *)o->mem_bw_schema;
	*ret_any = (o->l3_cache_schema && *o->l3_cache_schema) || (o->mem_bw_schema && *o->mem_bw_schema);
	if (o->mem_bw_schema && *o->mem_bw_schema && !oci_is_mem_bw_schema(o->mem_bw_schema))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "--mem-bw-schema: '%s' is not one line that begins with 'MB:'",
				  o->mem_bw_schema);
	return 0;
}

static int from_file(const char *path, struct bk_arena *arena, struct oci_resources *r,
		     struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(RESOURCES_MAX);
	const char *name = bk_streq(path, "-") ? "standard input" : path;
	int rc;

	if (bk_streq(path, "-"))
		rc = bk_fd_read_buf(STDIN_FILENO, &b, name, err);
	else
		rc = bk_file_read(AT_FDCWD, path, &b, err);
	if (rc == 0)
		rc = bk_json_decode(&oci_resources_type, name, bk_buf_str(&b), b.len, &bk_doc_limits_oci,
				    arena, r, err);
	return bad("resources", rc, err);
}

static int run(const struct bk_cli_call *call, int *ret_status, struct bk_err **err)
{
	const struct opts *o = call->opts;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_resources *r = bk_arena_alloc(arena, sizeof(*r));
	struct container_root root = { .fd = -1 };
	bk_autocontainer struct container c = CONTAINER_INIT;
	struct oci_intel_rdt rdt = { .clos_id = NULL };
	bool any_rdt = false;
	int rc = 0;

	(void)ret_status;
	/* as runc: a file says all of linux.resources, and the options beside it nothing */
	if (o->resources)
		rc = from_file(o->resources, arena, r, err);
	else
		rc = from_options(o, arena, r, err);
	if (rc == 0)
		rc = schemata_of(o, &rdt, &any_rdt, err);
	if (rc == 0)
		rc = cmd_root(call, false, &root, err);
	if (rc == 0)
		rc = cmd_open(call, &root, true, &c, err);
	if (rc == 0) {
		rc = container_update(&c, r, any_rdt ? &rdt : NULL, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "update '%s'", call->args[0]);
	}
	container_root_done(&root);
	return rc;
}

#define ROW(name, member, metavar, help) \
	{ name, 0, BK_CLI_STR, offsetof(struct opts, member), metavar, help, 0, NULL }

static const struct bk_cli_opt opts[] = {
	{ "resources", 'r', BK_CLI_STR, offsetof(struct opts, resources), "FILE",
	  "linux.resources as JSON, - for standard input", BK_CLI_PATH, NULL },
	ROW("blkio-weight", blkio_weight, "N", "10 to 1000"),
	ROW("cpu-period", cpu_period, "US", "microseconds that the quota is for"),
	ROW("cpu-quota", cpu_quota, "US", "microseconds of CPU time in a period; -1: no limit"),
	ROW("cpu-burst", cpu_burst, "US", "of an unused quota, for the next period"),
	ROW("cpu-share", cpu_share, "N", "share of the CPUs, 2 to 262144"),
	ROW("cpu-rt-period", cpu_rt_period, "US", "refused: cgroup version 2 has none"),
	ROW("cpu-rt-runtime", cpu_rt_runtime, "US", "refused: cgroup version 2 has none"),
	ROW("cpuset-cpus", cpuset_cpus, "LIST", "the CPUs, as in 0-3,7"),
	ROW("cpuset-mems", cpuset_mems, "LIST", "the memory nodes"),
	ROW("cpu-idle", cpu_idle, "0|1", "1: only what no other cgroup wants"),
	ROW("memory", memory, "BYTES", "limit, with a unit perhaps (512M); -1: none"),
	ROW("memory-reservation", memory_reservation, "BYTES", "what is left to it when memory is short"),
	ROW("memory-swap", memory_swap, "BYTES", "limit of memory and swap together; -1: none"),
	ROW("kernel-memory", kernel_memory, "BYTES", "refused: cgroup version 2 has none"),
	ROW("kernel-memory-tcp", kernel_memory_tcp, "BYTES", "refused: cgroup version 2 has none"),
	ROW("pids-limit", pids_limit, "N", "processes and threads; -1: no limit"),
	ROW("l3-cache-schema", l3_cache_schema, "SCHEMA", "the parts of the cache, as in L3:0=ff"),
	ROW("mem-bw-schema", mem_bw_schema, "SCHEMA", "the memory bandwidth, as in MB:0=50"),
	BK_CLI_END,
};

const struct bk_cli_cmd cmd_update = {
	.name = "update",
	.synopsis = "ID",
	.help = "change the limits of a container",
	.min_args = 1,
	.max_args = 1,
	.opts = opts,
	.opts_size = sizeof(struct opts),
	.run = run,
};
