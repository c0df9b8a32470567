/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "exec/exec_config.h"
#include "exec/exec_runtime.h"
#include "oci/oci_runtime_linux.h"

struct world {
	char dir[64];
	struct bk_root rootfs;
	struct bk_arena *arena;
};

static int setup(void **state)
{
	struct world *w = bk_calloc(1, sizeof(*w));
	struct bk_err *err = NULL;

	snprintf(w->dir, sizeof(w->dir), "/tmp/bock-test-exec-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_ok(bk_root_open(&w->rootfs, w->dir, &err), &err);
	w->arena = bk_arena_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	bk_root_done(&w->rootfs);
	bk_file_rmtree(AT_FDCWD, w->dir, NULL);
	bk_arena_free(w->arena);
	free(w);
	return 0;
}

static struct exec_step step_of(const struct world *w, bool network)
{
	static char *args[] = { (char *)(uintptr_t) "make", (char *)(uintptr_t) "-j2", NULL };
	static char *env[] = { (char *)(uintptr_t) "A=b", (char *)(uintptr_t) "PATH=/x", NULL };

	return (struct exec_step){ .args = args,
				   .env = env,
				   .cwd = "/src",
				   .rootfs = "/the/tree",
				   .network = network,
				   .bundle = w->dir };
}

static bool has_namespace(const struct oci_runtime_config *c, int type)
{
	for (size_t i = 0; i < c->linux_->n_namespaces; i++)
		if (c->linux_->namespaces[i].type == type)
			return true;
	return false;
}

static const struct oci_mount *mount_at(const struct oci_runtime_config *c, const char *destination)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (bk_streq(c->mounts[i].destination, destination))
			return &c->mounts[i];
	return NULL;
}

static void test_config(void **state)
{
	const struct world *w = *state;
	const struct exec_step step = step_of(w, true);
	struct oci_runtime_config c;
	struct bk_err *err = NULL;

	assert_ok(exec_config_make(&step, &w->rootfs, w->arena, &c, &err), &err);
	assert_string_equal(c.root->path, "/the/tree");
	assert_string_equal(c.process->args[1], "-j2");
	assert_string_equal(c.process->cwd, "/src");
	assert_string_equal(bk_env_get(c.process->env, "PATH"), "/x");
	assert_string_equal(bk_env_get(c.process->env, "A"), "b");
	assert_false(c.process->no_new_privileges);
	assert_int_equal(c.process->n_rlimits, 0);
	assert_non_null(c.linux_->seccomp);
	assert_non_null(c.linux_->masked_paths);
	assert_true(has_namespace(&c, OCI_NS_PID));
	assert_true(has_namespace(&c, OCI_NS_MOUNT));
	assert_true(has_namespace(&c, OCI_NS_CGROUP));
	assert_false(has_namespace(&c, OCI_NS_NETWORK));
	assert_null(mount_at(&c, "/sys/fs/cgroup"));
	assert_non_null(mount_at(&c, "/proc"));
}

static void test_network(void **state)
{
	const struct world *w = *state;
	struct exec_step step = step_of(w, true);
	bk_autofree char *copy = bk_path_join(w->dir, "hosts");
	const struct oci_mount *hosts;
	struct oci_runtime_config c;
	struct bk_err *err = NULL;

	assert_ok(exec_config_make(&step, &w->rootfs, w->arena, &c, &err), &err);
	hosts = mount_at(&c, "/etc/hosts");
	if (access("/etc/hosts", R_OK) == 0) {
		assert_non_null(hosts);
		assert_string_equal(hosts->source, copy); /* never the host's own file */
		assert_int_equal(access(copy, R_OK), 0);
	}
	step.network = false;
	assert_ok(exec_config_make(&step, &w->rootfs, w->arena, &c, &err), &err);
	assert_true(has_namespace(&c, OCI_NS_NETWORK));
	assert_null(mount_at(&c, "/etc/hosts"));
	assert_null(mount_at(&c, "/etc/resolv.conf"));
}

static void test_user(void **state)
{
	const struct world *w = *state;
	struct exec_step step = step_of(w, false);
	struct oci_runtime_config c;
	struct bk_err *err = NULL;

	step.user = "5:6";
	assert_ok(exec_config_make(&step, &w->rootfs, w->arena, &c, &err), &err);
	assert_int_equal(c.process->user->uid, 5);
	assert_int_equal(c.process->user->gid, 6);
	step.user = "nobody-here";
	assert_err(exec_config_make(&step, &w->rootfs, w->arena, &c, &err), &err, BK_ERR_NOT_FOUND,
		   "user 'nobody-here'");
}

static void test_find(void **state)
{
	bk_autofree char *given = NULL;
	bk_autofree char *named = NULL;
	bk_autofree char *from_env = NULL;
	struct bk_err *err = NULL;

	(void)state;
	setenv("BOCK_RUNC", "/from/environment", 1);
	assert_ok(exec_runtime_find("/opt/../usr/x", &given, &err), &err);
	assert_string_equal(given, "/usr/x");
	assert_ok(exec_runtime_find("crun", &named, &err), &err);
	assert_string_equal(named, "crun"); /* looked up in PATH when it is executed */
	assert_ok(exec_runtime_find(NULL, &from_env, &err), &err);
	assert_string_equal(from_env, "/from/environment");
	unsetenv("BOCK_RUNC");
}

BK_TEST_MAIN(cmocka_unit_test_setup_teardown(test_config, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_network, setup, teardown),
	     cmocka_unit_test_setup_teardown(test_user, setup, teardown),
	     cmocka_unit_test(test_find))
