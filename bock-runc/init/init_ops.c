/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "hooks/hooks.h"
#include "init/init_child.h"
#include "init/init_ops.h"
#include "init/init_stage.h"
#include "init/init_sync.h"
#include "mount/mount_root.h"
#include "ns/ns.h"
#include "ns/ns_maps.h"
#include "oci/oci_state.h"
#include "proc/proc_exec.h"
#include "proc/proc_fs.h"
#include "proc/proc_rlimit.h"
#include "proc/proc_user.h"
#include "sys/sys_words.h"
#include "tty/tty_console.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const struct oci_runtime_config *config(const struct init_child *c)
{
	return c->plan->spec->config;
}

/* --- entering the namespaces --- */

static int op_oom_score(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	char text[16];
	int rc;

	(void)op;
	snprintf(text, sizeof(text), "%d", config(c)->process->oom_score_adj);
	/* the host's procfs, before anything of the container is mounted */
	rc = bk_file_put(AT_FDCWD, "/proc/self/oom_score_adj", text, err);
	if (rc == -BK_ERR_PERMISSION)
		rc = bk_err_hint(err, rc, "lowering it needs CAP_SYS_RESOURCE");
	return rc < 0 ? bk_err_wrap(err, rc, "process.oomScoreAdj") : 0;
}

/* Maps beside the path of a user namespace promise that they are its own (engines write both). */
static int same_maps(const struct oci_linux *l, struct bk_err **err)
{
	int rc = ns_maps_same("uid_map", l->uid_mappings, l->n_uid_mappings, "linux.uidMappings", err);

	if (rc == 0)
		rc = ns_maps_same("gid_map", l->gid_mappings, l->n_gid_mappings, "linux.gidMappings",
				  err);
	return rc;
}

/* Without maps the user namespace is one that was joined by its path, and nobody said what is in it. */
static bool has_root(const struct oci_id_mapping *maps, size_t n)
{
	return n == 0 || ns_maps_has(maps, n, 0);
}

static int op_become_root(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct oci_linux *l = config(c)->linux_;
	int rc = 0;

	(void)op;
	if (c->plan->new_user)
		rc = init_child_wait(c, SYNC_MAPS, err);
	else if (!c->plan->params.exec && (l->n_uid_mappings || l->n_gid_mappings))
		rc = same_maps(l, err);
	if (rc < 0)
		return rc;
	/* whoever we were outside is nobody in here; files made from now on are to be root's */
	if (!c->setgroups_denied && !c->plan->keep_groups && setgroups(0, NULL) < 0) {
		if (errno != EPERM)
			return bk_err_set(err, BK_ERR_IO, errno, "drop groups");
		c->setgroups_denied = true; /* with every right in it: by whoever made it */
	}
	if (has_root(l->gid_mappings, l->n_gid_mappings) && setresgid(0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "become group 0 of the user namespace");
	if (has_root(l->uid_mappings, l->n_uid_mappings) && setresuid(0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "become user 0 of the user namespace");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) /* a change of user clears it */
		return bk_err_set(err, BK_ERR_IO, errno, "set the death signal");
	return 0;
}

static int op_join(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = ns_join(c->join_fds[op->u.ns.type], op->u.ns.type, op->u.ns.path, err);

	bk_close(&c->join_fds[op->u.ns.type]);
	return rc;
}

static void print_offset(struct bk_buf *b, const char *clock, const struct oci_time_offset *o)
{
	if (o)
		bk_buf_printf(b, "%s %lld %u\n", clock, (long long)o->secs, o->nanosecs);
}

/*
 * A new time namespace is for children; offsets can be written until the first process is in it. A
 * single-threaded process may then join its own (time_namespaces(7)), which spares a fork.
 */
static int op_time_ns(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct oci_time_offsets *o = config(c)->linux_->time_offsets;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(256);
	bk_autoclose int fd = -1;
	int rc;

	(void)op;
	if (unshare(CLONE_NEWTIME) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a time namespace");
	if (o) {
		print_offset(&b, "monotonic", o->monotonic);
		print_offset(&b, "boottime", o->boottime);
	}
	if (b.len) {
		rc = bk_file_put(AT_FDCWD, "/proc/self/timens_offsets", bk_buf_str(&b), err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "linux.timeOffsets");
	}
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the new time namespace");
	return 0;
}

static int op_cgroup_wait(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return init_child_wait(c, SYNC_CGROUP, err);
}

static int op_cgroup_ns(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	(void)op;
	if (unshare(CLONE_NEWCGROUP) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a cgroup namespace");
	return 0;
}

static int op_ipc_ns(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	(void)op;
	if (unshare(CLONE_NEWIPC) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make an ipc namespace");
	return 0;
}

static int op_session(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	/*
	 * The processes of a shared pid namespace must not trace us, nor look into /proc/PID/fd and
	 * /proc/PID/mem, once our rights are down to theirs; and should we crash, our memory, which has the
	 * environment of whoever called us, must not become a core in the container's root. execve ends it.
	 */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "hide from other processes");
	/*
	 * With a terminal, the session begins when that becomes the controlling one (op_console), and
	 * with a fork to come after it.
	 */
	if (!config(c)->process->terminal && !c->plan->stage_forks && setsid() < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a session");
	if (c->new_keyring) {
		bk_autofree char *name = bk_asprintf("_ses.%s", c->plan->params.id);

		/* kernels and sandboxes without keyrings have none that could leak */
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0 && errno != ENOSYS &&
		    errno != EPERM && errno != EDQUOT)
			return bk_err_set(err, BK_ERR_IO, errno, "join a new session keyring");
	}
	return 0;
}

static int op_loopback(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	(void)op;
	return ns_loopback_up(err);
}

/* --- the root file system --- */

static int op_isolate(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return mount_root_isolate(op->u.propagation, c->plan->spec->rootfs, err);
}

static int op_root_bind(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return mount_root_bind(op->u.text, &c->root, err);
}

static int op_private_proc(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return proc_fs_open(&c->proc_fd, err);
}

static int op_dev_nodes(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return dev_nodes_make(op->u.nodes.v, op->u.nodes.n, op->u.nodes.bind, &c->root, err);
}

static int op_dev_links(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return dev_nodes_links(&c->root, err);
}

static int send_master(struct init_child *c, int master, unsigned int index, struct bk_err **err)
{
	char name[32];

	if (c->console_sock < 0)
		return init_sync_send(c->sync, SYNC_CONSOLE, 0, master, err);
	snprintf(name, sizeof(name), "/dev/pts/%u", index);
	return tty_console_send(c->console_sock, master, name, err);
}

static int op_console(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct oci_box *size = config(c)->process->console_size;
	bk_autoclose int pts = -1;
	bk_autoclose int dev = -1;
	bk_autoclose int master = -1;
	bk_autoclose int slave = -1;
	unsigned int index;
	int rc;

	(void)op;
	rc = bk_root_openat(&c->root, "/dev/pts", O_RDONLY | O_DIRECTORY, 0, &pts, err);
	if (rc == 0 && !c->plan->params.exec)
		rc = bk_root_openat(&c->root, "/dev", O_RDONLY | O_DIRECTORY, 0, &dev, err);
	if (rc == 0)
		rc = tty_console_open(pts, &master, &slave, &index, err);
	if (rc == 0 && size)
		rc = tty_console_size(slave, size->height, size->width, err);
	if (rc == 0 && dev >= 0) /* the console is the first process's terminal */
		rc = tty_console_bind(dev, slave, err);
	if (rc == 0)
		rc = send_master(c, master, index, err);
	if (rc == 0)
		rc = tty_console_stdio(&slave, !c->plan->stage_forks, err);
	return rc < 0 ? bk_err_wrap(err, rc, "process.terminal") : 0;
}

static int op_wait_hooks(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = init_sync_send(c->sync, SYNC_HOOKS, 0, -1, err);

	(void)op;
	return rc < 0 ? rc : init_child_wait(c, SYNC_HOOKS_DONE, err);
}

static int run_hooks(struct init_child *c, const char *kind, const struct oci_hook *hooks, size_t n,
		     int status, struct bk_err **err)
{
	bk_autobuf struct bk_buf json = BK_BUF_INIT(BK_BUF_DOC);
	int timeout = c->plan->params.hook_timeout_ms;
	struct hooks_how how = { .timeout_ms = timeout ? timeout : INIT_HOOK_TIMEOUT_MS,
				 .out = c->hooks_output.out,
				 .errout = c->hooks_output.errout };
	int rc = init_state_json(c->plan, status, getpid(), &json, err);

	if (rc < 0)
		return rc;
	how.state = bk_buf_str(&json);
	how.len = json.len;
	return hooks_run(kind, hooks, n, &how, err);
}

static int op_create_hooks(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct oci_hooks *h = config(c)->hooks;

	(void)op;
	/* wherever the last mount has left us */
	if (fchdir(c->root.fd) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "enter the root file system");
	return run_hooks(c, "createContainer", h->create_container, h->n_create_container,
			 OCI_CREATING, err);
}

/* --- inside the root --- */

static int op_propagation(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	return mount_root_propagate(op->u.propagation, err);
}

static int op_hostname(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	if (sethostname(op->u.text, strlen(op->u.text)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "hostname: set '%s'", op->u.text);
	return 0;
}

static int op_domainname(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	if (setdomainname(op->u.text, strlen(op->u.text)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "domainname: set '%s'", op->u.text);
	return 0;
}

static int op_sysctl(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = proc_fs_write(c->proc_fd, op->u.pair.path, op->u.pair.value, err);

	return rc < 0 ? bk_err_wrap(err, rc, "linux.sysctl") : 0;
}

static int op_make_cwd(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return proc_exec_make_cwd(op->u.text, &c->root, err);
}

static int op_root_readonly(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return mount_root_readonly(&c->root, err);
}

static int op_readonly_paths(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return mount_root_ro_paths(config(c)->linux_->readonly_paths, &c->root, err);
}

static int op_masked_paths(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	bk_autoclose int null_fd = -1;
	int rc = mount_root_open_null(&null_fd, err);

	(void)op;
	if (rc < 0)
		return rc;
	return mount_root_mask(config(c)->linux_->masked_paths, &c->root, null_fd,
			       config(c)->linux_->mount_label, err);
}

static int op_rlimit(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = proc_rlimit_set(op->u.rlimit, err);

	(void)c;
	return rc < 0 ? bk_err_wrap(err, rc, "process.rlimits") : 0;
}

static int op_nproc_room(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc = proc_rlimit_make_room(op->u.rlimit, err);

	(void)c;
	return rc < 0 ? bk_err_wrap(err, rc, "process.rlimits") : 0;
}

/* --- the last steps --- */

static int op_stdio_owner(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	if (c->plan->user.uid == 0 && !c->plan->new_user)
		return 0;
	return tty_stdio_owner(c->plan->user.uid, err);
}

/* An image may have a user who can't enter its working directory: the runtime can, and it stays. */
static int op_enter_cwd(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	c->in_cwd = chdir(op->u.text) == 0;
	return c->in_cwd ? proc_exec_inside(err) : 0;
}

static int op_no_new_privs(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	(void)op;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "process.noNewPrivileges");
	return 0;
}

static int op_bounding(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return sec_caps_drop_bounding(&c->plan->caps, err);
}

static int op_user(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	(void)umask(c->plan->user.has_umask ? (mode_t)c->plan->user.umask : c->umask);
	return proc_user_become(&c->plan->user, c->plan->keep_groups, c->setgroups_denied, err);
}

static int op_caps(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	bool less = false;
	int rc = sec_caps_set_granted(&c->plan->caps, &less, err);

	(void)op;
	return rc == 0 && less ? init_sync_send(c->sync, SYNC_CAPS, 0, -1, err) : rc;
}

static int op_chdir(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return c->in_cwd ? 0 : proc_exec_chdir(op->u.text, err);
}

static int op_find(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return proc_exec_find(op->u.text, c->env, &c->program, err);
}

static int wait_for_start(struct init_child *c, struct bk_err **err)
{
	do {
		c->conn = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	} while (c->conn < 0 && errno == EINTR);
	if (c->conn < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "wait for start");
	return 0;
}

/* Every descriptor but stdio and those to be passed on is close-on-exec from here (CVE-2024-21626). */
static int close_others(const struct init_child *c, struct bk_err **err)
{
	int rc = bk_fd_cloexec_from(3 + c->plan->params.preserve_fds);

	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "close_range") : 0;
}

/*
 * What waits here for start may be in the pid namespace of another container: through /proc/PID/fd that
 * would find the private procfs, and with it the host's sysctls. Only the two sockets stay open, and what
 * startContainer hooks write to.
 */
static int close_unneeded(const struct init_child *c, struct bk_err **err)
{
	const int keep[] = { c->sync, c->listen_fd, c->hooks_output.out, c->hooks_output.errout };
	unsigned int first = 3 + c->plan->params.preserve_fds;

	for (;;) {
		unsigned int next = ~0U;

		for (size_t i = 0; i < BK_ARRAY_SIZE(keep); i++) {
			if (keep[i] >= 0 && (unsigned int)keep[i] >= first &&
			    (unsigned int)keep[i] < next)
				next = (unsigned int)keep[i];
		}
		if (next > first && close_range(first, next == ~0U ? next : next - 1, 0) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "close_range");
		if (next == ~0U)
			return 0;
		first = next + 1;
	}
}

static int op_close_fds(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return c->plan->seal ? close_unneeded(c, err) : close_others(c, err);
}

/* The container is created. The other side of our socket reads its closing as a successful execve. */
static int op_ready(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	int rc;

	(void)op;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set the death signal");
	rc = init_sync_send(c->sync, SYNC_READY, 0, -1, err);
	if (rc == 0)
		rc = init_child_wait(c, SYNC_GO, err);
	if (rc < 0)
		return rc;
	if (!c->die_with_parent && prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "clear the death signal");
	if (c->listen_fd < 0)
		return 0;
	bk_close(&c->sync); /* lets the runtime go: its end can't kill us any more */
	return wait_for_start(c, err);
}

static int op_start_hooks(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct oci_hooks *h = config(c)->hooks;

	(void)op;
	return run_hooks(c, "startContainer", h->start_container, h->n_start_container, OCI_CREATED,
			 err);
}

int init_exec_error(const char *program, int errnum, struct bk_err **err)
{
	switch (errnum) {
	case ENOENT:
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0,
				  "exec %s: " SYS_WORD_NO_FILE " (its interpreter is missing)",
				  program);
	case EACCES:
		return bk_err_set(err, BK_ERR_PERMISSION, 0, "exec %s: " SYS_WORD_NO_PERMISSION, program);
	case ENOEXEC:
		return bk_err_set(err, BK_ERR_CONFIG, 0, "exec %s: exec format error", program);
	default:
		return bk_err_set(err, BK_ERR_IO, errnum, "exec %s", program);
	}
}

static int op_exec(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	if (c->restore_mask)
		(void)sigprocmask(SIG_SETMASK, &c->signal_mask, NULL);
	(void)execve(c->program, config(c)->process->args, c->env);
	return init_exec_error(c->program, errno, err);
}

static int op_no_process(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)c;
	(void)op;
	return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_NO_PROCESS);
}

static int op_stage(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	(void)op;
	return init_stage_exec(c, err);
}

static const init_op_fn op_table[OP_KIND_MAX_] = {
	[OP_OOM_SCORE] = op_oom_score,
	[OP_AFFINITY] = init_op_affinity,
	[OP_HOST_PROC] = init_op_host_proc,
	[OP_KEY_LABEL] = init_op_label,
	[OP_NOTIFY_OPEN] = init_op_notify_open,
	[OP_NOTIFY_MOUNT] = init_op_notify_mount,
	[OP_BECOME_ROOT] = op_become_root,
	[OP_ENTER] = init_op_enter,
	[OP_FORK] = init_op_fork,
	[OP_JOIN] = op_join,
	[OP_TIME_NS] = op_time_ns,
	[OP_CGROUP_NS] = op_cgroup_ns,
	[OP_CGROUP_WAIT] = op_cgroup_wait,
	[OP_IPC_NS] = op_ipc_ns,
	[OP_SESSION] = op_session,
	[OP_LOOPBACK] = op_loopback,
	[OP_ISOLATE] = op_isolate,
	[OP_ROOT_BIND] = op_root_bind,
	[OP_PRIVATE_PROC] = op_private_proc,
	[OP_MOUNT] = init_op_mount,
	[OP_DEV_NODES] = op_dev_nodes,
	[OP_DEV_LINKS] = op_dev_links,
	[OP_CONSOLE] = op_console,
	[OP_WAIT_HOOKS] = op_wait_hooks,
	[OP_CREATE_HOOKS] = op_create_hooks,
	[OP_PIVOT] = init_op_pivot,
	[OP_MOVE_ROOT] = init_op_move_root,
	[OP_ROOT_OPEN] = init_op_root_open,
	[OP_CHROOT] = init_op_chroot,
	[OP_PROPAGATION] = op_propagation,
	[OP_HOSTNAME] = op_hostname,
	[OP_DOMAINNAME] = op_domainname,
	[OP_SYSCTL] = op_sysctl,
	[OP_MAKE_CWD] = op_make_cwd,
	[OP_ROOT_READONLY] = op_root_readonly,
	[OP_READONLY_PATHS] = op_readonly_paths,
	[OP_MASKED_PATHS] = op_masked_paths,
	[OP_RLIMIT] = op_rlimit,
	[OP_NPROC_ROOM] = op_nproc_room,
	[OP_ENVIRONMENT] = init_op_environment,
	[OP_STDIO_OWNER] = op_stdio_owner,
	[OP_SCHEDULER] = init_op_scheduler,
	[OP_IO_PRIORITY] = init_op_io_priority,
	[OP_PERSONALITY] = init_op_personality,
	[OP_MEMORY_POLICY] = init_op_memory_policy,
	[OP_APPARMOR] = init_op_label,
	[OP_SELINUX] = init_op_label,
	[OP_NO_NEW_PRIVS] = op_no_new_privs,
	[OP_SECCOMP] = init_op_seccomp,
	[OP_BOUNDING] = op_bounding,
	[OP_USER] = op_user,
	[OP_CAPS] = op_caps,
	[OP_ENTER_CWD] = op_enter_cwd,
	[OP_CHDIR] = op_chdir,
	[OP_FIND] = op_find,
	[OP_CLOSE_FDS] = op_close_fds,
	[OP_READY] = op_ready,
	[OP_START_HOOKS] = op_start_hooks,
	[OP_EXEC] = op_exec,
	[OP_NO_PROCESS] = op_no_process,
	[OP_STAGE] = op_stage,
};

int init_op_run(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	return op_table[op->kind](c, op, err);
}
