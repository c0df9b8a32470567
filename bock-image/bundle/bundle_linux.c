/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_linux.h"

#include <unistd.h>

#include "oci/oci_runtime_linux.h"

static const enum oci_ns namespaces[] = { OCI_NS_PID, OCI_NS_NETWORK, OCI_NS_IPC,
					  OCI_NS_UTS, OCI_NS_MOUNT,   OCI_NS_CGROUP };

static const char *const masked_paths[] = {
	"/proc/acpi",	    "/proc/asound",	 "/proc/interrupts",
	"/proc/kcore",	    "/proc/keys",	 "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",	    "/sys/firmware",	 "/sys/devices/virtual/powercap",
};

static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					      "/proc/sysrq-trigger" };

static char **copy_texts(struct bk_arena *a, const char *const *texts, size_t n)
{
	char **v = NULL;

	for (size_t i = 0; i < n; i++)
		bk_doc_strv_add(a, &v, texts[i]);
	return v;
}

bool bundle_linux_own_net(const struct bundle_opts *opts)
{
	if (opts->net == BUNDLE_NET_DEFAULT)
		return !opts->rootless;
	return opts->net != BUNDLE_NET_HOST;
}

static struct oci_id_mapping *map_one(struct bk_arena *a, uint32_t host)
{
	struct oci_id_mapping *m = bk_arena_alloc(a, sizeof(*m));

	*m = (struct oci_id_mapping){ .container_id = 0, .host_id = host, .size = 1 };
	return m;
}

/* A user namespace: the caller alone, or the ids that are mapped. */
static int make_user(const struct bundle_opts *o, struct bk_arena *a, struct oci_linux *l,
		     struct bk_err **err)
{
	uint32_t host;

	if (o->rootless) {
		l->uid_mappings = map_one(a, geteuid());
		l->gid_mappings = map_one(a, getegid());
		l->n_uid_mappings = l->n_gid_mappings = 1;
	} else if (o->ids.n_uids > 0 || o->ids.n_gids > 0) {
		if (o->ids.n_uids == 0 || o->ids.n_gids == 0 ||
		    !layer_ids_host(o->ids.uids, o->ids.n_uids, 0, &host) ||
		    !layer_ids_host(o->ids.gids, o->ids.n_gids, 0, &host))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "the maps of ids lack the container's root, 0");
		l->uid_mappings = o->ids.uids;
		l->n_uid_mappings = o->ids.n_uids;
		l->gid_mappings = o->ids.gids;
		l->n_gid_mappings = o->ids.n_gids;
	} else {
		return 0;
	}
	l->namespaces[l->n_namespaces++].type = OCI_NS_USER;
	return 0;
}

static void make_resources(const struct bundle_opts *o, struct bk_arena *a, struct oci_linux *l)
{
	struct oci_resources *r = bk_arena_alloc(a, sizeof(*r));
	bool any = !o->rootless;

	if (!o->rootless) {
		r->devices = bk_arena_alloc(a, sizeof(*r->devices));
		r->devices->access = bk_arena_strdup(a, "rwm");
		r->n_devices = 1;
	}
	if (o->memory) {
		r->memory = bk_arena_alloc(a, sizeof(*r->memory));
		r->memory->limit = o->memory;
		any = r->memory->has_limit = true;
	}
	if (o->cpu_quota) {
		r->cpu = bk_arena_alloc(a, sizeof(*r->cpu));
		r->cpu->quota = o->cpu_quota;
		r->cpu->period = BUNDLE_CPU_PERIOD;
		any = r->cpu->has_quota = r->cpu->has_period = true;
	}
	if (o->pids_limit) {
		r->pids = bk_arena_alloc(a, sizeof(*r->pids));
		r->pids->limit = o->pids_limit;
		any = r->pids->has_limit = true;
	}
	l->resources = any ? r : NULL;
}

int bundle_linux_make(const struct bundle_opts *opts, struct bk_arena *arena,
		      struct oci_runtime_config *c, struct bk_err **err)
{
	struct oci_linux *l = bk_arena_alloc(arena, sizeof(*l));
	int rc;

	c->linux_ = l;
	l->namespaces =
		bk_arena_alloc(arena, sizeof(*l->namespaces) * (BK_ARRAY_SIZE(namespaces) + 1));
	for (size_t i = 0; i < BK_ARRAY_SIZE(namespaces); i++) {
		struct oci_namespace *ns = &l->namespaces[l->n_namespaces];

		if (namespaces[i] == OCI_NS_NETWORK && !bundle_linux_own_net(opts))
			continue;
		ns->type = (int)namespaces[i];
		if (namespaces[i] == OCI_NS_NETWORK && opts->net == BUNDLE_NET_PATH)
			ns->path = bk_arena_strdup(arena, opts->netns);
		l->n_namespaces++;
	}
	rc = make_user(opts, arena, l, err);
	if (rc < 0)
		return rc;
	make_resources(opts, arena, l);
	l->masked_paths = copy_texts(arena, masked_paths, BK_ARRAY_SIZE(masked_paths));
	l->readonly_paths = copy_texts(arena, readonly_paths, BK_ARRAY_SIZE(readonly_paths));
	return 0;
}
