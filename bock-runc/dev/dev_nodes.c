/* SPDX-License-Identifier: Apache-2.0 */
#include "dev/dev_nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_path.h"
#include "base/bk_str.h"

struct default_dev {
	const char *path;
	unsigned int major, minor;
};

static const struct default_dev default_devs[] = {
	{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

struct dev_link {
	const char *name;
	const char *target;
};

static const struct dev_link dev_links[] = {
	{ "fd", "/proc/self/fd" },	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
};

static int type_of(const struct oci_device *d, mode_t *ret)
{
	if (bk_streq(d->type, "c") || bk_streq(d->type, "u"))
		*ret = S_IFCHR;
	else if (bk_streq(d->type, "b"))
		*ret = S_IFBLK;
	else if (bk_streq(d->type, "p"))
		*ret = S_IFIFO;
	else
		return -1;
	return 0;
}

static int compile_one(const struct oci_device *d, size_t i, struct bk_arena *arena,
		       struct dev_node *ret, struct bk_err **err)
{
	bk_autofree char *clean = NULL;
	mode_t type;

	if (type_of(d, &type) < 0)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.devices[%zu].type: '%s' is none of c, b, u, p", i, d->type);
	if (d->path[0] != '/')
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.devices[%zu].path: '%s' is not absolute", i, d->path);
	if (type != S_IFIFO &&
	    (d->major < 0 || d->minor < 0 || d->major > 0xfff || d->minor > 0xfffff))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.devices[%zu]: %lld:%lld is no device number", i,
				  (long long)d->major, (long long)d->minor);
	/* some engines copy st_mode as it is, with the type */
	if (d->has_file_mode && (d->file_mode & ~(uint32_t)0777) != 0 &&
	    (d->file_mode & ~(uint32_t)0777) != type)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "linux.devices[%zu].fileMode: %u (0%o) is above 0777", i,
				  d->file_mode, d->file_mode);
	clean = bk_path_clean(d->path);
	*ret = (struct dev_node){
		.where = bk_arena_printf(arena, "linux.devices[%zu]", i),
		.path = bk_arena_strdup(arena, clean),
		.mode = type | (d->has_file_mode ? (mode_t)d->file_mode & 0777 : 0666),
		.dev = type == S_IFIFO ? 0 : makedev((unsigned int)d->major, (unsigned int)d->minor),
		.uid = d->has_uid ? d->uid : 0,
		.gid = d->has_gid ? d->gid : 0,
	};
	return 0;
}

int dev_nodes_compile(const struct oci_device *devices, size_t n, struct bk_arena *arena,
		      struct dev_node **ret, size_t *ret_n, struct bk_err **err)
{
	size_t n_def = BK_ARRAY_SIZE(default_devs), len = 0;
	struct dev_node *nodes = bk_arena_alloc(arena, (n + n_def) * sizeof(*nodes));

	for (size_t i = 0; i < n_def; i++)
		nodes[len++] = (struct dev_node){
			.path = default_devs[i].path,
			.mode = S_IFCHR | 0666,
			.dev = makedev(default_devs[i].major, default_devs[i].minor),
		};
	for (size_t i = 0; i < n; i++) {
		struct dev_node node;
		size_t k;
		int rc = compile_one(&devices[i], i, arena, &node, err);

		if (rc < 0)
			return rc;
		for (k = 0; k < len && !bk_streq(nodes[k].path, node.path); k++)
			;
		if (k < len && nodes[k].where)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "%s.path: '%s' is there twice",
					  node.where, node.path);
		nodes[k] = node;
		if (k == len)
			len++;
	}
	*ret = nodes;
	*ret_n = len;
	return 0;
}

void dev_nodes_print(const struct dev_node *d, struct bk_buf *out)
{
	char type = S_ISCHR(d->mode) ? 'c' : S_ISBLK(d->mode) ? 'b' : 'p';

	bk_buf_printf(out, "device '%s' %c %u:%u %04o %u:%u", d->path, type, major(d->dev),
		      minor(d->dev), (unsigned int)d->mode & 07777, d->uid, d->gid);
}

/* The directory of the last node, kept open: nearly all are in /dev. */
struct parent {
	int fd;
	char *dir;
};

static int open_parent(struct parent *p, const char *path, const struct bk_root *root,
		       struct bk_err **err)
{
	bk_autofree char *dir = bk_path_dir(path);
	int fd, rc;

	if (p->fd >= 0 && bk_streq(p->dir, dir))
		return 0;
	rc = bk_root_mkdirs(root, dir, 0755, &fd, err);
	if (rc < 0)
		return rc;
	bk_close(&p->fd);
	p->fd = fd;
	free(p->dir);
	p->dir = bk_steal_ptr(&dir);
	return 0;
}

static int check_existing(const struct dev_node *d, int dirfd, const char *name,
			  struct bk_err **err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of '%s'", d->path);
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) ||
	    (!S_ISFIFO(d->mode) && st.st_rdev != d->dev))
		return bk_err_set(err, BK_ERR_IO, EEXIST, "'%s' is there and is another device",
				  d->path);
	return 0;
}

static int bind_node(const struct dev_node *d, const struct bk_root *root, struct bk_err **err);

static int make_node(const struct dev_node *d, int dirfd, const char *name,
		     const struct bk_root *root, struct bk_err **err)
{
	if (mknodat(dirfd, name, d->mode, d->dev) < 0) {
		if (errno == EPERM) /* root without CAP_MKNOD, as in a container */
			return bind_node(d, root, err);
		if (errno != EEXIST)
			return bk_err_set(err, BK_ERR_IO, errno, "make device '%s'", d->path);
		return check_existing(d, dirfd, name, err);
	}
	if ((d->uid || d->gid) && fchownat(dirfd, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "change the owner of '%s'", d->path);
	return 0;
}

static int bind_node(const struct dev_node *d, const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int tree = -1;
	bk_autoclose int target = -1;
	struct stat st;
	int rc;

	if (S_ISFIFO(d->mode))
		return bk_root_mknod(root, d->path, d->mode, 0, err);
	tree = open_tree(AT_FDCWD, d->path,
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "bind the host's '%s'", d->path);
	if (fstat(tree, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "status of the host's '%s'", d->path);
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) || st.st_rdev != d->dev)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "the host's '%s' is another device, and a user namespace can only "
				  "have the host's devices", d->path);
	rc = bk_root_mkfile(root, d->path, 0644, &target, err);
	if (rc < 0)
		return rc;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "attach the host's '%s'", d->path);
	return 0;
}

int dev_nodes_make(const struct dev_node *nodes, size_t n, bool bind, const struct bk_root *root,
		   struct bk_err **err)
{
	struct parent p = { .fd = -1 };
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct dev_node *d = &nodes[i];

		if (bind) {
			rc = bind_node(d, root, err);
		} else {
			rc = open_parent(&p, d->path, root, err);
			if (rc == 0)
				rc = make_node(d, p.fd, bk_path_base(d->path), root, err);
		}
		if (rc < 0 && d->where)
			rc = bk_err_wrap(err, rc, "%s", d->where);
	}
	free(p.dir);
	bk_close(&p.fd);
	return rc;
}

static int link_one(int dirfd, const char *name, const char *target, bool replace,
		    struct bk_err **err)
{
	struct statvfs fs;
	int errnum;

	if (symlinkat(target, dirfd, name) == 0)
		return 0;
	if (errno == EEXIST && !replace)
		return 0;
	/* ptmx must be the container's own: a node or link from the image goes away */
	if (errno == EEXIST && unlinkat(dirfd, name, 0) == 0 && symlinkat(target, dirfd, name) == 0)
		return 0;
	errnum = errno;
	/* a read-only /dev from the caller: what it has is what there is */
	if (errnum == EROFS && fstatvfs(dirfd, &fs) == 0 && fs.f_flag & ST_RDONLY)
		return 0;
	return bk_err_set(err, BK_ERR_IO, errnum, "make link '/dev/%s'", name);
}

int dev_nodes_links(const struct bk_root *root, struct bk_err **err)
{
	bk_autoclose int dev = -1;
	int rc;

	rc = bk_root_mkdirs(root, "/dev", 0755, &dev, err);
	for (size_t i = 0; i < BK_ARRAY_SIZE(dev_links) && rc == 0; i++)
		rc = link_one(dev, dev_links[i].name, dev_links[i].target, false, err);
	if (rc == 0 && access("/proc/kcore", F_OK) == 0)
		rc = link_one(dev, "core", "/proc/kcore", false, err);
	if (rc == 0)
		rc = link_one(dev, "ptmx", "pts/ptmx", true, err);
	return rc;
}
