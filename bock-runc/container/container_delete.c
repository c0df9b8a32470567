/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_str.h"
#include "base/bk_stuck.h"
#include "cgroup/cgroup_manager.h"
#include "container/container_below.h"
#include "container/container_hooks.h"
#include "container/container_probe.h"
#include "container/container_rdt.h"
#include "init/init_trace.h"
#include "spec/spec_load.h"
#include "sys/sys_words.h"

#define CONTAINER_REST_TIMEOUT_MS 1000	/* for the others of a container whose first process has ended */
#define CONTAINER_UNBORN_TIMEOUT_MS 500	/* a child whose pid was not saved dies with its runtime */

int container_still_there(const struct container_root *root, pid_t pid, struct bk_err **err)
{
	bk_autofree char *who = bk_stuck_describe(pid);
	int ms = container_wait_ms(root, CONTAINER_KILL_TIMEOUT_MS);
	int rc = bk_err_set(err, BK_ERR_IO, ETIMEDOUT, "%s has not ended %d.%03d s after SIGKILL", who, ms / 1000,
			    ms % 1000);

	return bk_err_hint(err, rc, "what it waits in must let go of it first (a disk or server, a debugger, a frozen "
			   "cgroup of version 1): 'delete --force' can be repeated, see --timeout");
}

void container_place(const struct container *c, struct cgroup_place *ret)
{
	const struct container_state *s = &c->state;

	*ret = (struct cgroup_place){
		.manager = s->unit ? &cgroup_manager_systemd : &cgroup_manager_fs,
		.id = c->id,
		.path = s->cgroup,
		.top_len = s->cgroup_top,
		.unit = s->unit,
		.user = s->unit_user,
		.pid = s->unit_pid ? s->unit_pid : s->pid,
		.timeout_ms = c->root ? c->root->timeout_ms : 0,
	};
	cgroup_find(&ret->host);
}

static int kill_cgroup(const struct cgroup_place *place, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	struct bk_err *e = NULL;
	int rc = cgroup_open(&place->host, place->path, &fd, &e);

	if (rc == 0)
		rc = cgroup_kill(fd, &e);
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		return 0;
	}
	bk_err_move(err, e);
	return rc;
}

/* The first process lives on: the error. It may wait for others of its pid namespace, so those of the cgroup are named. */
static int still_there(const struct container *c, struct bk_err **err)
{
	struct cgroup_place place;
	struct bk_err *e = NULL;
	bk_autoclose int fd = -1;
	int rc = container_still_there(c->root, c->state.pid, &e);

	if (c->state.cgroup) {
		container_place(c, &place);
		if (cgroup_open(&place.host, place.path, &fd, NULL) == 0)
			rc = cgroup_name_holders(fd, c->state.pid, rc, &e);
	}
	bk_err_move(err, e);
	return rc;
}

/*
 * Kills the first process (all: and the whole cgroup at once, or what `exec` left frozen there may keep its pid
 * namespace from ending) and waits until it has ended (as a zombie too: reaping is its parent's).
 */
static int kill_first(const struct container *c, bool all, struct bk_err **err)
{
	bk_autoclose int pidfd = -1;
	struct bk_err *e = NULL;
	int rc = container_pidfd(c, &pidfd, &e);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, e);
		return rc;
	}
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return bk_err_set(err, BK_ERR_IO, errno, "kill process %d", c->state.pid);
	if (all && c->state.cgroup) {
		struct cgroup_place place;

		container_place(c, &place);
		rc = kill_cgroup(&place, err);
		if (rc < 0)
			return rc;
	}
	rc = bk_fd_wait(pidfd, POLLIN, container_wait_ms(c->root, CONTAINER_KILL_TIMEOUT_MS));
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "wait for process %d", c->state.pid);
	return rc == 0 ? still_there(c, err) : 0;
}

/*
 * What is in there ends with the first process, but for what was to enter the container's pid namespace and did
 * not come that far, frozen perhaps: it is given a moment.
 */
static int remove_cgroup(const struct container *c, bool kill_all, struct bk_err **err)
{
	struct cgroup_place place;

	if (!c->state.cgroup && !c->state.unit)
		return 0;
	container_place(c, &place);
	/*
	 * A create that died before its clone: nothing of it runs, and the cgroup may be another's, that
	 * it was about to refuse. What is in there is left alone.
	 */
	if (c->state.pid == 0) {
		(void)place.manager->remove(&place, CONTAINER_UNBORN_TIMEOUT_MS, NULL);
		return 0;
	}
	if (!kill_all && place.manager->remove(&place, CONTAINER_REST_TIMEOUT_MS, NULL) == 0)
		return 0;
	if (place.path) {
		int rc = kill_cgroup(&place, err);

		if (rc < 0)
			return rc;
	}
	return place.manager->remove(&place, container_wait_ms(c->root, CONTAINER_KILL_TIMEOUT_MS), err);
}

static int may_delete(const struct container *c, bool force, enum oci_status status,
		      struct bk_err **err)
{
	if (force || status == OCI_STOPPED || status == OCI_CREATED)
		return 0;
	return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_NOT_STOPPED,
			  c->id, container_status_name(status));
}

/* Before anything is done. A create that died may have left no configuration yet, and had no hooks run. */
static int load_hooks(const struct container *c, bool force, struct spec *spec, char ***warnings,
		      struct bk_err **err)
{
	struct bk_err *e = NULL;
	char text[1024];
	int rc;

	if (!c->state.has_poststop)
		return 0;
	rc = spec_load_kept(c->dirfd, CONTAINER_CONFIG_FILE, c->state.bundle, spec, &e);
	if (rc == 0)
		return 0;
	if (!force) {
		bk_err_move(err, e);
		return rc;
	}
	if (c->state.pid > 0)
		bk_strv_push(warnings, bk_asprintf("the poststop hooks are not run: %s",
						   bk_err_print(e, text, sizeof(text))));
	bk_err_clear(&e);
	return 0;
}

int container_delete(struct container *c, bool force, char ***warnings, struct bk_err **err)
{
	bk_autospec struct spec spec = { 0 };
	enum oci_status status;
	bool kill_all;
	int rc;

	/* a create that died at once, or a delete at the end */
	if (!c->has_state)
		return container_forget(c, err);
	rc = container_status(c, &status, NULL, err);
	if (rc == 0)
		rc = may_delete(c, force, status, err);
	if (rc < 0)
		return rc;
	rc = load_hooks(c, force, &spec, warnings, err);
	if (rc < 0)
		return rc;
	(void)init_trace_mark(c->trace, "check the status", 0);
	kill_all = force || status == OCI_CREATED || c->state.shared_pid_ns || c->state.restoring;
	rc = status == OCI_STOPPED ? 0 : init_trace_mark(c->trace, "kill", kill_first(c, kill_all, err));
	/* without its first process alive, whatever is left in the cgroup belongs to nobody */
	if (rc == 0)
		rc = init_trace_mark(c->trace, "remove the cgroup",
				     remove_cgroup(c, kill_all && status == OCI_STOPPED, err));
	if (rc == 0)
		rc = container_below_remove(c, force, warnings, err);
	if (rc == 0)
		rc = container_rdt_remove(c, err);
	if (rc == 0)
		rc = init_trace_mark(c->trace, "remove the state", container_forget(c, err));
	if (rc < 0)
		return rc;
	if (spec.config && spec.config->hooks)
		container_hooks_poststop(c, spec.config, warnings);
	return 0;
}
