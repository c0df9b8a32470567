/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager hands to a service: the folder of sd_notify's socket, and variables. */
#include "init/init_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "mount/mount_fd.h"
#include "proc/proc_exec.h"

/* While we are who may enter the state folder: the container's root may be somebody else. */
int init_op_notify_open(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	c->notify_fd = open(op->u.text, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->notify_fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "NOTIFY_SOCKET: open '%s'", op->u.text);
	return 0;
}

int init_op_notify_mount(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const uint64_t attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			       MOUNT_ATTR_NOEXEC;
	int rc = mount_fd_bind(c->notify_fd, op->u.text, attrs, &c->root, err);

	bk_close(&c->notify_fd);
	return rc < 0 ? bk_err_wrap(err, rc, "NOTIFY_SOCKET") : 0;
}

/* Behind those of the configuration: the last of duplicates wins. */
static void add_variables(const struct init_params *p, char ***env)
{
	if (p->listen_fds) {
		bk_strv_push(env, bk_asprintf("LISTEN_FDS=%u", p->listen_fds));
		bk_strv_push(env, bk_asprintf("LISTEN_PID=%d", (int)getpid()));
		if (p->listen_names)
			bk_strv_push(env, bk_asprintf("LISTEN_FDNAMES=%s", p->listen_names));
	}
	if (p->notify_dir)
		bk_strv_add(env, "NOTIFY_SOCKET=" INIT_NOTIFY_DIR "/" INIT_NOTIFY_SOCKET);
}

int init_op_environment(struct init_child *c, const struct init_op *op, struct bk_err **err)
{
	const struct init_params *p = &c->plan->params;
	char *const *own = c->plan->spec->config->process->env;
	bk_autostrv char **env = NULL;

	(void)op;
	if (!p->listen_fds && !p->notify_dir)
		return proc_exec_env(own, &c->root, c->plan->user.uid, &c->env, err);
	for (; own && *own; own++)
		bk_strv_add(&env, *own);
	add_variables(p, &env);
	return proc_exec_env(env, &c->root, c->plan->user.uid, &c->env, err);
}
