/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "cgroup/cgroup.h"
#include "container/container.h"
#include "sys/sys_words.h"

static int open_cgroup(const struct container *c, int *ret_fd, struct bk_err **err)
{
	struct cgroup_host host;

	if (!c->state.cgroup)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "cannot toggle freezer: cgroups not configured for container");
	cgroup_find(&host);
	return cgroup_open(&host, c->state.cgroup, ret_fd, err);
}

int container_pause(const struct container *c, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	enum oci_status status;
	int rc;

	rc = container_status(c, &status, NULL, err);
	if (rc < 0)
		return rc;
	if (status != OCI_RUNNING && status != OCI_CREATED)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, SYS_WORD_NOT_RUNNING);
	rc = open_cgroup(c, &fd, err);
	return rc < 0 ? rc : cgroup_freeze(fd, container_wait_ms(c->root, CONTAINER_FREEZE_TIMEOUT_MS), err);
}

int container_resume(const struct container *c, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	enum oci_status status;
	int rc;

	rc = container_status(c, &status, NULL, err);
	if (rc < 0)
		return rc;
	if (status != OCI_PAUSED)
		return bk_err_set(err, BK_ERR_CONFIG, 0, SYS_WORD_NOT_PAUSED);
	rc = open_cgroup(c, &fd, err);
	return rc < 0 ? rc : cgroup_thaw(fd, container_wait_ms(c->root, CONTAINER_FREEZE_TIMEOUT_MS), err);
}
