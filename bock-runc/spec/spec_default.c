/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "spec/spec_load.h"

struct default_mount {
	const char *destination, *type, *source;
	const char *options;	/* comma-separated */
	const char *rootless;	/* the options of a rootless configuration; NULL: the same */
};

static const struct default_mount default_mounts[] = {
	{ "/proc", "proc", "proc", "", NULL },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k", NULL },
	{ "/dev/pts", "devpts", "devpts",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k", NULL },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev", NULL },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro", NULL },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro", NULL },
};

static const char default_masked[] =
	"/proc/acpi,/proc/asound,/proc/kcore,/proc/keys,/proc/latency_stats,/proc/timer_list,"
	"/proc/timer_stats,/proc/sched_debug,/sys/firmware,/proc/scsi";
static const char default_readonly[] =
	"/proc/bus,/proc/fs,/proc/irq,/proc/sys,/proc/sysrq-trigger";

static char **list(struct bk_arena *a, const char *text)
{
	bk_autostrv char **parts = bk_strv_split(text, ",");
	char **v = NULL;

	for (char **p = parts; p && *p; p++)
		bk_doc_strv_add(a, &v, *p);
	return v;
}

static void add_mounts(struct bk_arena *a, struct oci_runtime_config *c, bool rootless)
{
	c->n_mounts = BK_ARRAY_SIZE(default_mounts);
	c->mounts = bk_arena_alloc(a, c->n_mounts * sizeof(*c->mounts));
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct default_mount *d = &default_mounts[i];
		struct oci_mount *m = &c->mounts[i];
		bool bind_sys = rootless && bk_streq(d->destination, "/sys");

		m->destination = bk_arena_strdup(a, d->destination);
		/* without a network namespace of its own a user can't have a sysfs, only see the host's */
		m->type = bk_arena_strdup(a, bind_sys ? "none" : d->type);
		m->source = bk_arena_strdup(a, bind_sys ? "/sys" : d->source);
		m->options = list(a, bind_sys			? "rbind,nosuid,noexec,nodev,ro" :
				      rootless && d->rootless ? d->rootless :
								d->options);
	}
}

static void add_namespaces(struct bk_arena *a, struct oci_linux *l, bool rootless)
{
	static const int types[] = { OCI_NS_PID, OCI_NS_NETWORK, OCI_NS_IPC, OCI_NS_UTS, OCI_NS_MOUNT,
				     OCI_NS_CGROUP };

	l->namespaces = bk_arena_alloc(a, (BK_ARRAY_SIZE(types) + 1) * sizeof(*l->namespaces));
	for (size_t i = 0; i < BK_ARRAY_SIZE(types); i++) {
		if (rootless && types[i] == OCI_NS_NETWORK)
			continue;
		l->namespaces[l->n_namespaces++].type = types[i];
	}
	if (rootless)
		l->namespaces[l->n_namespaces++].type = OCI_NS_USER;
}

static struct oci_process *make_process(struct bk_arena *a)
{
	struct oci_process *p = bk_arena_alloc(a, sizeof(*p));
	static const char caps[] = "CAP_AUDIT_WRITE,CAP_KILL,CAP_NET_BIND_SERVICE";

	p->terminal = true;
	p->user = bk_arena_alloc(a, sizeof(*p->user));
	p->args = list(a, "sh");
	p->env = list(a, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin,TERM=xterm");
	p->cwd = bk_arena_strdup(a, "/");
	p->capabilities = bk_arena_alloc(a, sizeof(*p->capabilities));
	p->capabilities->bounding = list(a, caps);
	p->capabilities->effective = list(a, caps);
	p->capabilities->permitted = list(a, caps);
	p->n_rlimits = 1;
	p->rlimits = bk_arena_alloc(a, sizeof(*p->rlimits));
	p->rlimits->type = bk_arena_strdup(a, "RLIMIT_NOFILE");
	p->rlimits->soft = 1024;
	p->rlimits->hard = 1024;
	p->no_new_privileges = true;
	return p;
}

static void map_self(struct bk_arena *a, struct oci_id_mapping **maps, size_t *n, uint32_t host)
{
	*maps = bk_arena_alloc(a, sizeof(**maps));
	**maps = (struct oci_id_mapping){ .container_id = 0, .host_id = host, .size = 1 };
	*n = 1;
}

struct oci_runtime_config *spec_default(struct bk_arena *arena, bool rootless, uint32_t uid,
					uint32_t gid)
{
	struct oci_runtime_config *c = bk_arena_alloc(arena, sizeof(*c));
	struct oci_linux *l = bk_arena_alloc(arena, sizeof(*l));

	c->oci_version = bk_arena_strdup(arena, OCI_RUNTIME_VERSION);
	c->process = make_process(arena);
	c->root = bk_arena_alloc(arena, sizeof(*c->root));
	c->root->path = bk_arena_strdup(arena, "rootfs");
	c->root->readonly = true;
	c->hostname = bk_arena_strdup(arena, "bock");
	add_mounts(arena, c, rootless);
	c->linux_ = l;
	add_namespaces(arena, l, rootless);
	l->masked_paths = list(arena, default_masked);
	l->readonly_paths = list(arena, default_readonly);
	if (rootless) {
		map_self(arena, &l->uid_mappings, &l->n_uid_mappings, uid);
		map_self(arena, &l->gid_mappings, &l->n_gid_mappings, gid);
	} else {
		l->resources = bk_arena_alloc(arena, sizeof(*l->resources));
		l->resources->n_devices = 1;
		l->resources->devices = bk_arena_alloc(arena, sizeof(*l->resources->devices));
		l->resources->devices->access = bk_arena_strdup(arena, "rwm");
	}
	return c;
}
