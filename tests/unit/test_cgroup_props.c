/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_props.h"
#include "codec/bk_json.h"

#define MAX "18446744073709551615"

/* The properties of some resources, joined by " | ". */
static void check(const char *json, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	bk_autostrv char **props = NULL;
	bk_autofree char *got = NULL;
	struct oci_resources r;
	struct bk_err *err = NULL;

	assert_ok(bk_json_decode(&oci_resources_type, "resources", json, strlen(json), &bk_doc_limits_oci,
				 arena, &r, &err),
		  &err);
	assert_ok(cgroup_limits_compile_update(&r, &r, &limits, &err), &err);
	cgroup_props_limits(&limits, &props);
	got = bk_strv_join(props, " | ");
	assert_string_equal(got, want);
	cgroup_limits_done(&limits);
}

static void test_memory(void **state)
{
	(void)state;
	check("{}", "");
	check("{\"memory\":{\"limit\":4096,\"swap\":8192,\"reservation\":1024}}",
	      "MemorySwapMax:t:4096 | MemoryMax:t:4096 | MemoryLow:t:1024");
	check("{\"unified\":{\"memory.high\":\"1M\",\"memory.min\":\"max\",\"memory.oom.group\":\"1\","
	      "\"memory.zswap.max\":\"5\"}}",
	      "MemoryHigh:t:1048576 | MemoryMin:t:" MAX " | MemoryZSwapMax>=253:t:5");
}

static void test_cpu(void **state)
{
	(void)state;
	check("{\"cpu\":{\"shares\":1024}}", "CPUWeight:t:100");
	check("{\"cpu\":{\"quota\":25000,\"period\":100000}}",
	      "CPUQuotaPerSecUSec:t:250000 | CPUQuotaPeriodUSec>=242:t:100000");
	/* rounded up to what systemd keeps */
	check("{\"cpu\":{\"quota\":33333,\"period\":100000}}",
	      "CPUQuotaPerSecUSec:t:340000 | CPUQuotaPeriodUSec>=242:t:100000");
	check("{\"cpu\":{\"quota\":1000,\"period\":1000000}}",
	      "CPUQuotaPerSecUSec:t:10000 | CPUQuotaPeriodUSec>=242:t:1000000");
	check("{\"unified\":{\"cpu.max\":\"max 50000\"}}",
	      "CPUQuotaPerSecUSec:t:" MAX " | CPUQuotaPeriodUSec>=242:t:50000");
	check("{\"unified\":{\"cpu.max\":\"5000\",\"cpu.max.burst\":\"1\"}}", "");
	check("{\"unified\":{\"cpu.idle\":\"1\"}}", "CPUWeight>=252:t:0");
	check("{\"unified\":{\"cpu.idle\":\"0\"}}", "CPUWeight>=252:t:100");
	check("{\"cpu\":{\"cpus\":\"0-1\",\"mems\":\"0\"}}",
	      "AllowedCPUs>=244:ay:03 | AllowedMemoryNodes>=244:ay:01");
}

static void test_pids(void **state)
{
	(void)state;
	check("{\"pids\":{\"limit\":7}}", "TasksMax:t:7");
	check("{\"unified\":{\"pids.max\":\"max\"}}", "TasksMax:t:" MAX);
}

static void test_io(void **state)
{
	(void)state;
	check("{\"blockIO\":{\"weight\":10,\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":1000}],"
	      "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1024}],"
	      "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":9}]}}",
	      "IOWeight:t:1 | IODeviceWeight:a(st):/dev/block/8:1 10000 | "
	      "IOReadBandwidthMax:a(st):/dev/block/8:0 1024 | IOWriteIOPSMax:a(st):/dev/block/8:0 9");
	check("{\"unified\":{\"io.weight\":\"50\",\"io.max\":\"8:0 wbps=max riops=3\"}}",
	      "IOWeight:t:50 | IOWriteBandwidthMax:a(st):/dev/block/8:0 " MAX
	      " | IOReadIOPSMax:a(st):/dev/block/8:0 3");
}

static void test_files_alone(void **state)
{
	(void)state;
	check("{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}],\"rdma\":{\"m\":{\"hcaHandles\":1}},"
	      "\"unified\":{\"misc.max\":\"x 1\",\"cgroup.max.depth\":\"1\",\"cpuset.cpus\":\"0-7:2/4\"}}",
	      "");
}

/* ---- annotations ------------------------------------------------------------------------------- */

#define T(s) ((char *)(uintptr_t)(s))

static int annotation(const char *name, const char *value, char ***props, struct bk_err **err)
{
	bk_autofree char *key = bk_asprintf("org.systemd.property.%s", name);
	struct bk_doc_pair pairs[] = { { .key = T("run.oci.x"), .value = T("y") },
				       { .key = key, .value = T(value) } };

	return cgroup_props_annotations(pairs, 2, props, err);
}

static void accepted(const char *name, const char *value, const char *want)
{
	bk_autostrv char **props = NULL;
	struct bk_err *err = NULL;

	assert_ok(annotation(name, value, &props, &err), &err);
	assert_int_equal(bk_strv_len(props), 1);
	assert_string_equal(props[0], want);
}

static void refused(const char *name, const char *value, const char *words)
{
	bk_autostrv char **props = NULL;
	struct bk_err *err = NULL;

	assert_err(annotation(name, value, &props, &err), &err, BK_ERR_CONFIG, words);
}

static void test_annotations(void **state)
{
	(void)state;
	accepted("SendSIGHUP", "true", "SendSIGHUP:b:true");
	accepted("CollectMode", "'inactive-or-failed'", "CollectMode:s:inactive-or-failed");
	accepted("CollectMode", "\"it's\"", "CollectMode:s:it's");
	accepted("X", "'a\\'b:c'", "X:s:a'b:c");
	accepted("TimeoutStopUSec", "uint64 123456789", "TimeoutStopUSec:t:123456789");
	accepted("TimeoutStopSec", "7", "TimeoutStopUSec:t:7000000");
	accepted("TimeoutStopSec", "uint64 7", "TimeoutStopUSec:t:7000000");
	accepted("KillSignal", "9", "KillSignal:i:9");
	accepted("KillSignal", "int32 -9", "KillSignal:i:-9");
	accepted("X", "uint32 9", "X:u:9");
	accepted("X", "int64 -9", "X:x:-9");
	accepted("After", "['a.service', \"b.service\"]", "After:as:a.service\nb.service");
	accepted("After", "@as []", "After:as:");
}

static void test_bad_annotations(void **state)
{
	(void)state;
	refused("", "1", "not the name of a property");
	refused("lower", "1", "not the name of a property");
	refused("A:b", "1", "not the name of a property");
	refused("A>=1", "1", "not the name of a property");
	refused("Slice", "'x.slice'", "is the runtime's own to set");
	refused("PIDs", "1", "is the runtime's own to set");
	refused("X", "", "its value is neither");
	refused("X", "text", "its value is neither");
	refused("X", "'open", "its value is neither");
	refused("X", "'a' b", "its value is neither");
	refused("X", "['a'", "its value is neither");
	refused("X", "['a' 'b']", "its value is neither");
	refused("X", "['a'] x", "its value is neither");
	refused("X", "['a\nb']", "its value is neither");
	refused("X", "uint32 4294967296", "its value is neither");
	refused("X", "uint64 -1", "its value is neither");
	refused("TimeoutStopSec", "-1", "too many seconds");
}

BK_TEST_MAIN(cmocka_unit_test(test_memory), cmocka_unit_test(test_cpu), cmocka_unit_test(test_pids),
	     cmocka_unit_test(test_io), cmocka_unit_test(test_files_alone), cmocka_unit_test(test_annotations),
	     cmocka_unit_test(test_bad_annotations))
