/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_limits.h: the part that touches the hierarchy. */
#include "cgroup/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"

/* Reads "cpuset cpu io" into a strv: of cgroup.controllers, what it has, or of cgroup.subtree_control, what it gives. */
static int read_controllers(int dirfd, const char *file, char ***ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	int rc = bk_file_read(dirfd, file, &text, err);

	if (rc < 0)
		return rc;
	*ret = bk_strv_split(bk_buf_str(&text), " \n");
	return 0;
}

/* The first limit whose controller is not in `have`, or NULL. */
static const struct cgroup_limit *first_missing(const struct cgroup_limits *l, char *const *have)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].controller[0] && !(l->list[i].flags & CGROUP_LIMIT_DEFAULT) &&
		    !bk_strv_has(have, l->list[i].controller))
			return &l->list[i];
	return NULL;
}

/* The mount point of the version 1 hierarchy that holds a controller; NULL where there is none. */
static char *v1_mount_of(const char *controller)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);
	bk_autostrv char **lines = NULL;

	if (bk_file_read(AT_FDCWD, "/proc/self/mounts", &text, NULL) < 0)
		return NULL;
	lines = bk_strv_split(bk_buf_str(&text), "\n");
	for (char **line = lines; line && *line; line++) {
		bk_autostrv char **field = bk_strv_split(*line, " ");
		bk_autostrv char **options = NULL;

		/* source, mount point, type, options */
		if (bk_strv_len(field) < 4 || !bk_streq(field[2], "cgroup"))
			continue;
		options = bk_strv_split(field[3], ",");
		if (bk_strv_has(options, controller))
			return bk_strdup(field[1]);
	}
	return NULL;
}

static int not_there(const struct cgroup_host *h, const struct cgroup_limit *limit,
		     struct bk_err **err)
{
	bk_autofree char *mount = v1_mount_of(limit->controller);
	int rc;

	if (!mount)
		return bk_err_set(
			err, BK_ERR_UNSUPPORTED, 0,
			"linux.resources.%s: the cgroup hierarchy on '%s' has no controller "
			"'%s'",
			limit->json, h->mount, limit->controller);
	rc = bk_err_set(
		err, BK_ERR_UNSUPPORTED, 0,
		"linux.resources.%s: the controller '%s' is bound to cgroup version 1 on '%s'",
		limit->json, limit->controller, mount);
	return bk_err_hint(err, rc,
			   "limits need version 2: boot with systemd.unified_cgroup_hierarchy=1 or "
			   "cgroup_no_v1=%s",
			   limit->controller);
}

int cgroup_limits_check(const struct cgroup_host *h, const struct cgroup_limits *limits,
			struct bk_err **err)
{
	bk_autostrv char **have = NULL;
	bk_autoclose int fd = -1;
	const struct cgroup_limit *missing;
	int rc;

	if (limits->n == 0)
		return 0;
	rc = cgroup_open(h, "/", &fd, err);
	if (rc == 0)
		rc = read_controllers(fd, "cgroup.controllers", &have, err);
	if (rc < 0)
		return rc;
	missing = first_missing(limits, have);
	return missing ? not_there(h, missing, err) : 0;
}

/* "+memory +pids", each once. */
static void enable_text(const struct cgroup_limits *l, struct bk_buf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t j = 0;

		if (l->list[i].flags & CGROUP_LIMIT_DEFAULT)
			continue;
		while (j < i && !bk_streq(l->list[j].controller, l->list[i].controller))
			j++;
		if (j == i && l->list[i].controller[0])
			bk_buf_printf(out, "%s+%s", out->len ? " " : "", l->list[i].controller);
	}
}

/* One that gives them already may be another user's. */
static int enable_in(int dirfd, const struct cgroup_limits *limits, const char *text, struct bk_err **err)
{
	bk_autostrv char **have = NULL;
	int rc = read_controllers(dirfd, "cgroup.subtree_control", &have, err);

	if (rc < 0 || !first_missing(limits, have))
		return rc;
	return bk_file_put(dirfd, "cgroup.subtree_control", text, err);
}

static int enable_at(const struct cgroup_host *h, const char *path, const struct cgroup_limits *limits,
		     const char *text, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc = cgroup_open(h, path, &fd, err);

	if (rc == 0)
		rc = enable_in(fd, limits, text, err);
	if (rc == 0)
		return 0;
	rc = bk_err_wrap(err, rc, "enable '%s' below cgroup '%s'", text, path);
	return bk_err_hint(err, rc, "a cgroup with processes of its own cannot limit those below it");
}

static int enable(const struct cgroup_host *h, const char *path, const struct cgroup_limits *limits,
		  const char *text, struct bk_err **err)
{
	bk_autofree char *cut = bk_strdup(path);
	int rc = 0;

	/* "/a/b" is enabled in "/" and in "/a" */
	for (size_t len = 1; rc == 0 && path[len - 1]; len++) {
		if (path[len - 1] != '/')
			continue;
		memcpy(cut, path, len);
		cut[len > 1 ? len - 1 : len] = '\0';
		rc = enable_at(h, cut, limits, text, err);
	}
	return rc;
}

int cgroup_limit_write(int dirfd, const struct cgroup_limit *limit, struct bk_err **err)
{
	struct bk_err *failure = NULL;
	int errnum, rc = bk_file_put(dirfd, limit->file, limit->value, &failure);

	if (rc == 0)
		return 0;
	if (((limit->flags & CGROUP_LIMIT_OPTIONAL) && bk_err_errno(failure) == ENOENT) ||
	    ((limit->flags & CGROUP_LIMIT_TRY) && bk_err_errno(failure) == EINVAL)) {
		bk_err_clear(&failure);
		return 0;
	}
	errnum = bk_err_errno(failure);
	bk_err_move(err, failure);
	rc = bk_err_wrap(err, rc, "linux.resources.%s: set '%s' to '%s'", limit->json, limit->file,
			 limit->value);
	if (errnum == EOPNOTSUPP && bk_streq(limit->file, "io.weight"))
		return bk_err_hint(err, rc,
				   "a device has a weight while 'io.cost.qos' of the root cgroup enables it, or, as "
				   "'io.bfq.weight' in linux.resources.unified, while its scheduler is bfq");
	return rc;
}

int cgroup_limits_enable(const struct cgroup_host *h, const char *path, int dirfd,
			 const struct cgroup_limits *limits, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autostrv char **have = NULL;
	int rc;

	rc = read_controllers(dirfd, "cgroup.controllers", &have, err);
	if (rc < 0 || !first_missing(limits, have))
		return rc;
	rc = cgroup_limits_check(h, limits, err);
	if (rc < 0)
		return rc;
	enable_text(limits, &text);
	return enable(h, path, limits, bk_buf_str(&text), err);
}

int cgroup_limits_apply(const struct cgroup_host *h, const char *path, int dirfd,
			const struct cgroup_limits *limits, struct bk_err **err)
{
	int rc;

	if (limits->n == 0)
		return 0;
	rc = cgroup_limits_enable(h, path, dirfd, limits, err);
	for (size_t i = 0; rc == 0 && i < limits->n; i++)
		rc = cgroup_limit_write(dirfd, &limits->list[i], err);
	return rc;
}
