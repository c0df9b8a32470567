/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_limits.h: limits of a cgroup in use, all or nothing. */
#include "cgroup/cgroup_limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "cgroup/cgroup_stats.h"

#define OLD_MAX ((size_t)1 << 16) /* bytes kept of a file */

/* Files with a line a device: what the words of a line are when nothing is limited. */
static const struct {
	const char *file, *none;
} keyed[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "io.latency", "target=0" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
	{ "misc.max", "max" },
};

static const char *none_of(const char *file)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(keyed); i++) {
		if (bk_streq(keyed[i].file, file))
			return keyed[i].none;
	}
	return NULL;
}

/* What to write to have `old` again where `limit` was written; heap string. */
static char *way_back(const struct cgroup_limit *limit, const char *old)
{
	const char *none = none_of(limit->file);
	size_t key = strcspn(limit->value, " ");

	if (!none)
		return bk_strdup(old);
	for (const char *line = old; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		if (strncmp(line, limit->value, key) == 0 && line[key] == ' ')
			return bk_strndup(line, strcspn(line, "\n"));
	}
	return bk_asprintf("%.*s %s", (int)key, limit->value, none);
}

/* The old content of the file of each limit; NULL: there was no such file. */
static int change(int dirfd, const struct cgroup_limit *limit, char **ret_old, struct bk_err **err)
{
	bk_autobuf struct bk_buf old = BK_BUF_INIT(OLD_MAX);
	struct bk_err *e = NULL;
	int rc = bk_file_read(dirfd, limit->file, &old, &e);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&e);
		return cgroup_limit_write(dirfd, limit, err); /* which knows whether that is an error */
	}
	if (rc < 0) {
		bk_err_move(err, e);
		return bk_err_wrap(err, rc, "linux.resources.%s", limit->json);
	}
	rc = cgroup_limit_write(dirfd, limit, err);
	if (rc == 0)
		*ret_old = way_back(limit, bk_buf_str(&old));
	return rc;
}

/* The last change first. */
static int take_back(int dirfd, const struct cgroup_limits *limits, char **old, size_t n, int rc,
		     struct bk_err **err)
{
	while (n-- > 0) {
		if (old[n] && bk_file_put(dirfd, limits->list[n].file, old[n], NULL) < 0)
			rc = bk_err_wrap(err, rc, "and '%s' could not be set back to '%s'",
					 limits->list[n].file, old[n]);
	}
	return rc;
}

int cgroup_limits_update(const struct cgroup_host *h, const char *path, int dirfd,
			 const struct cgroup_limits *limits, cgroup_limits_then then, const void *arg,
			 struct bk_err **err)
{
	bk_autofree char **old = NULL;
	size_t done;
	int rc;

	if (limits->n == 0)
		return 0;
	rc = cgroup_limits_enable(h, path, dirfd, limits, err);
	if (rc < 0)
		return rc;
	old = bk_calloc(limits->n, sizeof(*old));
	for (done = 0; rc == 0 && done < limits->n; done++)
		rc = change(dirfd, &limits->list[done], &old[done], err);
	if (rc < 0)
		rc = take_back(dirfd, limits, old, done - 1, rc, err);
	else if (then && (rc = then(arg, limits, err)) < 0)
		rc = take_back(dirfd, limits, old, done, rc, err);
	for (size_t i = 0; i < limits->n; i++)
		free(old[i]);
	return rc;
}

int cgroup_limits_check_usage(int dirfd, const struct oci_memory *whole, const struct oci_memory *given,
			      struct bk_err **err)
{
	uint64_t usage = 0;

	if (!given || !given->has_limit || given->limit <= 0 || !whole->check_before_update)
		return 0;
	if (!cgroup_stats_number(dirfd, "memory.current", &usage))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.resources.memory.checkBeforeUpdate: 'memory.current' can't be read");
	if (usage > (uint64_t)given->limit)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.resources.memory.limit: rejecting memory limit %lld < usage %llu",
				  (long long)given->limit, (unsigned long long)usage);
	return 0;
}
