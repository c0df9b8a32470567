/* SPDX-License-Identifier: Apache-2.0 */
#include "container/container_criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "criu/criu_log.h"
#include "dev/dev_nodes.h"
#include "init/init_plan.h"
#include "ns/ns.h"
#include "spec/spec_annotations.h"

#define DEFAULT_IMAGES "checkpoint"
#define CONFIG_FILE    "/etc/criu/runc.conf" /* of all runtimes, where no annotation says another */
#define LOG_LEVEL      4

int container_criu_check(struct bk_err **err)
{
	if (geteuid() == 0 && !ns_in_userns())
		return 0;
	return bk_err_set(err, BK_ERR_PERMISSION, 0, "criu needs the rights of the host's root");
}

int container_criu_check_spec(const struct spec *spec, struct bk_err **err)
{
	const struct oci_namespace *mnt = spec_ns(spec->config, OCI_NS_MOUNT);

	if (!mnt)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.namespaces: criu can't keep a container without a mount namespace of its own");
	if (mnt->path && *mnt->path)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "linux.namespaces: criu can't keep a container in the mount namespace '%s'",
				  mnt->path);
	return 0;
}

static int open_dir(const char *path, const char *what, int *ret_fd, struct bk_err **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open %s folder '%s'", what, path);
	*ret_fd = fd;
	return 0;
}

int container_criu_open(const struct container_criu_opts *o, bool make, struct container_criu_dirs *ret,
			struct bk_err **err)
{
	const char *images = o->images && *o->images ? o->images : DEFAULT_IMAGES;
	bool own_work = o->work && *o->work;
	struct container_criu_dirs d = CONTAINER_CRIU_DIRS_INIT;
	int rc = make ? bk_file_mkdirs(images, 0700, err) : 0;

	d.work_path = own_work ? o->work : images;
	if (rc == 0)
		rc = open_dir(images, "image", &d.images, err);
	if (rc == 0 && own_work)
		rc = bk_file_mkdirs(o->work, 0700, err);
	if (rc == 0)
		rc = open_dir(d.work_path, "work", &d.work, err);
	if (rc < 0) {
		container_criu_dirs_done(&d);
		return rc;
	}
	*ret = d;
	return 0;
}

void container_criu_dirs_done(struct container_criu_dirs *d)
{
	bk_close(&d->images);
	bk_close(&d->work);
}

/* An annotation that is there and empty: none at all. */
static const char *config_file(const struct oci_runtime_config *config)
{
	for (size_t i = 0; i < config->n_annotations; i++) {
		const struct bk_doc_pair *a = &config->annotations[i];

		if (bk_streq(a->key, spec_annotations[SPEC_CRIU_CONFIG].name))
			return *a->value ? a->value : NULL;
	}
	return CONFIG_FILE;
}

void container_criu_fill(const struct container_criu_opts *o, const struct container_criu_dirs *d,
			 const struct oci_runtime_config *config, const char *log, struct criu_opts *ret)
{
	ret->images_dir_fd = CRIU_NUM(d->images);
	ret->work_dir_fd = CRIU_NUM(d->work);
	ret->log_level = CRIU_NUM(LOG_LEVEL);
	ret->log_file = log;
	ret->notify_scripts = CRIU_NUM(1);
	ret->orphan_pts_master = CRIU_NUM(1);
	ret->tcp_established = CRIU_NUM(o->tcp_established);
	ret->ext_unix_sk = CRIU_NUM(o->ext_unix_sk);
	ret->shell_job = CRIU_NUM(o->shell_job);
	ret->file_locks = CRIU_NUM(o->file_locks);
	ret->auto_dedup = CRIU_NUM(o->auto_dedup);
	ret->lazy_pages = CRIU_NUM(o->lazy_pages);
	ret->manage_cgroups = CRIU_NUM(1);
	ret->manage_cgroups_mode = CRIU_NUM(o->cgroups);
	/* network devices are moved in, or somebody else's: criu neither dumps nor makes any */
	ret->empty_ns = CRIU_NUM(CLONE_NEWNET);
	ret->config_file = config_file(config);
	if (o->network_lock)
		ret->network_lock = CRIU_NUM(o->network_lock);
}

void container_criu_add_mount(struct criu_opts *o, struct bk_arena *arena, const char *key,
			      const char *val)
{
	o->ext_mnt = bk_arena_grow(arena, o->ext_mnt, o->n_ext_mnt, sizeof(*o->ext_mnt));
	o->ext_mnt[o->n_ext_mnt++] = (struct criu_ext_mount){ .key = key, .val = val };
}

/* The path of a descriptor, as /proc tells it. 0, or an errno: EXDEV where it has none. */
static int path_of(int fd, char *buf, size_t size)
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, buf, size - 1);
	if (n < 0)
		return errno;
	buf[n] = '\0';
	return buf[0] == '/' ? 0 : EXDEV;
}

int container_criu_look(const struct bk_root *root, const char *path, int *ret_fd, struct bk_err **err)
{
	struct bk_err *e = NULL;
	int rc = bk_root_openat(root, path, O_PATH, 0, ret_fd, &e), errnum = bk_err_errno(e);

	if (rc == 0)
		return 1;
	if (errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP) {
		bk_err_clear(&e);
		return 0;
	}
	bk_err_move(err, e);
	return rc;
}

/* What is not there, because a tmpfs will cover it, stands behind what is. */
int container_criu_resolve(const struct bk_root *root, const char *path, struct bk_arena *arena, const char **ret,
			   struct bk_err **err)
{
	char top[BK_ROOT_PATH_MAX], found[2 * BK_ROOT_PATH_MAX];
	bk_autofree char *head = bk_path_clean(path);
	bk_autofree char *clean = bk_strdup(head);
	int errnum = path_of(root->fd, top, sizeof(top));

	*ret = bk_arena_strdup(arena, clean);
	for (char *slash; !errnum && (slash = strrchr(head, '/')); *slash = '\0') {
		bk_autoclose int fd = -1;
		size_t len = bk_streq(top, "/") ? 0 : strlen(top);
		int rc = container_criu_look(root, *head ? head : "/", &fd, err);

		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		errnum = path_of(fd, found, sizeof(found));
		if (!errnum && strncmp(found, top, len) == 0)
			*ret = bk_arena_printf(arena, "%s%s", bk_streq(found + len, "/") ? "" : found + len,
					       clean + strlen(head));
		break;
	}
	if (errnum && errnum != EXDEV)
		return bk_err_set(err, BK_ERR_IO, errnum, "find '%s' below the root file system", path);
	return 0;
}

static int add_mount(const struct mount_op *m, const char *cgroup_dir, bool restore,
		     const struct bk_root *root, struct bk_arena *arena, struct criu_opts *ret,
		     struct bk_err **err)
{
	const char *key, *source = m->kind == MOUNT_CGROUP ? cgroup_dir : m->source;
	int rc;

	if (m->idmap)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s: '%s' has mapped ids, which criu does not keep", m->where, m->dest);
	if (m->kind == MOUNT_ROOT)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s: the root is a mount of the configuration, which criu can't make again",
				  m->where);
	/* in a namespace of its own it is a file system, which criu mounts as any other */
	if (m->kind != MOUNT_BIND && !(m->kind == MOUNT_CGROUP && !m->cgroup_ns && cgroup_dir))
		return 0;
	rc = container_criu_resolve(root, m->dest, arena, &key, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "%s", m->where);
	container_criu_add_mount(ret, arena, key, restore ? bk_arena_strdup(arena, source) : key);
	return 0;
}

static int add_devices(const struct spec *spec, struct bk_arena *arena, struct criu_opts *ret,
		       struct bk_err **err)
{
	const struct oci_linux *l = spec->config->linux_;
	struct dev_node *nodes;
	size_t n;
	int rc = dev_nodes_compile(l->devices, l->n_devices, arena, &nodes, &n, err);

	/* they are mounts in a user namespace only; one that is none does no harm */
	for (size_t i = 0; rc == 0 && i < n; i++)
		container_criu_add_mount(ret, arena, nodes[i].path, nodes[i].path);
	return rc;
}

int container_criu_mounts(const struct spec *spec, const char *cgroup_dir, bool restore,
			  struct bk_arena *arena, struct criu_opts *ret, struct bk_err **err)
{
	const struct oci_runtime_config *c = spec->config;
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct mount_ctx ctx;
	int rc = bk_root_open(&root, spec->rootfs, err);

	init_plan_mount_ctx(spec, &ctx);
	ctx.cgroup_dir = cgroup_dir;
	for (size_t i = 0; rc == 0 && i < c->n_mounts; i++) {
		struct mount_op m;

		rc = mount_plan_op(&c->mounts[i], i, &ctx, arena, &m, err);
		if (rc == 0)
			rc = add_mount(&m, cgroup_dir, restore, &root, arena, ret, err);
	}
	return rc == 0 ? add_devices(spec, arena, ret, err) : rc;
}

const char *container_criu_ns_key(int type)
{
	return type == OCI_NS_NETWORK ? "extRootNetNS" : "extRootPidNS";
}

int container_criu_failed(const struct container_criu_dirs *d, const char *log, int rc,
			  struct bk_err **err)
{
	bk_autofree char *said = criu_log_error(d->work, log);
	bk_autofree char *path = bk_asprintf("%s/%s", d->work_path, log);

	/* the first of its errors came with the answer */
	if (said && !(err && bk_err_link(*err, 0) && strstr(bk_err_link(*err, 0), said)))
		(void)bk_err_wrap(err, rc, "criu: %s", said);
	return faccessat(d->work, log, F_OK, 0) == 0 ? bk_err_hint(err, rc, "criu's log is '%s'", path) : rc;
}
