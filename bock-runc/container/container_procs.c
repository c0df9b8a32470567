/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bk_auto.h"
#include "cgroup/cgroup.h"
#include "container/container.h"

/* Processes that our pid namespace doesn't see are listed as 0. */
static size_t drop_unseen(pid_t *pids, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (pids[i] > 0)
			pids[kept++] = pids[i];
	}
	return kept;
}

int container_procs(const struct container *c, pid_t **ret, size_t *ret_n, struct bk_err **err)
{
	struct cgroup_host host;
	bk_autoclose int fd = -1;
	enum oci_status status;
	pid_t first;
	int rc;

	rc = container_status(c, &status, &first, err);
	if (rc < 0)
		return rc;
	if (c->state.cgroup) {
		struct bk_err *e = NULL;

		cgroup_find(&host);
		rc = cgroup_open(&host, c->state.cgroup, &fd, &e);
		if (rc == 0)
			rc = cgroup_procs(fd, true, ret, ret_n, &e);
		if (rc == 0) {
			*ret_n = drop_unseen(*ret, *ret_n);
			return 0;
		}
		if (rc != -BK_ERR_NOT_FOUND) {
			bk_err_move(err, e);
			return rc;
		}
		bk_err_clear(&e); /* a container that has stopped may have lost its cgroup */
	}
	*ret = bk_calloc(1, sizeof(**ret));
	(*ret)[0] = first;
	*ret_n = first > 0;
	return 0;
}
