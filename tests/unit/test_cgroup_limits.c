/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_limits.h"
#include "codec/bk_json.h"

/* What the resources come to, one write a line; NULL expects an error of that kind and text. */
static void check(const char *json, const char *want, enum bk_err_kind kind, const char *text)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct oci_resources r;
	struct bk_err *err = NULL;
	bool any = false;

	assert_ok(bk_json_decode(&oci_resources_type, "resources", json, strlen(json),
				 &bk_doc_limits_oci, arena, &r, &err),
		  &err);
	if (!want) {
		assert_err(cgroup_limits_compile(&r, &limits, &err), &err, kind, text);
		assert_err(cgroup_resources_check(&r, false, &any, &err), &err, kind, text);
		return;
	}
	assert_ok(cgroup_limits_compile(&r, &limits, &err), &err);
	cgroup_limits_print(&limits, &got);
	assert_string_equal(bk_buf_str(&got), want);
	cgroup_limits_done(&limits);
	assert_ok(cgroup_resources_check(&r, false, &any, &err), &err);
	assert_int_equal(any, want[0] != '\0');
}

#define WRITES(json, want)	check(json, want, BK_ERR_INTERNAL, NULL)
#define UNSUPPORTED(json, text) check(json, NULL, BK_ERR_UNSUPPORTED, "linux.resources." text)
#define INVALID(json, text)	check(json, NULL, BK_ERR_CONFIG, "linux.resources." text)

static void test_nothing(void **state)
{
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(cgroup_limits_compile(NULL, &limits, &err), &err);
	assert_null(limits.arena);
	WRITES("{}", "");
	WRITES("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}", "");
	WRITES("{\"memory\":{\"limit\":-1,\"swap\":-1,\"reservation\":0,\"kernel\":0,\"kernelTCP\":-1,"
	       "\"swappiness\":60,\"disableOOMKiller\":false,\"useHierarchy\":true,"
	       "\"checkBeforeUpdate\":true},"
	       "\"cpu\":{\"shares\":0,\"quota\":-1,\"period\":0,\"burst\":0,\"cpus\":\"\",\"mems\":\"\","
	       "\"realtimeRuntime\":0,\"idle\":0},"
	       "\"pids\":{\"limit\":-1},\"blockIO\":{\"weight\":0,\"leafWeight\":0},"
	       "\"hugepageLimits\":[],\"network\":{\"classID\":0,\"priorities\":[]},\"unified\":{}}",
	       "");
}

static void test_memory(void **state)
{
	(void)state;
	WRITES("{\"memory\":{\"limit\":1048576}}", "memory.max = 1048576\n");
	WRITES("{\"memory\":{\"limit\":100,\"swap\":300,\"reservation\":50}}",
	       "memory.swap.max = 200\nmemory.max = 100\nmemory.low = 50\n");
	WRITES("{\"memory\":{\"limit\":100,\"swap\":100}}",
	       "memory.swap.max = 0\nmemory.max = 100\n");
	WRITES("{\"memory\":{\"limit\":100,\"swap\":-1}}", "memory.max = 100\n");
	INVALID("{\"memory\":{\"swap\":300}}", "memory.swap: needs memory.limit");
	INVALID("{\"memory\":{\"limit\":-1,\"swap\":300}}", "memory.swap: needs memory.limit");
	INVALID("{\"memory\":{\"limit\":400,\"swap\":300}}", "memory.swap: is less than");
	UNSUPPORTED("{\"memory\":{\"kernel\":300}}", "memory.kernel: ");
	UNSUPPORTED("{\"memory\":{\"kernelTCP\":300}}", "memory.kernelTCP: ");
	UNSUPPORTED("{\"memory\":{\"swappiness\":10}}", "memory.swappiness: ");
	UNSUPPORTED("{\"memory\":{\"disableOOMKiller\":true}}", "memory.disableOOMKiller: ");
}

static void test_cpu(void **state)
{
	(void)state;
	WRITES("{\"cpu\":{\"shares\":1024,\"quota\":50000}}",
	       "cpu.weight = 100\ncpu.max = 50000 100000\n");
	WRITES("{\"cpu\":{\"quota\":20000,\"period\":10000,\"burst\":5000}}",
	       "cpu.max = 20000 10000\ncpu.max.burst = 5000\n");
	WRITES("{\"cpu\":{\"quota\":-1,\"period\":10000}}", "cpu.max = max 10000\n");
	WRITES("{\"cpu\":{\"idle\":1,\"shares\":512}}", "cpu.idle = 1\n");
	WRITES("{\"cpu\":{\"cpus\":\"0-1,3\",\"mems\":\"0\"}}",
	       "cpuset.cpus = 0-1,3\ncpuset.mems = 0\n");
	INVALID("{\"cpu\":{\"burst\":5000}}", "cpu.burst: ");
	INVALID("{\"cpu\":{\"burst\":5000,\"quota\":4000}}", "cpu.burst: ");
	INVALID("{\"cpu\":{\"idle\":2}}", "cpu.idle: ");
	UNSUPPORTED("{\"cpu\":{\"realtimeRuntime\":1000}}", "cpu.realtimeRuntime: ");
	UNSUPPORTED("{\"cpu\":{\"realtimePeriod\":1000}}", "cpu.realtimeRuntime: ");
}

/* Both ends, the middle (the point of the curve), and that it never falls. */
static void test_weight(void **state)
{
	unsigned int last = 0;

	(void)state;
	assert_int_equal(cgroup_cpu_weight(2), 1);
	assert_int_equal(cgroup_cpu_weight(1024), 100);
	assert_int_equal(cgroup_cpu_weight(262144), 10000);
	assert_int_equal(cgroup_cpu_weight(1ULL << 40), 10000);
	for (unsigned long long shares = 1; shares <= 300000; shares += 7) {
		unsigned int weight = cgroup_cpu_weight(shares);

		assert_true(weight >= last && weight >= 1 && weight <= 10000);
		last = weight;
	}
}

static void test_others(void **state)
{
	(void)state;
	WRITES("{\"pids\":{\"limit\":100}}", "pids.max = 100\n");
	WRITES("{\"pids\":{\"limit\":0}}", "pids.max = 1\n");
	WRITES("{\"blockIO\":{\"weight\":10,\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":1000}],"
	       "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":16,\"rate\":1000}],"
	       "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":7}]}}",
	       "io.weight = default 1\nio.weight = 8:0 10000\nio.max = 8:16 rbps=1000\n"
	       "io.max = 8:16 wiops=7\n");
	INVALID("{\"blockIO\":{\"weight\":9}}", "blockIO.weight: ");
	UNSUPPORTED("{\"blockIO\":{\"leafWeight\":100}}", "blockIO.leafWeight: ");
	WRITES("{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}",
	       "hugetlb.2MB.max = 0\nhugetlb.2MB.rsvd.max = 0\n");
	WRITES("{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000}}}",
	       "rdma.max = mlx5_1 hca_handle=3 hca_object=10000\n");
	WRITES("{\"rdma\":{\"a\":{\"hcaHandles\":4294967295}}}", "rdma.max = a hca_handle=max\n");
	UNSUPPORTED("{\"network\":{\"classID\":1}}", "network.classID: ");
	UNSUPPORTED("{\"network\":{\"priorities\":[{\"name\":\"eth0\",\"priority\":1}]}}",
		    "network.priorities: ");
	WRITES("{\"unified\":{\"memory.high\":\"5\",\"io.max\":\"8:0 rbps=1\\n8:1 rbps=2\\n\"}}",
	       "memory.high = 5\nio.max = 8:0 rbps=1\nio.max = 8:1 rbps=2\n");
	INVALID("{\"unified\":{\"../memory.high\":\"5\"}}", "unified: '../memory.high'");
	INVALID("{\"unified\":{\"memory\":\"5\"}}", "unified: 'memory'");
}

/*
 * What the hierarchy has is written; what it lacks is named. Which controllers are there differs: the
 * test takes hugetlb, which even a hybrid host's version 2 mostly has.
 */
static void test_apply(void **state)
{
	struct cgroup_limit one = { .controller = "hugetlb",
				    .json = "hugepageLimits",
				    .file = "hugetlb.2MB.max",
				    .value = "4194304" };
	struct cgroup_limit nope = {
		.controller = "nosuch", .json = "unified", .file = "nosuch.max", .value = "1"
	};
	struct cgroup_limits limits = { .list = &one, .n = 1 };
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autoclose int fd = -1;
	struct cgroup_host h;
	struct bk_err *err = NULL;
	size_t top = 0;

	(void)state;
	cgroup_find(&h);
	if (geteuid() != 0)
		skip_because("limits need root, and this is uid %u", geteuid());
	if (h.kind == CGROUP_NONE)
		skip_because(
			"no cgroup version 2 hierarchy on /sys/fs/cgroup or its unified folder");
	if (cgroup_limits_check(&h, &limits, NULL) < 0)
		skip_because("no controller hugetlb in %s/cgroup.controllers", h.mount);
	assert_ok(cgroup_make(&h, "/bock-test-limits/x", &fd, &top, &err), &err);
	assert_ok(cgroup_limits_apply(&h, "/bock-test-limits/x", fd, &limits, &err), &err);
	assert_ok(bk_file_read(fd, "hugetlb.2MB.max", &text, &err), &err);
	assert_string_equal(bk_buf_str(&text), "4194304\n");
	one.file = "hugetlb.7XB.max";
	assert_err(cgroup_limits_apply(&h, "/bock-test-limits/x", fd, &limits, &err), &err,
		   BK_ERR_NOT_FOUND, "linux.resources.hugepageLimits: set 'hugetlb.7XB.max'");
	one.flags = CGROUP_LIMIT_OPTIONAL;
	assert_ok(cgroup_limits_apply(&h, "/bock-test-limits/x", fd, &limits, &err), &err);
	limits.list = &nope;
	assert_err(cgroup_limits_apply(&h, "/bock-test-limits/x", fd, &limits, &err), &err,
		   BK_ERR_UNSUPPORTED, "linux.resources.unified: ");
	assert_ok(cgroup_remove(&h, "/bock-test-limits/x", top, 1000, &err), &err);
}

static void test_hybrid(void **state)
{
	struct cgroup_limit one = { .controller = "memory",
				    .json = "memory.limit",
				    .file = "memory.max",
				    .value = "4194304" };
	struct cgroup_limits limits = { .list = &one, .n = 1 };
	struct cgroup_host h;
	struct bk_err *err = NULL;

	(void)state;
	cgroup_find(&h);
	if (h.kind != CGROUP_HYBRID ||
	    access("/sys/fs/cgroup/memory/memory.limit_in_bytes", F_OK) < 0)
		skip_because(
			"the controller memory is not bound to version 1 on /sys/fs/cgroup/memory");
	assert_err(
		cgroup_limits_check(&h, &limits, &err), &err, BK_ERR_UNSUPPORTED,
		"linux.resources.memory.limit: the controller 'memory' is bound to cgroup version 1 on "
		"'/sys/fs/cgroup/memory'");
}

/* ---- updates ---- */

static struct oci_resources *parse(const char *json, struct bk_arena *arena)
{
	struct oci_resources *r = bk_arena_alloc(arena, sizeof(*r));
	struct bk_err *err = NULL;

	assert_ok(bk_json_decode(&oci_resources_type, "resources", json, strlen(json),
				 &bk_doc_limits_oci, arena, r, &err), &err);
	return r;
}

/* What an update writes, and what is saved of it (NULL: not looked at). */
static void update(const char *current, const char *given, const char *want, const char *whole_json)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autobuf struct bk_buf saved = BK_BUF_INIT(BK_BUF_SMALL);
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct oci_resources *g = parse(given, arena);
	struct oci_resources *whole = cgroup_resources_merge(parse(current, arena), g, arena);
	struct bk_err *err = NULL;

	assert_ok(cgroup_limits_compile_update(whole, g, &limits, &err), &err);
	cgroup_limits_print(&limits, &got);
	assert_string_equal(bk_buf_str(&got), want);
	cgroup_limits_done(&limits);
	if (!whole_json)
		return;
	assert_ok(bk_json_encode(&oci_resources_type, whole, 0, &saved, &err), &err);
	assert_string_equal(bk_buf_str(&saved), whole_json);
}

static void update_refused(const char *current, const char *given, const char *text)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct oci_resources *g = parse(given, arena);
	struct oci_resources *whole = cgroup_resources_merge(parse(current, arena), g, arena);
	struct bk_err *err = NULL;

	assert_err(cgroup_limits_compile_update(whole, g, &limits, &err), &err, BK_ERR_CONFIG, text);
}

static void test_update_memory(void **state)
{
	(void)state;
	update("{}", "{}", "", "{}");
	/* swap includes memory: one changes with the other */
	update("{\"memory\":{\"limit\":100,\"swap\":300}}", "{\"memory\":{\"limit\":200}}",
	       "memory.swap.max = 100\nmemory.max = 200\n", "{\"memory\":{\"limit\":200,\"swap\":300}}");
	update("{\"memory\":{\"limit\":100,\"swap\":300}}", "{\"memory\":{\"swap\":-1}}",
	       "memory.swap.max = max\n", NULL);
	/* -1 without a word about swap: swap too */
	update("{\"memory\":{\"limit\":100,\"swap\":300}}", "{\"memory\":{\"limit\":-1}}",
	       "memory.swap.max = max\nmemory.max = max\n", "{\"memory\":{\"limit\":-1,\"swap\":-1}}");
	update("{\"memory\":{\"limit\":100}}", "{\"memory\":{\"reservation\":-1}}", "memory.low = max\n",
	       NULL);
	update_refused("{\"memory\":{\"limit\":100,\"swap\":300}}", "{\"memory\":{\"limit\":400}}",
		       "memory.swap: is less than memory.limit");
	update_refused("{}", "{\"memory\":{\"swap\":400}}", "needs memory.limit");
}

static void test_update_cpu(void **state)
{
	(void)state;
	/* quota and period: each keeps the other */
	update("{\"cpu\":{\"quota\":5,\"period\":10}}", "{\"cpu\":{\"quota\":6}}", "cpu.max = 6 10\n", NULL);
	update("{\"cpu\":{\"quota\":5,\"period\":10}}", "{\"cpu\":{\"period\":20}}", "cpu.max = 5 20\n", NULL);
	update("{\"cpu\":{\"quota\":5,\"period\":10}}", "{\"cpu\":{\"quota\":-1}}", "cpu.max = max 10\n", NULL);
	update("{}", "{\"cpu\":{\"quota\":-1}}", "cpu.max = max 100000\n", NULL);
	/* the burst before and after: one of the two is in order */
	update("{\"cpu\":{\"quota\":50,\"burst\":10}}", "{\"cpu\":{\"quota\":20,\"burst\":15}}",
	       "cpu.max.burst = 15\ncpu.max = 20 100000\ncpu.max.burst = 15\n", NULL);
	update_refused("{\"cpu\":{\"quota\":50,\"burst\":10}}", "{\"cpu\":{\"quota\":5}}",
		       "is larger than cpu.quota");
	update("{\"cpu\":{\"quota\":50,\"burst\":10}}", "{\"cpu\":{\"quota\":-1}}", "cpu.max = max 100000\n",
	       "{\"cpu\":{\"quota\":-1}}");
	/* idle takes the place of shares */
	update("{\"cpu\":{\"shares\":1024}}", "{\"cpu\":{\"idle\":1}}", "cpu.idle = 1\n",
	       "{\"cpu\":{\"idle\":1}}");
	update("{\"cpu\":{\"idle\":1}}", "{\"cpu\":{\"idle\":0,\"shares\":1024}}",
	       "cpu.idle = 0\ncpu.weight = 100\n", NULL);
	update("{\"cpu\":{\"cpus\":\"0\"}}", "{\"cpu\":{\"mems\":\"1\"}}", "cpuset.mems = 1\n",
	       "{\"cpu\":{\"cpus\":\"0\",\"mems\":\"1\"}}");
}

static void test_update_others(void **state)
{
	(void)state;
	update("{\"pids\":{\"limit\":5}}", "{\"pids\":{\"limit\":-1}}", "pids.max = max\n", NULL);
	/* what is not given is not written, and kept */
	update("{\"pids\":{\"limit\":5},\"blockIO\":{\"weight\":10}}", "{\"pids\":{\"limit\":6}}",
	       "pids.max = 6\n", "{\"pids\":{\"limit\":6},\"blockIO\":{\"weight\":10}}");
	update("{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"1GB\",\"limit\":2}]}",
	       "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":3}]}",
	       "hugetlb.1GB.max = 3\nhugetlb.1GB.rsvd.max = 3\n",
	       "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},{\"pageSize\":\"1GB\",\"limit\":3}]}");
	update("{\"unified\":{\"memory.high\":\"1\"}}", "{\"unified\":{\"pids.max\":\"2\"}}", "pids.max = 2\n",
	       "{\"unified\":{\"memory.high\":\"1\",\"pids.max\":\"2\"}}");
	update("{\"rdma\":{\"a\":{\"hcaHandles\":1}}}", "{\"rdma\":{\"a\":{\"hcaObjects\":2},\"b\":{\"hcaHandles\":3}}}",
	       "rdma.max = a hca_object=2\nrdma.max = b hca_handle=3\n",
	       "{\"rdma\":{\"a\":{\"hcaHandles\":1,\"hcaObjects\":2},\"b\":{\"hcaHandles\":3}}}");
	/* rules are a list, whose order has a meaning: given, they are the list */
	update("{\"devices\":[{\"allow\":true,\"access\":\"r\"}]}", "{\"devices\":[{\"allow\":false,\"access\":\"w\"}]}",
	       "", "{\"devices\":[{\"allow\":false,\"access\":\"w\"}]}");
}

/* A folder in place of a cgroup: the files take what is written, and one can't be written. */
static void test_update_takes_back(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	const struct cgroup_host host = { .kind = CGROUP_UNIFIED, .mount = "/nonexistent" };
	char dir[] = "/tmp/test_cgroup_limits.XXXXXX";
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct oci_resources *g = parse("{\"memory\":{\"limit\":5},\"pids\":{\"limit\":7},"
					"\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":9},"
					"{\"major\":8,\"minor\":1,\"rate\":9}]},\"unified\":{\"memory.high\":\"1\"}}",
					arena);
	struct bk_err *err = NULL;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(bk_file_write_atomic(fd, "cgroup.controllers", "memory pids io\n", 15, 0600, false, &err), &err);
	assert_ok(bk_file_write_atomic(fd, "memory.max", "max\n", 4, 0600, false, &err), &err);
	assert_ok(bk_file_write_atomic(fd, "pids.max", "50\n", 3, 0600, false, &err), &err);
	assert_ok(bk_file_write_atomic(fd, "io.max", "8:0 rbps=3\n", 11, 0600, false, &err), &err);
	/* memory.high is missing */
	assert_ok(cgroup_limits_compile_update(g, parse("{}", arena), &limits, &err), &err);
	cgroup_limits_done(&limits);
	assert_ok(cgroup_limits_compile_update(cgroup_resources_merge(NULL, g, arena), g, &limits, &err), &err);
	assert_err(cgroup_limits_update(&host, "/x", fd, &limits, NULL, NULL, &err), &err, BK_ERR_NOT_FOUND,
		   "memory.high");
	assert_ok(bk_file_read(fd, "pids.max", &got, &err), &err);
	assert_true(bk_skip_prefix(bk_buf_str(&got), "50\n") != NULL);
	bk_buf_done(&got);
	got = (struct bk_buf)BK_BUF_INIT(BK_BUF_SMALL);
	assert_ok(bk_file_read(fd, "memory.max", &got, &err), &err);
	assert_true(bk_skip_prefix(bk_buf_str(&got), "max") != NULL);
	bk_buf_done(&got);
	got = (struct bk_buf)BK_BUF_INIT(BK_BUF_SMALL);
	/* the last line set back is the first that was written: 8:0 as it was (a file keeps no others) */
	assert_ok(bk_file_read(fd, "io.max", &got, &err), &err);
	assert_true(bk_skip_prefix(bk_buf_str(&got), "8:0 rbps=3") != NULL);
	cgroup_limits_done(&limits);
	close(fd);
	assert_ok(bk_file_rmtree(AT_FDCWD, dir, &err), &err);
}

static void put(int fd, const char *name, const char *text)
{
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(fd, name, text, strlen(text), 0600, false, &err), &err);
}

static void begins(int fd, const char *name, const char *want)
{
	bk_autobuf struct bk_buf got = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(fd, name, &got, &err), &err);
	if (!bk_skip_prefix(bk_buf_str(&got), want))
		fail_msg("%s: '%s', expected '%s'", name, bk_buf_str(&got), want);
}

static int fail_then(const void *arg, const struct cgroup_limits *limits, struct bk_err **err)
{
	(void)arg;
	(void)limits;
	return bk_err_set(err, BK_ERR_IO, 0, "and then");
}

/*
 * Devices of RDMA, and resources of the controller misc, are rare: a folder of files stands for the hierarchy. They
 * keep what is written at their beginning.
 */
static void test_rare(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char top[] = "/tmp/bock-limits-XXXXXX"; /* machine-path-ok */
	const struct cgroup_host host = { .kind = CGROUP_UNIFIED, .mount = mkdtemp(top) };
	struct oci_resources *cur, *given;
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct bk_err *err = NULL;
	bk_autoclose int root = -1, fd = -1;

	(void)state;
	assert_non_null(host.mount);
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(root, "c", 0700), 0);
	fd = openat(root, "c", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(root, "cgroup.controllers", "rdma misc pids\n");
	put(root, "cgroup.subtree_control", "pids\n");
	put(fd, "cgroup.controllers", "pids\n");
	put(fd, "rdma.max", "");
	put(fd, "misc.max", "");
	cur = parse("{\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3,\"hcaObjects\":10000}},"
		    "\"unified\":{\"misc.max\":\"res_a 7\"}}", arena);
	assert_ok(cgroup_limits_compile(cur, &limits, &err), &err);
	assert_ok(cgroup_limits_apply(&host, "/c", fd, &limits, &err), &err);
	cgroup_limits_done(&limits);
	begins(root, "cgroup.subtree_control", "+rdma +misc");
	begins(fd, "rdma.max", "mlx5_1 hca_handle=3 hca_object=10000");
	begins(fd, "misc.max", "res_a 7");

	put(fd, "cgroup.controllers", "rdma misc pids\n");
	put(fd, "rdma.max", "mlx4_0 hca_handle=max hca_object=max\nmlx5_1 hca_handle=3 hca_object=10000\n");
	put(fd, "misc.max", "res_b max\nres_a 7\n");
	given = parse("{\"rdma\":{\"mlx5_1\":{\"hcaObjects\":20000}},"
		      "\"unified\":{\"misc.max\":\"res_a max\"}}", arena);
	assert_ok(cgroup_limits_compile_update(cgroup_resources_merge(cur, given, arena), given, &limits, &err),
		  &err);
	/* what fails behind them sets them back, each by its own key */
	assert_err(cgroup_limits_update(&host, "/c", fd, &limits, fail_then, NULL, &err), &err, BK_ERR_IO,
		   "and then");
	begins(fd, "rdma.max", "mlx5_1 hca_handle=3 hca_object=10000");
	begins(fd, "misc.max", "res_a 7");
	assert_ok(cgroup_limits_update(&host, "/c", fd, &limits, NULL, NULL, &err), &err);
	begins(fd, "rdma.max", "mlx5_1 hca_object=20000");
	begins(fd, "misc.max", "res_a max");
	cgroup_limits_done(&limits);
	assert_ok(bk_file_rmtree(AT_FDCWD, top, &err), &err);
}

BK_TEST_MAIN(cmocka_unit_test(test_rare), cmocka_unit_test(test_update_memory), cmocka_unit_test(test_update_cpu),
	     cmocka_unit_test(test_update_others), cmocka_unit_test(test_update_takes_back),
	     cmocka_unit_test(test_nothing), cmocka_unit_test(test_memory),
	     cmocka_unit_test(test_cpu), cmocka_unit_test(test_weight),
	     cmocka_unit_test(test_others), cmocka_unit_test(test_apply),
	     cmocka_unit_test(test_hybrid))
