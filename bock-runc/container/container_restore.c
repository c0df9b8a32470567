/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "container/container_begin.h"
#include "container/container_birth.h"
#include "container/container_net.h"
#include "container/container_probe.h"
#include "container/container_rdt.h"
#include "container/container_view.h"
#include "init/init_trace.h"
#include "ns/ns.h"
#include "tty/tty_console.h"
#include "tty/tty_proxy.h"

#define ROOT_DIR "criu-root"	/* in the container's folder: where criu finds the root file system */
#define OWN_NET	 "/proc/self/ns/net"

struct restore {
	const struct container_create *p;
	struct container_created *r;
	struct container_criu_dirs dirs;
	struct container_view view;
	struct criu criu;
	struct criu_opts opts;
	struct init_hooks_output hooks;
	struct container_criu_stream stdio[CONTAINER_CRIU_STDIO];
	int fds[3];		/* for criu: two namespaces, the null device */
	size_t n_fds;
	int null;		/* one of them */
	int cgroup_fd, console_sock;
};

/* --- before anything is made --- */

/* criu takes the network and pid namespace as descriptors, the others by path. */
static int join_ns(struct restore *s, const struct oci_namespace *ns, struct bk_err **err)
{
	struct bk_arena *arena = s->r->spec.arena;
	struct criu_opts *o = &s->opts;
	int fd, rc;

	if (ns->type == OCI_NS_CGROUP)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "criu can't restore into the %s namespace '%s'",
				  ns_info_of(ns->type)->name, ns->path);
	rc = ns_open(ns->path, ns->type, &fd, err);
	if (rc < 0)
		return rc;
	if (ns->type == OCI_NS_NETWORK || ns->type == OCI_NS_PID) {
		s->fds[s->n_fds++] = fd;
		o->inherit_fd = bk_arena_grow(arena, o->inherit_fd, o->n_inherit_fd, sizeof(*o->inherit_fd));
		o->inherit_fd[o->n_inherit_fd++] = (struct criu_inherit_fd){
			.key = container_criu_ns_key(ns->type), .fd = CRIU_NUM(fd),
		};
		return 0;
	}
	(void)close(fd);
	o->join_ns = bk_arena_grow(arena, o->join_ns, o->n_join_ns, sizeof(*o->join_ns));
	o->join_ns[o->n_join_ns++] = (struct criu_join_ns){ .ns = ns_info_of(ns->type)->proc_name,
							    .ns_file = ns->path };
	return 0;
}

static int join_all(struct restore *s, struct bk_err **err)
{
	int rc = 0;

	for (int t = 0; rc == 0 && t < OCI_NS_MAX_; t++) {
		const struct oci_namespace *ns = spec_ns(s->r->spec.config, t);

		if (ns && ns->path && *ns->path)
			rc = join_ns(s, ns, err);
	}
	return rc < 0 ? bk_err_wrap(err, rc, "linux.namespaces") : 0;
}

static bool has_key(const struct criu_opts *o, const char *key)
{
	for (size_t i = 0; i < o->n_inherit_fd; i++) {
		if (bk_streq(o->inherit_fd[i].key, key))
			return true;
	}
	return false;
}

/*
 * What came from outside of the container comes from our caller now: criu has our 0, 1 and 2. Not the null device: criu
 * sets the position of what was a file or a device, and a caller's pipe has none.
 */
static void inherit_stream(struct restore *s, int i)
{
	struct criu_opts *o = &s->opts;
	int fd = s->stdio[i].null ? s->null : i;

	o->inherit_fd = bk_arena_grow(s->r->spec.arena, o->inherit_fd, o->n_inherit_fd, sizeof(*o->inherit_fd));
	o->inherit_fd[o->n_inherit_fd++] = (struct criu_inherit_fd){ .key = s->stdio[i].name, .fd = CRIU_NUM(fd) };
}

/* A key is a file: of streams that are the same one, the first counts. */
static void inherit_stdio(struct restore *s)
{
	for (int i = 0; i < CONTAINER_CRIU_STDIO; i++) {
		if (container_criu_is_outside(s->stdio[i].name) && !has_key(&s->opts, s->stdio[i].name))
			inherit_stream(s, i);
	}
}

/* Not in the view, which ends before the container, and with it the device's path. */
static int open_null(struct restore *s, struct bk_err **err)
{
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (s->null < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '/dev/null'");
	s->fds[s->n_fds++] = s->null;
	return 0;
}

static int check_stdio(const struct restore *s, struct bk_err **err)
{
	static const char *const what[CONTAINER_CRIU_STDIO] = { "input", "output", "error" };
	const struct criu_opts *o = &s->opts;

	for (size_t i = 0; i < o->n_inherit_fd; i++) {
		uint32_t fd = (uint32_t)o->inherit_fd[i].fd.v;

		if (fd < CONTAINER_CRIU_STDIO && bk_skip_prefix(o->inherit_fd[i].key, "file[") &&
		    lseek((int)fd, 0, SEEK_CUR) < 0 && errno == ESPIPE)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "standard %s was a file of the host when the container was "
					  "checkpointed, and is a pipe, socket or terminal now, where criu can't "
					  "set the position: give a file", what[fd]);
	}
	return 0;
}

static int check_version(const struct restore *s, struct bk_err **err)
{
	const struct container_criu_opts *o = s->p->restore;

	if (!o->lsm_profile && !o->lsm_mount_context)
		return 0;
	if (s->criu.version >= CRIU_VERSION_LSM)
		return 0;
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "%s needs criu %d.%d or later",
			  o->lsm_profile ? "--lsm-profile" : "--lsm-mount-context", CRIU_VERSION_LSM / 10000,
			  CRIU_VERSION_LSM / 100 % 100);
}

/* In the view: criu makes its working directory of what it is given, and mounts there. */
static int in_view(struct restore *s, struct bk_err **err)
{
	const struct container_criu_opts *o = s->p->restore;
	const struct criu_how how = { .program = o->program, .fds = s->fds, .n_fds = s->n_fds,
				      .silence_ms = o->silence_ms };
	int rc = container_criu_open(o, false, &s->dirs, err);

	if (rc == 0)
		rc = container_criu_stdio_read(s->dirs.images, s->r->spec.arena, s->stdio, err);
	if (rc == 0) {
		inherit_stdio(s);
		rc = criu_start(&how, &s->criu, err);
	}
	return rc;
}

/* The view is not the hooks' place. */
static int start_criu(struct restore *s, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = container_view_make(&s->view, err), back;

	if (rc < 0)
		return rc;
	rc = in_view(s, err);
	back = container_view_leave(&s->view, &e);
	if (back < 0 && rc == 0) {
		bk_err_move(err, e);
		return back;
	}
	bk_err_clear(&e);
	return rc == 0 ? check_version(s, err) : rc;
}

static int ready(struct restore *s, struct bk_err **err)
{
	int rc = container_criu_check(err);

	if (rc == 0)
		rc = container_criu_check_spec(&s->r->spec, err);
	/* its descriptors go to criu */
	if (rc == 0)
		rc = join_all(s, err);
	if (rc == 0)
		rc = open_null(s, err);
	return rc == 0 ? start_criu(s, err) : rc;
}

/* --- what is made for it --- */

static int fill(struct restore *s, const char *root, struct bk_err **err)
{
	const struct container_criu_opts *o = s->p->restore;
	struct container_created *r = s->r;
	struct bk_arena *arena = r->spec.arena;
	struct criu_opts *c = &s->opts;
	const char *cgroup = NULL;
	int rc;

	container_criu_fill(o, &s->dirs, r->spec.config, CONTAINER_CRIU_RESTORE_LOG, c);
	c->root = bk_arena_strdup(arena, root);
	c->evasive_devices = CRIU_NUM(1);
	c->rst_sibling = CRIU_NUM(1);
	c->tcp_close = CRIU_NUM(o->tcp_close);
	c->lsm_profile = o->lsm_profile;
	c->lsm_mount_context = o->lsm_mount_context;
	if (r->c.state.cgroup) {
		cgroup = bk_arena_printf(arena, "%s%s", r->host.mount, r->c.state.cgroup);
		c->cg_root = bk_arena_alloc(arena, sizeof(*c->cg_root));
		c->cg_root[c->n_cg_root++] = (struct criu_cgroup_root){ .ctrl = "", .path = r->c.state.cgroup };
	} else {
		c->manage_cgroups = CRIU_NUM(0);
		c->manage_cgroups_mode = CRIU_NUM(CRIU_CG_IGNORE);
	}
	rc = container_criu_mounts(&r->spec, cgroup, true, arena, c, err);
	if (rc == 0 && r->spec.config->linux_->masked_paths)
		container_criu_add_mount(c, arena, "/dev/null", "/dev/null");
	return rc;
}

static int make_root(struct restore *s, struct bk_err **err)
{
	bk_autofree char *dir = bk_asprintf("%s/%s/" ROOT_DIR, s->r->c.root->path, s->r->c.id);
	bk_autofree char *path = NULL;
	struct bk_err *e = NULL;
	int rc, back;

	if (mkdirat(s->r->c.dirfd, ROOT_DIR, 0700) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make '%s'", dir);
	/* criu looks for it among the mounts */
	path = realpath(dir, NULL);
	if (!path)
		return bk_err_set(err, BK_ERR_IO, errno, "resolve '%s'", dir);
	rc = container_view_enter(&s->view, err);
	if (rc < 0)
		return rc;
	rc = container_view_root(s->r, path, err);
	back = container_view_leave(&s->view, &e);
	if (back < 0 && rc == 0) {
		bk_err_move(err, e);
		return back;
	}
	bk_err_clear(&e);
	return rc == 0 ? fill(s, path, err) : rc;
}

/* The first process, for now: who deletes the container ends it, too. */
static int save_process(struct container_created *r, pid_t pid, int pidfd, struct bk_err **err)
{
	r->c.state.pid = pid;
	r->c.state.pid_inode = container_probe_inode(pidfd);
	r->c.state.pid_start = r->c.state.pid_inode ? 0 : container_probe_start(pid);
	return container_save(&r->c, err);
}

static bool has_op(const struct container_created *r, enum init_op_kind kind)
{
	for (size_t i = 0; i < r->plan.n[INIT_RUNTIME]; i++) {
		if (r->plan.ops[INIT_RUNTIME][i].kind == kind)
			return true;
	}
	return false;
}

/* criu, and by that what it makes, is in the cgroup and the groups of resctrl. */
static int make_groups(struct restore *s, struct bk_err **err)
{
	struct container_created *r = s->r;
	int rc = 0;

	if (has_op(r, OP_CGROUP)) {
		/* a scope is made around it, and bears its number */
		r->pid = s->criu.proc.pid;
		r->c.state.unit_pid = r->place.manager->late ? r->pid : 0;
		rc = container_save(&r->c, err);
		if (rc == 0)
			rc = container_birth_cgroup(r, &s->cgroup_fd, err);
		r->pid = -1;
	}
	if (rc == 0 && s->cgroup_fd >= 0 && !r->place.manager->late)
		rc = cgroup_join(s->cgroup_fd, s->criu.proc.pid, err);
	if (rc == 0 && has_op(r, OP_RDT))
		rc = container_rdt_make(r, err);
	if (rc == 0 && has_op(r, OP_RDT_JOIN))
		rc = container_rdt_join(&r->c, s->criu.proc.pid, err);
	return rc;
}

static int make(struct restore *s, int *config, struct bk_err **err)
{
	struct container_created *r = s->r;
	int rc = container_begin(r, s->p->id, s->p->no_new_keyring, config, err);

	if (rc == 0) {
		r->c.state.restoring = true;
		rc = save_process(r, s->criu.proc.pid, s->criu.proc.pidfd, err);
	}
	if (rc == 0 && s->p->console_socket) {
		rc = bk_fd_unix_connect(s->p->console_socket, &s->console_sock, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "console socket");
	}
	if (rc == 0 && r->spec.config->hooks)
		rc = init_hooks_open(r->spec.config, r->spec.bundle, &s->hooks, err);
	if (rc == 0)
		rc = make_groups(s, err);
	return rc == 0 ? make_root(s, err) : rc;
}

/* --- while criu works --- */

static int loopback(const struct container_created *r, struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("/proc/%d/ns/net", (int)r->pid);
	bk_autoclose int own = -1;
	bk_autoclose int net = -1;
	int rc, back;

	if (!spec_ns_is_new(r->spec.config, OCI_NS_NETWORK))
		return 0;
	rc = ns_open(OWN_NET, OCI_NS_NETWORK, &own, err);
	if (rc == 0)
		rc = ns_open(path, OCI_NS_NETWORK, &net, err);
	if (rc == 0)
		rc = ns_join(net, OCI_NS_NETWORK, path, err);
	if (rc < 0)
		return rc;
	rc = ns_loopback_up(err);
	back = ns_join(own, OCI_NS_NETWORK, OWN_NET, rc < 0 ? NULL : err);
	return rc < 0 ? rc : back;
}

/* The namespaces are there, and nothing but their first process is in them. */
static int setup_namespaces(struct restore *s, pid_t pid, struct bk_err **err)
{
	struct container_created *r = s->r;
	int rc;

	r->pid = pid;
	rc = loopback(r, err);
	if (rc == 0 && r->spec.config->linux_->n_net_devices)
		rc = container_net_move(r, err);
	if (rc == 0 && r->spec.config->hooks)
		rc = container_birth_hooks(r, &s->hooks, err);
	return rc;
}

/*
 * The processes are there and have not yet gone on. Limits come now, because criu's own processes and memory are in
 * the cgroup, too, and have no room in a small one.
 */
static int post_restore(struct restore *s, pid_t pid, struct bk_err **err)
{
	struct container_created *r = s->r;
	int rc = 0;

	bk_close(&r->pidfd);
	r->pid = pid;
	r->pidfd = pidfd_open(pid, 0);
	if (r->pidfd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open a pidfd of process %d", (int)pid);
	if (has_op(r, OP_LIMITS))
		rc = container_birth_limits(r, s->cgroup_fd, err);
	if (rc == 0 && has_op(r, OP_DEVICES))
		rc = container_birth_devices(r, s->cgroup_fd, err);
	for (size_t i = 0; rc == 0 && i < r->plan.n[INIT_RUNTIME]; i++) {
		const struct init_op *op = &r->plan.ops[INIT_RUNTIME][i];

		if (op->kind == OP_CGROUP_OWNER && s->cgroup_fd >= 0)
			rc = cgroup_delegate(s->cgroup_fd, op->u.owner, (gid_t)-1, err);
	}
	return rc == 0 ? save_process(r, pid, r->pidfd, err) : rc;
}

static int take_terminal(struct restore *s, int *fd, struct bk_err **err)
{
	struct container_created *r = s->r;
	unsigned int index = 0;
	char name[32];

	if (*fd < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "criu has sent no terminal");
	(void)ioctl(*fd, TIOCGPTN, &index);
	snprintf(name, sizeof(name), "/dev/pts/%u", index);
	if (s->console_sock >= 0)
		return tty_console_send(s->console_sock, *fd, name, err);
	if (!s->p->own_terminal || r->master >= 0)
		return 0;
	r->master = bk_steal_fd(fd);
	return r->proxy ? tty_proxy_attach(r->proxy, r->master, err) : 0;
}

static int notify(void *arg, const struct criu_event *e, struct bk_err **err)
{
	struct restore *s = arg;
	int rc = 0;

	if (bk_streq(e->script, "setup-namespaces") && e->pid > 0)
		rc = setup_namespaces(s, e->pid, err);
	else if (bk_streq(e->script, "post-restore") && e->pid > 0)
		rc = post_restore(s, e->pid, err);
	else if (bk_streq(e->script, "orphan-pts-master"))
		rc = take_terminal(s, e->fd, err);
	return rc;
}

static int run(struct restore *s, struct bk_err **err)
{
	struct criu_req req = { .type = CRIU_NUM(CRIU_RESTORE), .opts = &s->opts };
	struct container_created *r = s->r;
	int rc;

	/* an older one would be read as that of this failure */
	(void)unlinkat(s->dirs.work, CONTAINER_CRIU_RESTORE_LOG, 0);
	rc = criu_call(&s->criu, &req, notify, s, NULL, err);
	if (rc < 0)
		return container_criu_failed(&s->dirs, CONTAINER_CRIU_RESTORE_LOG, rc, err);
	if (r->pidfd < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "criu has not said which process it restored");
	(void)unlinkat(r->c.dirfd, ROOT_DIR, AT_REMOVEDIR);
	r->c.state.restoring = false;
	rc = container_save(&r->c, err);
	return rc == 0 ? container_created_pid_file(r, s->p->pid_file, err) : rc;
}

static void done(struct restore *s)
{
	criu_end(&s->criu);
	container_view_done(&s->view);
	container_criu_dirs_done(&s->dirs);
	init_hooks_done(&s->hooks);
	bk_close(&s->cgroup_fd);
	bk_close(&s->console_sock);
	for (size_t i = 0; i < s->n_fds; i++)
		bk_close(&s->fds[i]);
}

int container_restore(const struct container_create *p, struct container_created *r, struct bk_err **err)
{
	struct restore s = { .p = p, .r = r, .dirs = CONTAINER_CRIU_DIRS_INIT, .view = CONTAINER_VIEW_INIT,
			     .criu = CRIU_INIT, .hooks = INIT_HOOKS_OUTPUT_INIT, .cgroup_fd = -1,
			     .console_sock = -1 };
	bk_autoclose int config = -1;
	int rc = container_check_id(p->id, err);

	if (rc == 0)
		rc = ready(&s, err);
	if (rc == 0)
		rc = container_reserve(p->root, p->id, &r->c, &config, err);
	r->c.trace = p->trace;
	if (rc == 0) {
		rc = check_stdio(&s, err);
		if (rc == 0)
			rc = make(&s, &config, err);
		if (rc == 0)
			rc = run(&s, err);
		criu_end(&s.criu);
		if (rc < 0)
			container_created_undo(r);
	}
	done(&s);
	if (rc < 0)
		container_created_done(r);
	return rc;
}
