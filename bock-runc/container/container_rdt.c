/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_rdt.h"

#include <errno.h>
#include <fcntl.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "rdt/rdt.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define MOUNTINFO_MAX ((size_t)16 << 20)

static const struct oci_intel_rdt *rdt_of(const struct container_created *r)
{
	return r->spec.config->linux_->intel_rdt;
}

int container_rdt_find(char **ret_mount, struct bk_err **err)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(MOUNTINFO_MAX);
	int rc = bk_file_read(AT_FDCWD, MOUNTINFO, &b, err);

	return rc < 0 ? rc : rdt_find(bk_buf_str(&b), ret_mount, err);
}

int container_rdt_plan(struct container_created *r, struct bk_err **err)
{
	bk_autofree char *mount = NULL;
	int rc;

	if (!rdt_of(r))
		return 0;
	rc = container_rdt_find(&mount, err);
	if (rc == 0)
		rc = rdt_decide(rdt_of(r), r->plan.params.id, mount, r->spec.arena, &r->rdt, err);
	return rc;
}

void container_rdt_state(struct container_created *r)
{
	r->c.state.rdt_group = (char *)r->rdt.group;
	r->c.state.rdt_monitor = (char *)r->rdt.monitor;
	r->c.state.rdt_remove = r->rdt.make;
	r->c.state.rdt_shared = r->rdt.make && !r->rdt.own;
}

/* Another container of the same closID may have made the group since we looked: then it is as if it had been there. */
static int make_group(struct container_created *r, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = rdt_make_group(&r->rdt, &e);

	if (rc == 0 || r->rdt.own || bk_err_errno(e) != EEXIST) {
		bk_err_move(err, e);
		return rc;
	}
	bk_err_clear(&e);
	r->c.state.rdt_remove = false;
	return rdt_decide(rdt_of(r), r->plan.params.id, r->rdt.mount, r->spec.arena, &r->rdt, err);
}

int container_rdt_make(struct container_created *r, struct bk_err **err)
{
	int rc = make_group(r, err);

	if (rc < 0) { /* what was there before is not ours to remove */
		r->c.state.rdt_remove = false;
		r->c.state.rdt_monitor = NULL;
		return rc;
	}
	rc = rdt_configure(&r->rdt, rdt_of(r), err);
	if (rc == 0)
		rc = rdt_make_monitor(&r->rdt, err);
	if (rc < 0)
		r->c.state.rdt_monitor = NULL;
	return rc;
}

int container_rdt_keep(struct container_created *r, struct bk_err **err)
{
	if (!r->c.state.rdt_remove || r->rdt.own)
		return 0;
	r->c.state.rdt_remove = false;
	return container_save(&r->c, err);
}

int container_rdt_update(const struct container *c, const struct oci_intel_rdt *r, char **ret_old,
			 struct bk_err **err)
{
	bk_autofree char *mount = NULL;
	int rc;

	if (!c->state.rdt_group) {
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "linux.intelRdt: the container has no group of resctrl");
		return bk_err_hint(err, rc, "create it with linux.intelRdt in its configuration, {} is enough");
	}
	rc = container_rdt_find(&mount, err);
	return rc < 0 ? rc : rdt_update(mount, c->state.rdt_group, r, ret_old, err);
}

int container_rdt_put_back(const struct container *c, const char *old, int rc, struct bk_err **err)
{
	bk_autofree char *mount = NULL;

	if (container_rdt_find(&mount, NULL) < 0 ||
	    rdt_put_back(mount, c->state.rdt_group, old, NULL) < 0)
		return bk_err_wrap(err, rc, "and the schemata of '%s' could not be set back",
				   c->state.rdt_group);
	return rc;
}

int container_rdt_join(const struct container *c, pid_t pid, struct bk_err **err)
{
	if (!c->state.rdt_group)
		return 0;
	return rdt_join(c->state.rdt_group, c->state.rdt_monitor, pid, err);
}

int container_rdt_remove(const struct container *c, struct bk_err **err)
{
	int rc = 0;

	if (c->state.rdt_monitor)
		rc = rdt_remove(c->state.rdt_monitor, err);
	if (rc == 0 && c->state.rdt_remove &&
	    (!c->state.rdt_shared || rdt_is_empty(c->state.rdt_group)))
		rc = rdt_remove(c->state.rdt_group, err);
	return rc;
}
