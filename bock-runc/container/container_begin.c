/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks/hooks.h"
#include "container/container_begin.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "codec/bk_time.h"
#include "container/container_below.h"
#include "container/container_rdt.h"

/* What of a nested cgroup path is not there yet: the state must know it before it is made. */
static size_t cgroup_top(const char *mount, const char *path)
{
	size_t len = strlen(path);

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		bk_autofree char *full = bk_asprintf("%s%.*s", mount, (int)(slash - path), path);

		if (access(full, F_OK) < 0 && errno == ENOENT)
			return (size_t)(slash - path);
	}
	return len;
}

static void fill_state(struct container_created *r, const char *id, bool no_new_keyring, char *created)
{
	const struct oci_runtime_config *c = r->spec.config;
	const struct oci_namespace *pid = spec_ns(c, OCI_NS_PID);
	/* one that is made around the child: until it is there, what is at its path is another's */
	const char *cgroup = r->plan.params.scope ? NULL : r->plan.params.cgroup;

	r->c.state = (struct container_state){
		.oci_version = c->oci_version,
		.id = (char *)id,
		.bundle = (char *)r->spec.bundle,
		.rootfs = (char *)r->spec.rootfs,
		.created = created,
		.owner_pid = r->owner_pid,
		.owner_start = r->owner_start,
		.cgroup = (char *)cgroup,
		.cgroup_top = cgroup ? cgroup_top(r->plan.params.cgroup_mount, cgroup) : 0,
		.unit = (char *)r->place.unit,
		.unit_user = r->place.user,
		.shared_pid_ns = !pid || (pid->path && *pid->path),
		.no_process = r->spec.no_process,
		.start_hooks_ms = c->hooks ? hooks_may_take(c->hooks->start_container, c->hooks->n_start_container,
							    r->plan.params.hook_timeout_ms) : 0,
		.no_new_keyring = no_new_keyring,
		.has_poststart = c->hooks && c->hooks->n_poststart,
		.has_poststop = c->hooks && c->hooks->n_poststop,
		.annotations = c->annotations,
		.n_annotations = c->n_annotations,
	};
}

/* The configuration is kept for what comes after: changes to the bundle's have no effect any more. */
static int keep_config(struct container_created *r, int *fd, struct bk_err **err)
{
	int rc = bk_fd_write_all(*fd, r->spec.text, r->spec.text_len);

	if (close(bk_steal_fd(fd)) < 0 && rc == 0)
		rc = -errno;
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "write '%s'", CONTAINER_CONFIG_FILE);
	return 0;
}

int container_begin(struct container_created *r, const char *id, bool no_new_keyring, int *config,
		    struct bk_err **err)
{
	char created[BK_TIME_SIZE];
	int rc;

	(void)bk_time_now(created);
	fill_state(r, id, no_new_keyring, bk_arena_strdup(r->spec.arena, created));
	container_rdt_state(r);
	rc = container_below_state(r, err);
	if (rc == 0)
		rc = container_save(&r->c, err);
	return rc == 0 ? keep_config(r, config, err) : rc;
}
