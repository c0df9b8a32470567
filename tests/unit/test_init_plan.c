/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json to plan: data/plan/NAME.json compiles to what data/plan/NAME.plan says, as root of the host
 * without any privilege. After a wanted change: BOCK_GOLDEN=write test_init_plan, and read the
 * difference.
 */
#include "bk_test.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "init/init_plan.h"
#include "stage/stage.h"

#define PLAN_MAX ((size_t)1 << 20)

static char *data_path(const char *name, const char *ending)
{
	const char *top = getenv("BOCK_SRCDIR");

	return bk_asprintf("%s/tests/unit/data/plan/%s.%s", top ? top : ".", name, ending);
}

static void compile_and_print(const char *name, const struct init_params *params,
			      struct bk_buf *out)
{
	/* NAME-exec is a further process in the container of NAME.json, NAME-notify has a service manager, NAME-scope a unit */
	const char *ending = params->exec ? "-exec" : params->notify_dir ? "-notify" :
			     params->scope ? "-scope" : "";
	bk_autofree char *base = bk_strndup(name, strlen(name) - strlen(ending));
	bk_autofree char *json = data_path(base, "json");
	bk_autospec struct spec spec = { 0 };
	struct bk_err *err = NULL;
	struct init_plan plan;

	assert_ok(spec_load_kept(AT_FDCWD, json, "/bundle", &spec, &err), &err);
	if (!spec.no_process)
		assert_ok(spec_check(spec.config, &err), &err);
	assert_ok(params->exec ? init_plan_compile_exec(&spec, params, &plan, &err) :
				 init_plan_compile(&spec, params, &plan, &err), &err);
	init_plan_print(&plan, out);
	assert_false(out->overflow);
	init_plan_done(&plan);
}

static void golden(const char *name, const struct init_params *params)
{
	bk_autofree char *path = data_path(name, "plan");
	bk_autobuf struct bk_buf want = BK_BUF_INIT(PLAN_MAX);
	bk_autobuf struct bk_buf got = BK_BUF_INIT(PLAN_MAX);
	const char *mode = getenv("BOCK_GOLDEN");
	struct bk_err *err = NULL;

	if (!STAGE_HAVE)
		skip_because("the plans are those of a machine that has the last stage");
	compile_and_print(name, params, &got);
	if (mode && strcmp(mode, "write") == 0) {
		assert_ok(
			bk_file_write_atomic(AT_FDCWD, path, got.data, got.len, 0644, false, &err),
			&err);
		return;
	}
	assert_ok(bk_file_read(AT_FDCWD, path, &want, &err), &err);
	assert_string_equal(bk_buf_str(&got), bk_buf_str(&want));
}

static const struct init_params as_root = {
	.id = "web",
	.cgroup = "/web",
	.cgroup_mount = "/sys/fs/cgroup",
};
static const struct init_params no_cgroup = { .id = "web" };
static const struct init_params as_user = {
	.id = "web",
	.rootless = true,
	.setgroups_denied = true,
};

static const struct init_params exec_root = { .id = "web", .cgroup = "/web", .exec = true };

static const struct init_params notify_root = { .id = "web", .cgroup = "/web", .cgroup_mount = "/sys/fs/cgroup",
						.notify_dir = "/run/bock-runc/web/notify" };

/* made around the child, which waits for it */
static const struct init_params scope_root = { .id = "web", .cgroup = "/machine.slice/p-web.scope",
					       .cgroup_mount = "/sys/fs/cgroup",
					       .scope = "p-web.scope", .slice = "machine.slice" };

static void test_scope(void **state)
{
	(void)state;
	golden("everything-scope", &scope_root);
}

static void test_notify(void **state)
{
	(void)state;
	golden("userns-notify", &notify_root);
}

static void test_exec(void **state)
{
	(void)state;
	golden("default-exec", &exec_root);
	golden("userns-exec", &exec_root);
	golden("everything-exec", &exec_root);
	/* the host's pid namespace: everything of us is seen */
	golden("small-exec", &exec_root);
}

static void test_default(void **state)
{
	(void)state;
	golden("default", &as_root);
}

static void test_rootless(void **state)
{
	(void)state;
	golden("rootless", &as_user);
}

static void test_userns(void **state)
{
	(void)state;
	golden("userns", &as_root);
}

static void test_mounts(void **state)
{
	struct init_params params = as_root;

	(void)state;
	params.no_pivot = true;
	golden("mounts", &params);
}

static void test_joins(void **state)
{
	(void)state;
	golden("joins", &as_root);
}

static void test_joins_user(void **state)
{
	(void)state;
	golden("joins-user", &as_root);
}

static void test_everything(void **state)
{
	(void)state;
	golden("everything", &as_root);
}

/* The program itself must be the next thing that is executed: no last stage. */
static void test_labels(void **state)
{
	(void)state;
	golden("labels", &as_root);
}

static void test_no_process(void **state)
{
	(void)state;
	golden("no-process", &as_root);
}

/* Without a mount namespace. */
static void test_host_mounts(void **state)
{
	struct init_params other = exec_root;

	(void)state;
	golden("host-mounts", &as_root);
	other.other_mount_ns = true;
	golden("host-mounts-exec", &other);
}

static void test_small(void **state)
{
	(void)state;
	golden("small", &no_cgroup);
}

static void test_net_devices(void **state)
{
	(void)state;
	golden("net-devices", &as_root);
}

/* A document with these members added; the error of its compilation. */
static void refused(const char *process, const char *linux_, const char *top, enum bk_err_kind kind,
		    const char *words)
{
	char path[] = "/tmp/bock-plan-XXXXXX"; /* machine-path-ok */
	bk_autospec struct spec spec = { 0 };
	struct bk_err *err = NULL;
	struct init_plan plan;
	bk_autofree char *text = bk_asprintf(
		"{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},"
		"\"process\":{\"cwd\":\"/\",\"args\":[\"x\"]%s},"
		"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}]%s}%s}",
		process, linux_, top);
	int fd, rc;

	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	rc = spec_load_kept(AT_FDCWD, path, "/bundle", &spec, &err);
	(void)unlink(path);
	assert_ok(rc, &err);
	assert_ok(spec_check(spec.config, &err), &err);
	assert_err(init_plan_compile(&spec, &no_cgroup, &plan, &err), &err, kind, words);
}

static void test_refused(void **state)
{
	(void)state;
	refused("", ",\"rootfsPropagation\":\"x\"", "", BK_ERR_CONFIG,
		"linux.rootfsPropagation: 'x'");
	refused("", ",\"resources\":{\"pids\":{\"limit\":1}}", "", BK_ERR_UNSUPPORTED,
		"there is no cgroup v2");
	refused("", ",\"sysctl\":{\"kernel.shmmax\":\"1\"}", "", BK_ERR_CONFIG, "ipc namespace");
	refused("", ",\"devices\":[{\"type\":\"c\",\"path\":\"dev/x\"}]", "", BK_ERR_CONFIG,
		"linux.devices[0].path");
	refused(",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]", "", "",
		BK_ERR_CONFIG, "process.rlimits[0]: soft is above hard");
	refused("", "", ",\"hooks\":{\"poststop\":[{\"path\":\"x\"}]}", BK_ERR_CONFIG,
		"hooks.poststop[0].path");
	refused("", "", ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},{\"destination\":\"/\",\"type\":\"tmpfs\"}]",
		BK_ERR_CONFIG, "mounts[1].destination");
	refused("", "", ",\"annotations\":{\"run.oci.delegate-cgroup\":\"cgroup.x\"}", BK_ERR_CONFIG,
		"annotation 'run.oci.delegate-cgroup': 'cgroup.x' can't be the name of a cgroup");
	refused("", "", ",\"annotations\":{\"run.oci.delegate-cgroup\":\"a/b\"}", BK_ERR_CONFIG,
		"'a/b' can't be");
	refused("", "", ",\"annotations\":{\"run.oci.delegate-cgroup\":\"x\"}", BK_ERR_UNSUPPORTED,
		"the container has no cgroup");
}

/* Behind a NUL is still the document: neither hidden nor beyond what was read. */
static void test_nul(void **state)
{
	static const char text[] =
		"{\"ociVersion\":\"1.3.0\"}\0 and a good deal more than what stands "
		"in front of it, none of it JSON";
	char path[] = "/tmp/bock-plan-XXXXXX"; /* machine-path-ok */
	bk_autospec struct spec spec = { 0 };
	struct bk_err *err = NULL;
	int fd = mkstemp(path), rc;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	(void)close(fd);
	rc = spec_load_kept(AT_FDCWD, path, "/bundle", &spec, &err);
	(void)unlink(path);
	assert_err(rc, &err, BK_ERR_CONFIG, path);
}

BK_TEST_MAIN(cmocka_unit_test(test_exec), cmocka_unit_test(test_notify), cmocka_unit_test(test_scope), cmocka_unit_test(test_default), cmocka_unit_test(test_rootless),
	     cmocka_unit_test(test_userns), cmocka_unit_test(test_mounts), cmocka_unit_test(test_joins),
	     cmocka_unit_test(test_joins_user), cmocka_unit_test(test_everything),
	     cmocka_unit_test(test_small), cmocka_unit_test(test_no_process), cmocka_unit_test(test_host_mounts), cmocka_unit_test(test_labels), cmocka_unit_test(test_net_devices),
	     cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_nul))
