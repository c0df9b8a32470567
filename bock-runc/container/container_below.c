/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_below.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "mount/mount_below.h"

#define OWN_NS "/proc/self/ns/mnt"

int container_below_check(const struct spec *spec, struct bk_err **err)
{
	bk_auto(mount_below_done) struct mount_below b = { 0 };
	struct statvfs fs;
	int rc;

	if (spec->config->root->readonly) {
		if (statvfs(spec->rootfs, &fs) < 0)
			return bk_err_set(err, BK_ERR_IO, errno, "root.path: '%s'", spec->rootfs);
		if (!(fs.f_flag & ST_RDONLY)) {
			rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
					"root.readonly: without a mount namespace the root is on a mount of the host, "
					"which is left as it is");
			return bk_err_hint(err, rc, "mount '%s' read-only before, or add a mount namespace",
					   spec->rootfs);
		}
	}
	rc = mount_below_find(spec->rootfs, &b, err);
	if (rc < 0 || b.n == 0)
		return rc;
	rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
			"root.path: '%s' has mounts below it ('%s'), and without a mount namespace they could not be "
			"told from the container's, which are unmounted when it is deleted",
			spec->rootfs, b.rows[b.n - 1].path);
	return bk_err_hint(err, rc, "unmount them, or add a mount namespace");
}

int container_below_state(struct container_created *r, struct bk_err **err)
{
	struct container_state *s = &r->c.state;
	struct stat ns, root;

	if (!r->plan.host_mounts)
		return 0;
	if (stat(OWN_NS, &ns) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "look at '" OWN_NS "'");
	if (stat(r->spec.rootfs, &root) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "root.path: '%s'", r->spec.rootfs);
	if (!S_ISDIR(root.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "root.path: '%s' is not a directory", r->spec.rootfs);
	s->mount_ns = ns.st_ino;
	s->root_dev = root.st_dev;
	s->root_inode = root.st_ino;
	return 0;
}

bool container_below_is_ours(const struct container *c)
{
	struct stat ns;

	return stat(OWN_NS, &ns) == 0 && ns.st_ino == c->state.mount_ns;
}

int container_below_remove(const struct container *c, bool force, char ***warnings, struct bk_err **err)
{
	const struct container_state *s = &c->state;

	if (!s->mount_ns)
		return 0;
	if (container_below_is_ours(c))
		return mount_below_remove(s->rootfs, s->root_dev, s->root_inode, err);
	if (force) {
		bk_strv_push(warnings, bk_asprintf("what was mounted below '%s' is left: it is in another mount "
						   "namespace, mnt:[%" PRIu64 "]", s->rootfs, s->mount_ns));
		return 0;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0,
			  "its mounts below '%s' are in another mount namespace, mnt:[%" PRIu64 "]: delete it "
			  "there, or with --force, which leaves them", s->rootfs, s->mount_ns);
}
