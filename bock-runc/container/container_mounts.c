/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_mounts.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"
#include "codec/bk_json.h"
#include "container/container_below.h"
#include "container/container_idmap.h"
#include "init/init_plan.h"
#include "init/init_stage.h"
#include "mount/mount_below.h"
#include "mount/mount_live.h"
#include "ns/ns.h"
#include "proc/proc_fs.h"
#include "sys/sys_words.h"

struct list {
	struct oci_mount *mounts;
	size_t n_mounts;
};

static const struct bk_doc_field list_fields[] = {
	BK_DOC_OBJV_F(struct list, mounts, n_mounts, "mounts", BK_DOC_REQUIRED, oci_mount_type),
	BK_DOC_END,
};
static const struct bk_doc_type list_type = BK_DOC_TYPE(struct list, list_fields);

/* What the process in the container's namespaces is to do. */
struct job {
	const struct spec *spec;
	struct bk_arena *arena;
	struct list list;
	struct mount_op *ops;		/* add */
	const char **dests;		/* remove */
	int *fds;			/* add: the mounts; remove: copies of them */
	int pidfd, proc_fd;
	bool userns;			/* the container has one that is not ours */
	bool own_mounts;		/* its mount namespace is ours */
	const struct container_state *state;
	int (*run)(struct job *j, const struct bk_root *root, struct bk_err **err);
};

static int decode(struct job *j, const char *what, const char *text, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(CONTAINER_MOUNTS_TEXT_MAX + 64);
	int rc;

	/* so that paths in messages begin as those of config.json do */
	bk_buf_printf(&b, "{\"mounts\":%s}", text);
	rc = bk_buf_check(&b, what, err);
	if (rc == 0)
		rc = bk_json_decode(&list_type, what, bk_buf_str(&b), b.len, &bk_doc_limits_strict,
				    j->arena, &j->list, err);
	if (rc < 0)
		return rc;
	j->fds = bk_arena_alloc(j->arena, (j->list.n_mounts + 1) * sizeof(*j->fds));
	for (size_t i = 0; i < j->list.n_mounts; i++)
		j->fds[i] = -1;
	return 0;
}

static int check_running(const struct container *c, int *ret_pidfd, struct bk_err **err)
{
	enum oci_status status;
	int rc = container_status(c, &status, NULL, err);

	if (rc < 0)
		return rc;
	if (status != OCI_RUNNING && status != OCI_CREATED && status != OCI_PAUSED)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
	return container_pidfd(c, ret_pidfd, err);
}

static int prepare(struct job *j, const struct container *c, struct spec *spec, struct bk_err **err)
{
	char path[40];
	int rc = check_running(c, &j->pidfd, err);

	if (rc == 0)
		rc = spec_load_kept(c->dirfd, CONTAINER_CONFIG_FILE, c->state.bundle, spec, err);
	if (rc == 0 && c->state.shared_pid_ns)
		rc = init_stage_seal_self(err);
	if (rc < 0)
		return rc;
	/* an ordinary user has none, and takes mounts from directories only */
	if (geteuid() == 0)
		(void)proc_fs_open(&j->proc_fd, NULL);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)c->state.pid);
	j->userns = spec_ns(spec->config, OCI_NS_USER) && !ns_is_own(path, OCI_NS_USER);
	j->own_mounts = c->state.mount_ns && container_below_is_ours(c);
	j->state = &c->state;
	j->spec = spec;
	return 0;
}

static void done(struct job *j)
{
	for (size_t i = 0; j->fds && i < j->list.n_mounts; i++)
		bk_close(&j->fds[i]);
	bk_close(&j->pidfd);
	bk_close(&j->proc_fd);
	bk_arena_free(j->arena);
}

/* --- in the container's namespaces --- */

static int enter(const struct job *j, struct bk_err **err)
{
	/* the container's root must not trace what still has the host's memory and descriptors */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "hide from other processes");
	if (j->own_mounts) /* and so is its user namespace: spec_check */
		return 0;
	if (setns(j->pidfd, CLONE_NEWNS | (j->userns ? CLONE_NEWUSER : 0)) < 0) {
		if (errno == ESRCH)
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
		return bk_err_set(err, BK_ERR_IO, errno, "join the container's namespaces");
	}
	if (!j->userns)
		return 0;
	/* as far as there is a root in it: what is made to mount on is to be root's */
	(void)!setgroups(0, NULL);
	(void)!setresgid(0, 0, 0);
	(void)!setresuid(0, 0, 0);
	return 0;
}

static int run_add(struct job *j, const struct bk_root *root, struct bk_err **err)
{
	for (size_t i = 0; i < j->list.n_mounts; i++) {
		int rc = mount_live_attach(&j->ops[i], &j->fds[i], root, err);

		if (rc == 0)
			continue;
		while (i-- > 0)
			(void)mount_live_detach(j->fds[i], j->proc_fd, NULL);
		return rc;
	}
	return 0;
}

static int run_remove(struct job *j, const struct bk_root *root, struct bk_err **err)
{
	for (size_t i = j->list.n_mounts; i-- > 0;) {
		int rc = mount_live_remove(j->dests[i], root, j->proc_fd, &j->fds[i], err);

		if (rc == 0)
			continue;
		while (++i < j->list.n_mounts) {
			if (j->fds[i] >= 0)
				(void)mount_live_restore(j->dests[i], j->fds[i], root, NULL);
		}
		return rc;
	}
	return 0;
}

static _Noreturn void inside(struct job *j, int sock)
{
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct bk_err *err = NULL;
	sigset_t all;
	int rc;

	/* all or nothing, even if we are told to stop, or the runtime is killed */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)umask(022);
	rc = enter(j, &err);
	if (rc == 0)
		rc = j->state->mount_ns ? mount_below_open(j->state->rootfs, j->state->root_dev,
							   j->state->root_inode, &root, &err) :
					  bk_root_open(&root, "/", &err);
	if (rc == 0)
		rc = j->run(j, &root, &err);
	if (rc < 0)
		(void)bk_err_send(err, sock);
	_exit(rc < 0);
}

static int run_inside(struct job *j, struct bk_err **err)
{
	int fds[2], status = 0, rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make a socket pair");
	pid = fork();
	if (pid == 0) {
		(void)close(fds[0]);
		inside(j, fds[1]);
	}
	(void)close(fds[1]);
	if (pid < 0) {
		rc = bk_err_set(err, BK_ERR_IO, errno, "fork");
	} else {
		rc = bk_err_recv(fds[0], err);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (rc == 0 && status != 0)
			rc = bk_err_set(err, BK_ERR_INTERNAL, 0,
					"the process in the container's namespaces ended with status %d",
					status);
	}
	(void)close(fds[0]);
	return rc;
}

/* --- the two commands --- */

static int compile(struct job *j, struct bk_err **err)
{
	struct mount_ctx ctx;

	init_plan_mount_ctx(j->spec, &ctx);
	ctx.rootless = geteuid() != 0 || ns_in_userns();
	ctx.roots = 1; /* mount_live_check has the words */
	j->ops = bk_arena_alloc(j->arena, (j->list.n_mounts + 1) * sizeof(*j->ops));
	for (size_t i = 0; i < j->list.n_mounts; i++) {
		int rc = mount_plan_op(&j->list.mounts[i], i, &ctx, j->arena, &j->ops[i], err);

		if (rc == 0)
			rc = init_plan_check_mount(&j->ops[i], err);
		if (rc == 0)
			rc = mount_live_check(&j->ops[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_all(struct job *j, pid_t first, struct bk_err **err)
{
	struct container_idmap idmap = CONTAINER_IDMAP_INIT;
	int rc = 0;

	for (size_t i = 0; i < j->list.n_mounts && rc == 0; i++) {
		if (j->ops[i].idmap)
			rc = container_idmap_make(&idmap, &j->ops[i], first, &j->fds[i], err);
		else
			rc = mount_live_open(&j->ops[i], &j->fds[i], err);
		if (rc == 0 && !j->ops[i].idmap)
			rc = container_idmap_lock(&j->ops[i], first, &j->fds[i], err);
	}
	container_idmap_done(&idmap);
	return rc;
}

int container_mounts_add(const struct container *c, const char *what, const char *text,
			 struct bk_err **err)
{
	struct job j = { .arena = bk_arena_new(), .pidfd = -1, .proc_fd = -1, .run = run_add };
	bk_autospec struct spec spec = { 0 };
	int rc = decode(&j, what, text, err);

	if (rc == 0)
		rc = prepare(&j, c, &spec, err);
	if (rc == 0)
		rc = compile(&j, err);
	if (rc == 0)
		rc = open_all(&j, c->state.pid, err);
	if (rc == 0)
		rc = run_inside(&j, err);
	done(&j);
	return rc;
}

int container_mounts_remove(const struct container *c, const char *what, const char *text,
			    struct bk_err **err)
{
	struct job j = { .arena = bk_arena_new(), .pidfd = -1, .proc_fd = -1, .run = run_remove };
	bk_autospec struct spec spec = { 0 };
	int rc = decode(&j, what, text, err);

	if (rc == 0)
		rc = prepare(&j, c, &spec, err);
	if (rc == 0) {
		j.dests = bk_arena_alloc(j.arena, (j.list.n_mounts + 1) * sizeof(*j.dests));
		for (size_t i = 0; i < j.list.n_mounts; i++) {
			bk_autofree char *rooted = bk_path_join("/", j.list.mounts[i].destination);
			bk_autofree char *clean = bk_path_clean(rooted);

			j.dests[i] = bk_arena_strdup(j.arena, clean);
		}
		rc = run_inside(&j, err);
	}
	done(&j);
	return rc;
}
