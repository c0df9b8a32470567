/* SPDX-License-Identifier: Apache-2.0 */
#include "init/init_plan_priv.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "hooks/hooks.h"
#include "ns/ns.h"
#include "ns/ns_maps.h"
#include "proc/proc_rlimit.h"
#include "proc/proc_sysctl.h"
#include "spec/spec_annotations.h"
#include "rdt/rdt.h"
#include "stage/stage.h"

#define STAGE_IMAGE_MAX ((size_t)64 << 10)	/* bytes of the last stage's program */

struct init_op *init_plan_add(struct init_plan *p, enum init_stage stage, enum init_op_kind kind)
{
	struct init_op *op;

	p->ops[stage] = bk_arena_grow(p->arena, p->ops[stage], p->n[stage], sizeof(*op));
	op = &p->ops[stage][p->n[stage]++];
	op->kind = kind;
	return op;
}

static void plan_namespaces(struct init_plan *p)
{
	const struct oci_linux *l = p->spec->config->linux_;
	bool joins = false;

	for (size_t i = 0; i < l->n_namespaces; i++) {
		const struct oci_namespace *ns = &l->namespaces[i];

		if (ns->path && *ns->path) {
			p->join[ns->type] = ns->path;
			joins = true;
		} else if (ns->type == OCI_NS_USER) {
			p->new_user = true;
			p->clone_flags |= CLONE_NEWUSER;
		} else if (ns->type != OCI_NS_CGROUP && ns->type != OCI_NS_TIME &&
			   !(ns->type == OCI_NS_IPC && spec_ns(p->spec->config, OCI_NS_USER))) {
			/*
			 * cgroup: to be made inside the cgroup; time: its offsets come first; ipc: the root of
			 * its mqueue belongs to whoever makes it, which must be the container's root
			 */
			p->clone_flags |= (uint64_t)ns_info_of(ns->type)->clone_flag;
		}
	}
	/* what is joined may belong to another user namespace than the one to come */
	p->joins_user = joins && (p->new_user || p->join[OCI_NS_USER]);
}

/* Whether the container may not even write a file as large as the last stage. */
static bool small_files(const struct oci_process *proc)
{
	for (size_t i = 0; i < proc->n_rlimits; i++) {
		if (bk_streq(proc->rlimits[i].type, "RLIMIT_FSIZE") &&
		    proc->rlimits[i].soft < sizeof(struct stage_control) + STAGE_IMAGE_MAX)
			return true;
	}
	return false;
}

bool init_plan_stage_serves(const struct init_plan *p)
{
	return STAGE_HAVE && !p->seccomp.listener && !small_files(p->spec->config->process) &&
	       !init_plan_has_labels(p);
}

/*
 * Whether our own program must be sealed as a whole: when processes of a container can see us at work
 * before the last stage takes over (a pid namespace that is not ours alone), or the last stage can't
 * do all that is left (hooks).
 */
static bool needs_seal(const struct init_plan *p)
{
	const struct oci_hooks *h = p->spec->config->hooks;

	return p->spec->no_process || !init_plan_stage_serves(p) || !spec_ns_is_new(p->spec->config, OCI_NS_PID) ||
	       (h && h->n_start_container);
}

/* What only a cgroup can give is refused where there is none. */
static int check_cgroup(const struct init_plan *p, const struct oci_resources *r,
			struct bk_err **err)
{
	if (p->params.cgroup)
		return 0;
	if (p->limits.n && p->params.no_cgroup)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.resources: limits are asked for, but cgroups are disabled");
	if (p->limits.n)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.resources: limits are asked for, but there is no cgroup v2 "
				  "hierarchy at /sys/fs/cgroup or /sys/fs/cgroup/unified");
	/* a user's own rights bound the container; root's would not */
	if (r && r->n_devices && !p->params.rootless && !p->params.no_cgroup)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.resources.devices: there is no cgroup v2 hierarchy at "
				  "/sys/fs/cgroup or /sys/fs/cgroup/unified to enforce them");
	return 0;
}

static bool has_runtime_hooks(const struct init_plan *p)
{
	const struct oci_hooks *h = p->spec->config->hooks;

	return h && (h->n_prestart || h->n_create_runtime);
}

/* Late, so that little can fail behind it: a new namespace that goes away takes virtual devices along. */
static int plan_net_devices(struct init_plan *p, struct bk_err **err)
{
	if (!p->spec->config->linux_->n_net_devices)
		return 0;
	if (p->params.rootless)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.netDevices: moving network devices needs root of the host");
	init_plan_add(p, INIT_RUNTIME, OP_NET_DEVICES);
	return 0;
}

static void plan_cgroup(struct init_plan *p, const struct oci_resources *r)
{
	init_plan_add(p, INIT_RUNTIME, OP_CGROUP);
	if (p->limits.n)
		init_plan_add(p, INIT_RUNTIME, OP_LIMITS);
	/* without rules too: what no rule speaks about is denied, but for the default devices */
	if ((r && r->n_devices) || !p->params.rootless)
		init_plan_add(p, INIT_RUNTIME, OP_DEVICES);
}

/* What the runtime's process does. */
static int plan_runtime(struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;
	int rc;

	rc = cgroup_limits_compile(l->resources, &p->limits, err);
	if (rc == 0)
		rc = check_cgroup(p, l->resources, err);
	if (rc < 0)
		return rc;
	p->seal = needs_seal(p);
	if (p->seal)
		init_plan_add(p, INIT_RUNTIME, OP_SEAL);
	if (p->seccomp.has)
		init_plan_add(p, INIT_RUNTIME, OP_SECCOMP_COMPILE);
	if (p->params.cgroup && !p->params.scope)
		plan_cgroup(p, l->resources);
	if (l->intel_rdt) {
		rc = rdt_check(l->intel_rdt, p->params.id, err);
		if (rc < 0)
			return rc;
		init_plan_add(p, INIT_RUNTIME, OP_RDT);
	}
	init_plan_add(p, INIT_RUNTIME, OP_CLONE);
	if (p->params.scope) {
		plan_cgroup(p, l->resources);
		init_plan_add(p, INIT_RUNTIME, OP_CGROUP_TELL);
	}
	if (l->intel_rdt)
		init_plan_add(p, INIT_RUNTIME, OP_RDT_JOIN);
	if (p->new_user)
		init_plan_add(p, INIT_RUNTIME, OP_ID_MAPS);
	return 0;
}

/* config-linux.md "Cgroup ownership": a writable cgroup mount in a cgroup namespace of its own. */
static bool wants_cgroup_owner(const struct init_plan *p)
{
	const struct oci_runtime_config *c = p->spec->config;

	if (!p->params.cgroup || !spec_ns_is_new(c, OCI_NS_CGROUP))
		return false;
	for (size_t i = 0; i < c->n_mounts; i++) {
		const struct oci_mount *m = &c->mounts[i];

		if (m->source && bk_streq(m->source, "cgroup") &&
		    bk_streq(m->destination, "/sys/fs/cgroup"))
			return !m->options || !bk_strv_has(m->options, "ro");
	}
	return false;
}

/* The container's user on the host; 0: nobody whom a cgroup could be given to. */
static uid_t cgroup_owner(const struct init_plan *p)
{
	const struct oci_linux *l = p->spec->config->linux_;
	uid_t owner = p->user.uid;

	if (p->params.rootless)
		return 0;
	/* of a joined user namespace without maps beside its path we don't know who its user is */
	if (spec_ns(p->spec->config, OCI_NS_USER) &&
	    !ns_maps_to_host(l->uid_mappings, l->n_uid_mappings, p->user.uid, &owner))
		return 0;
	return owner;
}

static int plan_delegation(struct init_plan *p, struct bk_err **err)
{
	const char *below = spec_annotation(p->spec->config, SPEC_DELEGATE_CGROUP);
	uid_t owner = cgroup_owner(p);
	struct init_op *op;
	int rc;

	if (!below) {
		if (wants_cgroup_owner(p) && owner)
			init_plan_add(p, INIT_RUNTIME, OP_CGROUP_OWNER)->u.owner = owner;
		return 0;
	}
	rc = cgroup_check_name(below, err);
	if (rc == 0 && !p->params.cgroup)
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "the container has no cgroup");
	if (rc < 0)
		return bk_err_wrap(err, rc, "annotation '%s'", spec_annotations[SPEC_DELEGATE_CGROUP].name);
	op = init_plan_add(p, INIT_RUNTIME, OP_CGROUP_DELEGATE);
	op->u.below.name = below;
	op->u.below.owner = owner;
	return 0;
}

/* What the runtime does while the child sets itself up. */
static int plan_beside(struct init_plan *p, struct bk_err **err)
{
	int rc;

	for (size_t i = 0; i < p->n[INIT_CONTAINER]; i++) {
		const struct init_op *op = &p->ops[INIT_CONTAINER][i];

		if (op->kind == OP_MOUNT && op->u.mount.idmap)
			init_plan_add(p, INIT_RUNTIME, OP_IDMAP_MOUNT)->u.idmapped = &op->u.mount;
		else if (op->kind == OP_MOUNT && op->u.mount.source_sent)
			init_plan_add(p, INIT_RUNTIME, OP_BIND_SOURCE)->u.bind = &op->u.mount;
	}
	rc = plan_delegation(p, err);
	if (rc == 0)
		rc = plan_net_devices(p, err);
	if (rc == 0 && has_runtime_hooks(p))
		init_plan_add(p, INIT_RUNTIME, OP_RUNTIME_HOOKS);
	return rc;
}

static void plan_enter(struct init_plan *p)
{
	const struct oci_process *proc = p->spec->config->process;

	if (proc->has_oom_score_adj)
		init_plan_add(p, INIT_CONTAINER, OP_OOM_SCORE);
	init_plan_open_labels(p);
	init_plan_add(p, INIT_CONTAINER, OP_AFFINITY);
	if (p->params.notify_dir)
		init_plan_add(p, INIT_CONTAINER, OP_NOTIFY_OPEN)->u.text = p->params.notify_dir;
	if (p->params.scope)
		init_plan_add(p, INIT_CONTAINER, OP_CGROUP_WAIT);
	/* while /proc is the host's, and /proc/self belongs to us: after a change of user it is root's */
	if (spec_ns_is_new(p->spec->config, OCI_NS_TIME))
		init_plan_add(p, INIT_CONTAINER, OP_TIME_NS);
	if (p->new_user || p->join[OCI_NS_USER])
		init_plan_add(p, INIT_CONTAINER, OP_BECOME_ROOT);
	if (spec_ns_is_new(p->spec->config, OCI_NS_IPC) && spec_ns(p->spec->config, OCI_NS_USER))
		init_plan_add(p, INIT_CONTAINER, OP_IPC_NS);
	for (int t = 0; t < OCI_NS_MAX_; t++) {
		/* pid is joined before the clone; all of them are where an intermediate process is */
		if (!p->join[t] || t == OCI_NS_PID || p->joins_user)
			continue;
		struct init_op *op = init_plan_add(p, INIT_CONTAINER, OP_JOIN);

		op->u.ns.type = t;
		op->u.ns.path = p->join[t];
	}
	if (spec_ns_is_new(p->spec->config, OCI_NS_CGROUP))
		init_plan_add(p, INIT_CONTAINER, OP_CGROUP_NS);
	init_plan_key_label(p);
	init_plan_add(p, INIT_CONTAINER, OP_SESSION);
	if (spec_ns_is_new(p->spec->config, OCI_NS_NETWORK))
		init_plan_add(p, INIT_CONTAINER, OP_LOOPBACK);
}

/* A /dev that is the caller's own bind mount is left alone. */
static bool dev_is_ours(const struct init_plan *p)
{
	for (size_t i = 0; i < p->n[INIT_CONTAINER]; i++) {
		const struct init_op *op = &p->ops[INIT_CONTAINER][i];

		if (op->kind == OP_MOUNT && op->u.mount.kind == MOUNT_BIND &&
		    bk_streq(op->u.mount.dest, "/dev"))
			return false;
	}
	return true;
}

/* A read-only /dev becomes so when its devices are in it. */
static bool dev_is_late(const struct mount_op *m)
{
	return m->kind == MOUNT_NEW && bk_streq(m->dest, "/dev") && (m->f.ms & MS_RDONLY);
}

static void plan_late_dev(struct init_plan *p)
{
	for (size_t i = p->n[INIT_CONTAINER]; i-- > 0;) {
		const struct init_op *op = &p->ops[INIT_CONTAINER][i];
		struct mount_op m;

		if (op->kind != OP_MOUNT || !bk_streq(op->u.mount.dest, "/dev"))
			continue;
		m = op->u.mount;
		if (m.kind != MOUNT_NEW || !(m.f.attr_set & MOUNT_ATTR_RDONLY))
			return;
		m.kind = MOUNT_REMOUNT;
		m.f = (struct mount_flags){ .attr_set = MOUNT_ATTR_RDONLY, .bind = true };
		init_plan_add(p, INIT_CONTAINER, OP_MOUNT)->u.mount = m;
		return;
	}
}

void init_plan_mount_ctx(const struct spec *spec, struct mount_ctx *ret)
{
	const struct oci_runtime_config *c = spec->config;
	const struct oci_linux *l = c->linux_;

	*ret = (struct mount_ctx){
		.bundle = spec->bundle,
		.cgroup_ns = spec_ns(c, OCI_NS_CGROUP) != NULL,
		.host_mounts = !spec_ns(c, OCI_NS_MOUNT),
		.roots = mount_plan_roots(c->mounts, c->n_mounts),
		.maps = { .userns = spec_ns(c, OCI_NS_USER) != NULL,
			  .uids = l->uid_mappings, .n_uids = l->n_uid_mappings,
			  .gids = l->gid_mappings, .n_gids = l->n_gid_mappings },
		.label = l->mount_label && *l->mount_label ? l->mount_label : NULL,
		.label_option = spec_annotation(c, SPEC_MOUNT_CONTEXT),
	};
}

int init_plan_check_mount(const struct mount_op *m, struct bk_err **err)
{
	int rc = 0;

	if (m->idmap && m->idmap->uids)
		rc = ns_maps_check(m->idmap->uids, m->idmap->n_uids, "uidMappings", err);
	if (rc == 0 && m->idmap && m->idmap->gids)
		rc = ns_maps_check(m->idmap->gids, m->idmap->n_gids, "gidMappings", err);
	return rc < 0 ? bk_err_wrap(err, rc, "%s", m->where) : 0;
}

static int plan_mounts(struct init_plan *p, struct bk_err **err)
{
	const struct oci_runtime_config *c = p->spec->config;
	struct mount_ctx ctx;

	init_plan_mount_ctx(p->spec, &ctx);
	ctx.rootless = p->params.rootless;
	if (p->params.cgroup) {
		bk_autofree char *dir = bk_asprintf("%s%s", p->params.cgroup_mount, p->params.cgroup);

		ctx.cgroup_dir = bk_arena_strdup(p->arena, dir);
	} else if (p->params.no_cgroup) {
		ctx.cgroup_dir = "";
	}
	for (size_t i = 0; i < c->n_mounts; i++) {
		struct mount_op m;
		int rc = mount_plan_op(&c->mounts[i], i, &ctx, p->arena, &m, err);

		if (rc == 0)
			rc = init_plan_check_mount(&m, err);
		if (rc < 0)
			return rc;
		/* root of a user namespace may not look into what is for its maker alone */
		m.source_sent = m.kind == MOUNT_BIND && !m.idmap &&
				(!p->params.rootless || p->params.userns_root) &&
				(p->new_user || p->join[OCI_NS_USER]);
		if (dev_is_late(&m))
			m.f.ms &= ~(unsigned long)MS_RDONLY; /* plan_late_dev */
		init_plan_add(p, INIT_CONTAINER, OP_MOUNT)->u.mount = m;
	}
	return 0;
}

static int plan_notify(struct init_plan *p, struct bk_err **err)
{
	if (!p->params.notify_dir)
		return 0;
	if (p->join[OCI_NS_MOUNT])
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "NOTIFY_SOCKET: the state folder can't be reached in the mount namespace "
				  "'%s'", p->join[OCI_NS_MOUNT]);
	init_plan_add(p, INIT_CONTAINER, OP_NOTIFY_MOUNT)->u.text = INIT_NOTIFY_DIR;
	return 0;
}

static int plan_devices(struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;
	struct dev_node *nodes;
	struct init_op *op;
	size_t n;
	int rc;

	rc = dev_nodes_compile(l->devices, l->n_devices, p->arena, &nodes, &n, err);
	if (rc < 0)
		return rc;
	if (!dev_is_ours(p))
		return 0;
	op = init_plan_add(p, INIT_CONTAINER, OP_DEV_NODES);
	op->u.nodes.v = nodes;
	op->u.nodes.n = n;
	op->u.nodes.bind = p->new_user || p->join[OCI_NS_USER] || p->params.rootless;
	init_plan_add(p, INIT_CONTAINER, OP_DEV_LINKS);
	return 0;
}

static int propagation_of(const struct oci_linux *l, unsigned long *ret, struct bk_err **err)
{
	*ret = 0;
	if (!l->rootfs_propagation || !*l->rootfs_propagation)
		return 0;
	*ret = mount_opts_propagation(l->rootfs_propagation);
	if (!*ret)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "linux.rootfsPropagation: '%s' is unknown",
				  l->rootfs_propagation);
	return 0;
}

static bool has_paths(char *const *v)
{
	return v && *v;
}

/* Everything in the container's namespaces as the runtime, up to its root being "/". */
static int plan_container(struct init_plan *p, struct bk_err **err)
{
	const struct oci_runtime_config *c = p->spec->config;
	const struct oci_hooks *h = c->hooks;
	unsigned long propagation;
	int rc;

	plan_enter(p);
	rc = propagation_of(c->linux_, &propagation, err);
	if (rc < 0)
		return rc;
	if (p->host_mounts) {
		init_plan_add(p, INIT_CONTAINER, OP_ROOT_OPEN)->u.text = p->spec->rootfs;
	} else {
		init_plan_add(p, INIT_CONTAINER, OP_ISOLATE)->u.propagation = propagation;
		init_plan_add(p, INIT_CONTAINER, OP_ROOT_BIND)->u.text = p->spec->rootfs;
	}
	if (c->linux_->n_sysctl)
		init_plan_add(p, INIT_CONTAINER, OP_PRIVATE_PROC);
	rc = plan_mounts(p, err);
	if (rc == 0)
		rc = plan_notify(p, err);
	if (rc == 0)
		rc = plan_devices(p, err);
	if (rc < 0)
		return rc;
	if (c->process->terminal)
		init_plan_add(p, INIT_CONTAINER, OP_CONSOLE);
	plan_late_dev(p);
	if (has_runtime_hooks(p) || c->linux_->n_net_devices)
		init_plan_add(p, INIT_CONTAINER, OP_WAIT_HOOKS);
	if (h && h->n_create_container)
		init_plan_add(p, INIT_CONTAINER, OP_CREATE_HOOKS);
	/* while the host's null device can still be reached */
	if (has_paths(c->linux_->readonly_paths))
		init_plan_add(p, INIT_CONTAINER, OP_READONLY_PATHS);
	if (has_paths(c->linux_->masked_paths))
		init_plan_add(p, INIT_CONTAINER, OP_MASKED_PATHS);
	init_plan_add(p, INIT_CONTAINER, p->host_mounts ? OP_CHROOT : p->params.no_pivot ? OP_MOVE_ROOT :
								  OP_PIVOT)->u.propagation = propagation;
	if (propagation)
		init_plan_add(p, INIT_PROCESS, OP_PROPAGATION)->u.propagation = propagation;
	return 0;
}

static int plan_sysctls(struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;
	bool has_ns[OCI_NS_MAX_];

	for (int t = 0; t < OCI_NS_MAX_; t++)
		has_ns[t] = spec_ns(p->spec->config, t) != NULL;
	for (size_t i = 0; i < l->n_sysctl; i++) {
		char path[INIT_SYSCTL_PATH_MAX];
		struct init_op *op;
		int rc = proc_sysctl_path(l->sysctl[i].key, has_ns, path, sizeof(path), err);

		if (rc < 0)
			return rc;
		op = init_plan_add(p, INIT_PROCESS, OP_SYSCTL);
		op->u.pair.path = bk_arena_strdup(p->arena, path);
		op->u.pair.value = l->sysctl[i].value;
	}
	return 0;
}

/* The container's own face: names, paths, limits. */
static int plan_face(struct init_plan *p, struct bk_err **err)
{
	const struct oci_runtime_config *c = p->spec->config;
	int rc;

	if (c->hostname && *c->hostname)
		init_plan_add(p, INIT_PROCESS, OP_HOSTNAME)->u.text = c->hostname;
	if (c->domainname && *c->domainname)
		init_plan_add(p, INIT_PROCESS, OP_DOMAINNAME)->u.text = c->domainname;
	rc = plan_sysctls(p, err);
	if (rc < 0)
		return rc;
	init_plan_add(p, INIT_PROCESS, OP_MAKE_CWD)->u.text = c->process->cwd;
	if (c->root->readonly && !p->host_mounts) /* else it is so already (container_below_check) */
		init_plan_add(p, INIT_PROCESS, OP_ROOT_READONLY);
	return 0;
}

static void plan_rlimits(struct init_plan *p)
{
	const struct oci_process *proc = p->spec->config->process;

	for (size_t i = 0; i < proc->n_rlimits; i++) {
		bool late = p->stage_forks && bk_streq(proc->rlimits[i].type, "RLIMIT_NPROC");

		/* whoever forks as the container's user would count beside the program */
		init_plan_add(p, INIT_PROCESS, late ? OP_NPROC_ROOM : OP_RLIMIT)->u.rlimit =
			&proc->rlimits[i];
		if (late)
			p->nproc = &proc->rlimits[i];
	}
}

/*
 * The order of the last steps matters. Without no_new_privs a filter needs CAP_SYS_ADMIN, so it is loaded
 * while that is there, and must allow the steps that follow; with it, the filter comes last and need
 * allow no more than execve. But one that notifies is loaded before the container is ready: its agent is
 * told while the container is being created.
 */
int init_plan_process(struct init_plan *p, struct bk_err **err)
{
	const struct oci_runtime_config *c = p->spec->config;
	const struct oci_process *proc = c->process;
	bool early = p->seccomp.has && !proc->no_new_privileges;
	int rc = sec_caps_compile(proc->capabilities, &p->caps, &p->unknown_caps, err);

	if (rc == 0)
		rc = proc_rlimit_check(proc->rlimits, proc->n_rlimits, err);
	if (rc < 0)
		return rc;
	plan_rlimits(p);
	init_plan_add(p, INIT_PROCESS, OP_ENVIRONMENT);
	init_plan_add(p, INIT_PROCESS, OP_STDIO_OWNER);
	rc = init_plan_attrs(p, err);
	if (rc < 0)
		return rc;
	init_plan_add(p, INIT_PROCESS, OP_ENTER_CWD)->u.text = proc->cwd;
	if (proc->no_new_privileges)
		init_plan_add(p, INIT_PROCESS, OP_NO_NEW_PRIVS);
	if (early) { /* profiles written before close_range(2) don't know it */
		init_plan_add(p, INIT_PROCESS, OP_CLOSE_FDS);
		init_plan_add(p, INIT_PROCESS, OP_SECCOMP);
	}
	/* who lists no capabilities gets none: nobody leaves them out to have all of them */
	init_plan_add(p, INIT_PROCESS, OP_BOUNDING);
	init_plan_add(p, INIT_PROCESS, OP_USER);
	init_plan_add(p, INIT_PROCESS, OP_CAPS);
	init_plan_add(p, INIT_PROCESS, OP_CHDIR)->u.text = proc->cwd;
	if (p->spec->no_process && !p->params.exec) {
		init_plan_add(p, INIT_PROCESS, OP_CLOSE_FDS);
		init_plan_add(p, INIT_PROCESS, OP_READY);
		init_plan_add(p, INIT_PROCESS, OP_NO_PROCESS);
		return 0;
	}
	init_plan_add(p, INIT_PROCESS, OP_FIND)->u.text = proc->args[0];
	if (!early)
		init_plan_add(p, INIT_PROCESS, OP_CLOSE_FDS);
	if (!p->seal) {
		init_plan_add(p, INIT_PROCESS, OP_STAGE);
		return 0;
	}
	if (p->seccomp.listener && proc->no_new_privileges)
		init_plan_add(p, INIT_PROCESS, OP_SECCOMP);
	init_plan_add(p, INIT_PROCESS, OP_READY);
	if (!p->params.exec && c->hooks && c->hooks->n_start_container)
		init_plan_add(p, INIT_PROCESS, OP_START_HOOKS);
	if (p->seccomp.has && !p->seccomp.listener && proc->no_new_privileges)
		init_plan_add(p, INIT_PROCESS, OP_SECCOMP);
	init_plan_add(p, INIT_PROCESS, OP_EXEC);
	return 0;
}

static int check_hooks(const struct oci_hooks *h, struct bk_err **err)
{
	int rc;

	if (!h)
		return 0;
	rc = hooks_check("prestart", h->prestart, h->n_prestart, err);
	if (rc == 0)
		rc = hooks_check("createRuntime", h->create_runtime, h->n_create_runtime, err);
	if (rc == 0)
		rc = hooks_check("createContainer", h->create_container, h->n_create_container, err);
	if (rc == 0)
		rc = hooks_check("startContainer", h->start_container, h->n_start_container, err);
	if (rc == 0)
		rc = hooks_check("poststart", h->poststart, h->n_poststart, err);
	if (rc == 0)
		rc = hooks_check("poststop", h->poststop, h->n_poststop, err);
	return rc;
}

static int check_maps(const struct init_plan *p, struct bk_err **err)
{
	const struct oci_linux *l = p->spec->config->linux_;
	int rc;

	if (!p->new_user)
		return 0;
	rc = ns_maps_check(l->uid_mappings, l->n_uid_mappings, "linux.uidMappings", err);
	if (rc == 0)
		rc = ns_maps_check(l->gid_mappings, l->n_gid_mappings, "linux.gidMappings", err);
	if (rc == 0 && !ns_maps_has(l->uid_mappings, l->n_uid_mappings, p->user.uid))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"process.user.uid: %u is not mapped by linux.uidMappings", p->user.uid);
	if (rc == 0 && !ns_maps_has(l->gid_mappings, l->n_gid_mappings, p->user.gid))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"process.user.gid: %u is not mapped by linux.gidMappings", p->user.gid);
	if (rc == 0 && p->params.setgroups_denied && !p->keep_groups &&
	    p->user.n_additional_gids)
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"process.user.additionalGids: needs newgidmap or root: without, the kernel "
				"denies setgroups in the user namespace");
	return rc < 0 ? rc : init_plan_check_groups(p, err);
}

int init_plan_compile(const struct spec *spec, const struct init_params *params,
		      struct init_plan *ret, struct bk_err **err)
{
	struct init_plan p = { .arena = spec->arena, .spec = spec, .params = *params };
	int rc;

	if (spec->config->process->user)
		p.user = *spec->config->process->user;
	p.keep_groups = spec_annotation_on(spec->config, SPEC_KEEP_GROUPS);
	p.host_mounts = !spec_ns(spec->config, OCI_NS_MOUNT);
	plan_namespaces(&p);
	rc = check_maps(&p, err);
	if (rc == 0)
		rc = check_hooks(spec->config->hooks, err);
	if (rc == 0)
		rc = init_seccomp_compile(spec->config, &p.seccomp, err);
	if (spec->no_process) /* there is nothing to filter but our own waiting; exec compiles it again */
		p.seccomp = (struct init_seccomp){ 0 };
	if (rc == 0)
		rc = plan_runtime(&p, err);
	if (rc == 0)
		rc = plan_container(&p, err);
	if (rc == 0)
		rc = plan_beside(&p, err);
	if (rc == 0)
		rc = plan_face(&p, err);
	if (rc == 0)
		rc = init_plan_process(&p, err);
	if (rc < 0) {
		init_plan_done(&p);
		return rc;
	}
	*ret = p;
	return 0;
}

void init_plan_done(struct init_plan *p)
{
	bk_strv_free(p->unknown_caps);
	p->unknown_caps = NULL;
	cgroup_limits_done(&p->limits);
}
