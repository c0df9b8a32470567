/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On a folder of files in the place of resctrl: what the kernel would do there, such as filling a new group,
 * is done by the test.
 */
#include "bk_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "rdt/rdt.h"

static char *top;
static struct bk_arena *arena;

static void put(const char *path, const char *text)
{
	bk_autofree char *full = bk_path_join(top, path);
	struct bk_err *err = NULL;

	assert_ok(bk_file_write_atomic(AT_FDCWD, full, text, strlen(text), 0600, false, &err), &err);
}

static void holds(const char *path, const char *want)
{
	bk_autofree char *full = bk_path_join(top, path);
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(AT_FDCWD, full, &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), want);
}

static bool there(const char *path)
{
	bk_autofree char *full = bk_path_join(top, path);

	return access(full, F_OK) == 0;
}

/* What the kernel makes of a mkdir. */
static void fill(const char *group)
{
	bk_autofree char *monitors = bk_asprintf("%s/%s/mon_groups", top, group);
	bk_autofree char *tasks = bk_asprintf("%s/tasks", group);
	bk_autofree char *schemata = bk_asprintf("%s/schemata", group);

	assert_int_equal(mkdir(monitors, 0700), 0);
	put(tasks, "");
	put(schemata, "    MB:0=100\n    L3:0=7ff\n");
}

static int setup(void **state)
{
	char path[] = "/tmp/bock-rdt-XXXXXX"; /* machine-path-ok */

	(void)state;
	if (!mkdtemp(path))
		return -1;
	top = bk_strdup(path);
	arena = bk_arena_new();
	fill(".");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)bk_file_rmtree(AT_FDCWD, top, NULL);
	free(top);
	bk_arena_free(arena);
	return 0;
}

#define STR(s) ((char *)(s))

static int decide(const struct oci_intel_rdt *r, struct rdt *ret, struct bk_err **err)
{
	return rdt_decide(r, "web", top, arena, ret, err);
}

static void test_check(void **state)
{
	static const char *const wrong[] = { ".", "..", "a/b", "/a", "a/", "info", "mon_groups",
					     "mon_data", "a\nb" };
	char *lines[] = { STR("L3:0=1"), STR("MB:0=1\nL3:0=2"), NULL }, *empty[] = { STR(""), NULL };
	struct oci_intel_rdt r = { .clos_id = STR("/") };
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(rdt_check(&r, "info", &err), &err); /* the id names nothing */
	r.enable_monitoring = true;
	assert_err(rdt_check(&r, "info", &err), &err, BK_ERR_CONFIG, "'info', the container's id");
	r = (struct oci_intel_rdt){ 0 };
	assert_ok(rdt_check(&r, "web", &err), &err);
	assert_err(rdt_check(&r, "mon_data", &err), &err, BK_ERR_CONFIG, "the container's id");
	for (size_t i = 0; i < BK_ARRAY_SIZE(wrong); i++) {
		r.clos_id = STR(wrong[i]);
		assert_err(rdt_check(&r, "web", &err), &err, BK_ERR_CONFIG, "linux.intelRdt.closID");
	}
	r = (struct oci_intel_rdt){ .schemata = lines };
	assert_err(rdt_check(&r, "web", &err), &err, BK_ERR_CONFIG, "linux.intelRdt.schemata[1]");
	r.schemata = empty;
	assert_err(rdt_check(&r, "web", &err), &err, BK_ERR_CONFIG, "linux.intelRdt.schemata[0]");
}

static void finds(const char *text, const char *want)
{
	bk_autofree char *mount = NULL;
	struct bk_err *err = NULL;

	if (!want) {
		assert_err(rdt_find(text, &mount, &err), &err, BK_ERR_UNSUPPORTED,
			   "the resctrl file system is not mounted");
		return;
	}
	assert_ok(rdt_find(text, &mount, &err), &err);
	assert_string_equal(mount, want);
}

static void test_find(void **state)
{
#define ROOT "23 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
	(void)state;
	finds("", NULL);
	finds(ROOT, NULL);
	finds(ROOT "40 23 0:30 / /sys/fs/resctrl rw,relatime shared:17 - resctrl resctrl rw\n",
	      "/sys/fs/resctrl");
	finds("40 23 0:30 / /a\\040b\\134 rw - resctrl none rw", "/a b\\");
	finds("40 23 0:30 /gold /x rw - resctrl resctrl rw\n" ROOT, NULL);
	finds("40 23 0:30 / /resctrl rw - tmpfs resctrl rw\n", NULL);
	finds("- resctrl x\n - resctrl x\n", NULL);
}

/* No closID: a group of the container's own. */
static void test_own(void **state)
{
	struct oci_intel_rdt r = { .l3_cache_schema = STR("L3:0=f"), .mem_bw_schema = STR("MB:0=20") };
	struct bk_err *err = NULL;
	struct rdt rdt;

	(void)state;
	assert_ok(decide(&r, &rdt, &err), &err);
	assert_true(rdt.make && rdt.own && !rdt.monitor);
	assert_true(bk_has_suffix(rdt.group, "/web"));
	assert_false(there("web"));
	assert_ok(rdt_make_group(&rdt, &err), &err);
	assert_true(there("web"));
	assert_err(rdt_make_group(&rdt, &err), &err, BK_ERR_CONFIG, "File exists");
	assert_err(decide(&r, &rdt, &err), &err, BK_ERR_CONFIG, "is there already, and is not this");
	fill("web");
	assert_ok(rdt_configure(&rdt, &r, &err), &err);
	/* the file keeps the last write at its beginning, over what was there */
	holds("web/schemata", "MB:0=20\n=100\n    L3:0=7ff\n");
	assert_ok(rdt_join(rdt.group, NULL, 4711, &err), &err);
	assert_true(rdt_is_empty(top));
	assert_false(rdt_is_empty(rdt.group));
	holds("web/tasks", "4711");
	assert_err(rdt_remove(rdt.group, &err), &err, BK_ERR_IO, "linux.intelRdt: remove");
	assert_ok(bk_file_rmtree(AT_FDCWD, rdt.group, &err), &err);
	assert_ok(rdt_remove(rdt.group, &err), &err); /* gone is as good */
	assert_int_equal(mkdir(rdt.group, 0700), 0);
	assert_ok(rdt_remove(rdt.group, &err), &err);
	assert_false(there("web"));
}

static void test_closid(void **state)
{
	char *schemata[] = { STR("L3:0=1"), STR("MB:0=30"), NULL };
	struct oci_intel_rdt r = { .clos_id = STR("gold") };
	struct bk_err *err = NULL;
	struct rdt rdt;

	(void)state;
	assert_err(decide(&r, &rdt, &err), &err, BK_ERR_CONFIG, "must be there when no schema is given");
	r.schemata = schemata;
	assert_ok(decide(&r, &rdt, &err), &err);
	assert_true(rdt.make && !rdt.own);
	assert_ok(rdt_make_group(&rdt, &err), &err);
	fill("gold");
	put("gold/schemata", "");
	assert_ok(rdt_configure(&rdt, &r, &err), &err);
	holds("gold/schemata", "L3:0=1\nMB:0=30\n");
	/* now it is there: schemata alone are written again, nothing is made */
	assert_ok(decide(&r, &rdt, &err), &err);
	assert_false(rdt.make || rdt.own);
	assert_ok(rdt_make_group(&rdt, &err), &err);
	r.schemata = NULL;
	assert_ok(decide(&r, &rdt, &err), &err);
	assert_ok(rdt_configure(&rdt, &r, &err), &err);
	holds("gold/schemata", "L3:0=1\nMB:0=30\n");
	r.l3_cache_schema = STR("L3:0=1");
	r.mem_bw_schema = STR("MB:0=30");
	assert_ok(decide(&r, &rdt, &err), &err);
	r.mem_bw_schema = STR("MB:0=31");
	assert_err(decide(&r, &rdt, &err), &err, BK_ERR_CONFIG,
		   "linux.intelRdt.memBwSchema: MB:0=31 does not match");
	r.l3_cache_schema = STR("L3:0=2");
	assert_err(decide(&r, &rdt, &err), &err, BK_ERR_CONFIG, "linux.intelRdt.l3CacheSchema: L3:0=2");
}

static void test_root_and_monitor(void **state)
{
	struct oci_intel_rdt r = { .clos_id = STR("/"), .enable_monitoring = true };
	struct bk_err *err = NULL;
	struct rdt rdt;

	(void)state;
	assert_ok(decide(&r, &rdt, &err), &err);
	assert_string_equal(rdt.group, top);
	assert_false(rdt.make || rdt.own);
	assert_true(bk_has_suffix(rdt.monitor, "/mon_groups/web"));
	assert_ok(rdt_make_monitor(&rdt, &err), &err);
	put("mon_groups/web/tasks", "");
	assert_ok(rdt_join(rdt.group, rdt.monitor, 12, &err), &err);
	holds("tasks", "12");
	holds("mon_groups/web/tasks", "12");
	assert_err(decide(&r, &rdt, &err), &err, BK_ERR_CONFIG,
		   "linux.intelRdt.enableMonitoring: ");
	assert_err(rdt_make_monitor(&rdt, &err), &err, BK_ERR_CONFIG, "File exists");
}

/* What the kernel says about a refusal is told. */
static void test_reason(void **state)
{
	struct oci_intel_rdt r = { .clos_id = STR("gold"), .l3_cache_schema = STR("L3:0=0") };
	bk_autofree char *info = bk_path_join(top, "info");
	struct bk_err *err = NULL;
	struct rdt rdt;
	int rc;

	(void)state;
	assert_ok(decide(&r, &rdt, &err), &err);
	assert_int_equal(mkdir(info, 0700), 0);
	put("info/last_cmd_status", "Need at least 1 bits in the mask\n");
	rc = rdt_configure(&rdt, &r, &err); /* the group is not there */
	assert_true(rc < 0);
	assert_string_equal(bk_err_hint_text(err), "Need at least 1 bits in the mask");
	bk_err_clear(&err);
	put("info/last_cmd_status", "ok\n");
	rc = rdt_configure(&rdt, &r, &err);
	assert_true(rc < 0);
	assert_null(bk_err_hint_text(err));
	bk_err_clear(&err);
}

/* A group in use: both schemata, and what was there if one of them is refused. */
static void test_update(void **state)
{
	struct oci_intel_rdt r = { .clos_id = STR("gold"), .l3_cache_schema = STR("L3:0=1") };
	bk_autofree char *group = bk_path_join(top, "gold"), *old = NULL, *none = NULL;
	const struct rlimit few = { .rlim_cur = 10, .rlim_max = RLIM_INFINITY };
	struct rlimit before;
	struct bk_err *err = NULL;
	int rc;

	(void)state;
	assert_err(rdt_update(top, group, &r, &none, &err), &err, BK_ERR_NOT_FOUND, "linux.intelRdt");
	assert_int_equal(mkdir(group, 0700), 0);
	put("gold/schemata", "L3:0=f\n");
	assert_ok(rdt_update(top, group, &r, &old, &err), &err);
	holds("gold/schemata", "L3:0=1\n");
	assert_string_equal(old, "L3:0=f\n");
	assert_ok(rdt_put_back(top, group, old, &err), &err);
	holds("gold/schemata", "L3:0=f\n");
	/* the second one is too long for the file */
	r.mem_bw_schema = STR("MB:0=10;1=10");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	rc = rdt_update(top, group, &r, &none, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_err(rc, &err, BK_ERR_IO, "linux.intelRdt.memBwSchema");
	assert_null(none);
	holds("gold/schemata", "L3:0=f\n;1="); /* over what the kernel would not have taken */
}

#define RDT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

BK_TEST_MAIN(cmocka_unit_test(test_check), cmocka_unit_test(test_find), RDT_TEST(test_own),
	     RDT_TEST(test_closid), RDT_TEST(test_root_and_monitor), RDT_TEST(test_reason),
	     RDT_TEST(test_update))
