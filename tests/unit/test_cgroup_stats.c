/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "cgroup/cgroup_stats.h"
#include "codec/bk_json.h"

static void test_value(void **state)
{
	const char *text = "low 0\noom 3\noom_kill 12\n";

	(void)state;
	assert_int_equal(cgroup_stats_value(text, "oom"), 3);
	assert_int_equal(cgroup_stats_value(text, "oom_kill"), 12);
	assert_int_equal(cgroup_stats_value(text, "kill"), 0);
	assert_int_equal(cgroup_stats_value("8:0 rbytes=5 wbytes=6", "wbytes"), 6);
	assert_int_equal(cgroup_stats_value(NULL, "x"), 0);
	assert_int_equal(cgroup_stats_value("", "x"), 0);
	assert_int_equal(cgroup_stats_value("x", "x"), 0);
}

static void test_psi(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct cgroup_psi *p = cgroup_stats_psi("some avg10=1.25 avg60=0.00 avg300=99.99 total=77\n"
						"full avg10=0.00 avg60=0.10 avg300=0.00 total=3\n", a);

	(void)state;
	assert_string_equal(p->some->avg10, "1.25");
	assert_string_equal(p->some->avg300, "99.99");
	assert_int_equal(p->some->total, 77);
	assert_string_equal(p->full->avg60, "0.10");
	assert_int_equal(p->full->total, 3);
	assert_null(cgroup_stats_psi(NULL, a));
	/* what is no number would be no JSON */
	p = cgroup_stats_psi("some avg10=.5 avg60=1. avg300=1.2.3 total=x\n", a);
	assert_string_equal(p->some->avg10, "0");
	assert_string_equal(p->some->avg60, "0");
	assert_string_equal(p->some->avg300, "0");
	assert_null(p->full);
	p = cgroup_stats_psi("some avg10=00.5 avg60=0 avg300=0. total=1\n", a);
	assert_string_equal(p->some->avg10, "0");
	assert_string_equal(p->some->avg60, "0");
	assert_string_equal(p->some->avg300, "0");
}

static void test_io(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct cgroup_stats_blkio b = { .n_bytes = 0 };

	(void)state;
	cgroup_stats_io("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n253:16 \nnonsense\n", a, &b);
	assert_int_equal(b.n_bytes, 4);
	assert_int_equal(b.n_ops, 4);
	assert_int_equal(b.bytes[1].value, 2);
	assert_string_equal(b.bytes[1].op, "Write");
	assert_int_equal(b.ops[0].value, 3);
	assert_int_equal(b.ops[3].major, 253);
	assert_int_equal(b.ops[3].minor, 16);
}

/* A folder with some of the files. */
static void test_read(void **state)
{
	static const struct { const char *file, *text; } files[] = {
		{ "cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 4\nnr_throttled 1\nthrottled_usec 9\n" },
		{ "memory.current", "100\n" }, { "memory.max", "max\n" }, { "memory.peak", "150\n" },
		{ "memory.swap.current", "10\n" }, { "memory.swap.max", "1000\n" },
		{ "memory.stat", "anon 7\nfile 8\n" }, { "memory.events", "max 6\noom_kill 2\n" },
		{ "pids.current", "3\n" }, { "pids.max", "max\n" },
	};
	bk_autoarena struct bk_arena *a = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	char dir[] = "/tmp/test_cgroup_stats.XXXXXX";
	struct cgroup_stats s;
	struct bk_err *err = NULL;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < BK_ARRAY_SIZE(files); i++)
		assert_ok(bk_file_write_atomic(fd, files[i].file, files[i].text, strlen(files[i].text), 0600,
					       false, &err), &err);
	cgroup_stats_read(fd, a, &s);
	assert_int_equal(s.memory->usage->limit, UINT64_MAX);
	assert_int_equal(cgroup_stats_oom_kills(fd), 2);
	s.n_hugetlb = 0;
	assert_ok(bk_json_encode(&cgroup_stats_type, &s, 0, &out, &err), &err);
	assert_string_equal(bk_buf_str(&out),
		"{\"cpu\":{\"usage\":{\"total\":5000,\"kernel\":2000,\"user\":3000},"
		"\"throttling\":{\"periods\":4,\"throttledPeriods\":1,\"throttledTime\":9000}},\"cpuset\":{},"
		"\"memory\":{\"cache\":8,\"usage\":{\"limit\":18446744073709551615,\"usage\":100,\"max\":150,\"failcnt\":6},"
		"\"swap\":{\"limit\":1000,\"usage\":110,\"failcnt\":0},\"kernel\":{\"limit\":0,\"failcnt\":0},"
		"\"kernelTCP\":{\"limit\":0,\"failcnt\":0},\"raw\":{\"anon\":7,\"file\":8}},"
		"\"pids\":{\"current\":3},\"blkio\":{},\"hugetlb\":{},\"intel_rdt\":{},\"network_interfaces\":null}");
	close(fd);
	assert_ok(bk_file_rmtree(AT_FDCWD, dir, &err), &err);
}

BK_TEST_MAIN(cmocka_unit_test(test_value), cmocka_unit_test(test_psi), cmocka_unit_test(test_io),
	     cmocka_unit_test(test_read))
