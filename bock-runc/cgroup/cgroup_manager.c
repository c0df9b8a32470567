/* SPDX-License-Identifier: Apache-2.0 */
/* The manager that is ourselves. */
#include "cgroup/cgroup_manager.h"

#include "base/bk_auto.h"

static int fs_find(const struct cgroup_want *w, struct bk_arena *arena, struct cgroup_place *p,
		   struct bk_err **err)
{
	bk_autofree char *path = NULL;
	int rc = cgroup_path(&p->host, w->cgroups_path, w->id, w->rootless, &path, err);

	if (rc == 0)
		p->path = bk_arena_strdup(arena, path);
	return rc;
}

/* cgroup_make() knows at once, and has nothing to undo then. */
static int fs_check(const struct cgroup_place *p, struct bk_err **err)
{
	(void)p;
	(void)err;
	return 0;
}

static int fs_make(struct cgroup_place *p, const struct cgroup_limits *limits, struct bk_arena *arena,
		   int *ret_dirfd, struct bk_err **err)
{
	(void)limits;
	(void)arena;
	return cgroup_make(&p->host, p->path, ret_dirfd, &p->top_len, err);
}

static int fs_tell(const struct cgroup_place *p, const struct cgroup_limits *limits, struct bk_err **err)
{
	(void)p;
	(void)limits;
	(void)err;
	return 0;
}

static int fs_remove(const struct cgroup_place *p, int timeout_ms, struct bk_err **err)
{
	return p->path ? cgroup_remove(&p->host, p->path, p->top_len, timeout_ms, err) : 0;
}

const struct cgroup_manager cgroup_manager_fs = {
	.name = "cgroupfs",
	.find = fs_find,
	.check = fs_check,
	.make = fs_make,
	.tell = fs_tell,
	.remove = fs_remove,
};
