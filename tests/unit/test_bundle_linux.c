/* SPDX-License-Identifier: Apache-2.0 */
/* The "linux" object of a bundle: namespaces by network and user, id maps, limits. */
#include "bk_test.h"

#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "bundle/bundle_linux.h"
#include "oci/oci_runtime_linux.h"

static struct oci_linux *make(const struct bundle_opts *o, struct bk_arena *a)
{
	struct oci_runtime_config c = { 0 };
	struct bk_err *err = NULL;

	assert_ok(bundle_linux_make(o, a, &c, &err), &err);
	assert_non_null(c.linux_);
	return c.linux_;
}

static const struct oci_namespace *find(const struct oci_linux *l, enum oci_ns type)
{
	const struct oci_namespace *found = NULL;

	for (size_t i = 0; i < l->n_namespaces; i++)
		if (l->namespaces[i].type == (int)type) {
			assert_null(found);
			found = &l->namespaces[i];
		}
	return found;
}

/* Of its network namespace; "none" without one. */
static const char *net_path(const struct oci_linux *l)
{
	const struct oci_namespace *ns = find(l, OCI_NS_NETWORK);

	return ns ? ns->path : "none";
}

static void test_plain(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	const struct bundle_opts o = { 0 };
	const struct oci_linux *l = make(&o, a);

	(void)state;
	assert_int_equal(l->n_namespaces, 6);
	assert_non_null(find(l, OCI_NS_PID));
	assert_non_null(find(l, OCI_NS_MOUNT));
	assert_non_null(find(l, OCI_NS_CGROUP));
	assert_null(net_path(l));
	assert_null(find(l, OCI_NS_USER));
	assert_int_equal(l->n_uid_mappings + l->n_gid_mappings, 0);
	/* No device is allowed by the cgroup but those that a runtime adds; no limit. */
	assert_int_equal(l->resources->n_devices, 1);
	assert_false(l->resources->devices->allow);
	assert_string_equal(l->resources->devices->access, "rwm");
	assert_null(l->resources->memory);
	assert_null(l->resources->cpu);
	assert_null(l->resources->pids);
	assert_string_equal(l->masked_paths[0], "/proc/acpi");
	assert_string_equal(l->readonly_paths[0], "/proc/bus");
}

static void test_network(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct bundle_opts o = { .net = BUNDLE_NET_HOST };

	(void)state;
	assert_false(bundle_linux_own_net(&o));
	assert_null(find(make(&o, a), OCI_NS_NETWORK));
	o.net = BUNDLE_NET_PATH;
	o.netns = "/run/netns/x";
	assert_true(bundle_linux_own_net(&o));
	assert_string_equal(net_path(make(&o, a)), "/run/netns/x");
	o.net = BUNDLE_NET_NONE;
	assert_null(net_path(make(&o, a)));
	/* Of a rootless container it is the host's, unless it is to have none. */
	o = (struct bundle_opts){ .rootless = true };
	assert_false(bundle_linux_own_net(&o));
	assert_null(find(make(&o, a), OCI_NS_NETWORK));
	o.net = BUNDLE_NET_NONE;
	assert_true(bundle_linux_own_net(&o));
	assert_non_null(find(make(&o, a), OCI_NS_NETWORK));
}

static void test_rootless(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	const struct bundle_opts o = { .rootless = true };
	const struct oci_linux *l = make(&o, a);

	(void)state;
	assert_non_null(find(l, OCI_NS_USER));
	assert_int_equal(l->n_uid_mappings, 1);
	assert_int_equal(l->uid_mappings->container_id, 0);
	assert_int_equal(l->uid_mappings->host_id, geteuid());
	assert_int_equal(l->uid_mappings->size, 1);
	assert_int_equal(l->n_gid_mappings, 1);
	assert_int_equal(l->gid_mappings->host_id, getegid());
	/* A user has no device program, and without limits nothing to ask of the cgroup. */
	assert_null(l->resources);
}

static void test_maps(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct oci_id_mapping uids[] = { { .container_id = 0, .host_id = 100000, .size = 65536 } };
	struct oci_id_mapping gids[] = { { .container_id = 1, .host_id = 200001, .size = 9 },
					 { .container_id = 0, .host_id = 200000, .size = 1 } };
	struct bundle_opts o = { .ids = { .uids = uids, .n_uids = 1, .gids = gids, .n_gids = 2 } };
	struct oci_runtime_config c = { 0 };
	struct bk_err *err = NULL;
	const struct oci_linux *l = make(&o, a);

	(void)state;
	assert_non_null(find(l, OCI_NS_USER));
	assert_int_equal(l->n_uid_mappings, 1);
	assert_ptr_equal(l->uid_mappings, uids);
	assert_int_equal(l->n_gid_mappings, 2);
	/* Nobody would be root in these. */
	uids[0].container_id = 1;
	assert_err(bundle_linux_make(&o, a, &c, &err), &err, BK_ERR_CONFIG, "the container's root, 0");
	uids[0].container_id = 0;
	o.ids.n_gids = 1;
	assert_err(bundle_linux_make(&o, a, &c, &err), &err, BK_ERR_CONFIG, "the container's root, 0");
	o.ids.n_gids = 0;
	assert_err(bundle_linux_make(&o, a, &c, &err), &err, BK_ERR_CONFIG, "the container's root, 0");
	o.ids.n_gids = 2;
	o.ids.n_uids = 0;
	assert_err(bundle_linux_make(&o, a, &c, &err), &err, BK_ERR_CONFIG, "the container's root, 0");
}

static void test_limits(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	struct bundle_opts o = { .memory = 1 << 20, .cpu_quota = 150000, .pids_limit = 7 };
	const struct oci_resources *r = make(&o, a)->resources;

	(void)state;
	assert_true(r->memory->has_limit);
	assert_int_equal(r->memory->limit, 1 << 20);
	assert_true(r->cpu->has_quota && r->cpu->has_period);
	assert_int_equal(r->cpu->quota, 150000);
	assert_int_equal(r->cpu->period, BUNDLE_CPU_PERIOD);
	assert_true(r->pids->has_limit);
	assert_int_equal(r->pids->limit, 7);
	assert_int_equal(r->n_devices, 1);
	/* One alone, of a rootless container: it has resources then, and no devices. */
	o = (struct bundle_opts){ .rootless = true, .pids_limit = 7 };
	r = make(&o, a)->resources;
	assert_non_null(r);
	assert_null(r->memory);
	assert_null(r->cpu);
	assert_int_equal(r->n_devices, 0);
	assert_int_equal(r->pids->limit, 7);
}

BK_TEST_MAIN(cmocka_unit_test(test_plain), cmocka_unit_test(test_network), cmocka_unit_test(test_rootless),
	     cmocka_unit_test(test_maps), cmocka_unit_test(test_limits))
