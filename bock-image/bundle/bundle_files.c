/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "layer/layer_walk.h"

#define ETC_FILE_MAX ((size_t)1 << 20)
#define COPY_SIZE    ((size_t)128 << 10)

static void add_bind(struct bundle_opts *o, struct bk_arena *a, const char *source,
		     const char *destination)
{
	struct bundle_bind *binds =
		bk_arena_grow(a, (void *)(uintptr_t)o->binds, o->n_binds, sizeof(*binds));

	binds[o->n_binds++] = (struct bundle_bind){
		.source = source ? bk_arena_strdup(a, source) : NULL,
		.destination = bk_arena_strdup(a, destination),
	};
	o->binds = binds;
}

int bundle_files_own(const struct layer_ids *ids, int fd, struct bk_err **err)
{
	uint32_t uid, gid;

	if (ids->n_uids == 0 || !layer_ids_host(ids->uids, ids->n_uids, 0, &uid) ||
	    !layer_ids_host(ids->gids, ids->n_gids, 0, &gid))
		return 0;
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "set its owner");
	return 0;
}

/* ---- /etc --------------------------------------------------------------------------------------- */

static int put_etc(int dirfd, const char *name, const char *data, size_t len, struct bundle_opts *o,
		   struct bk_arena *a, struct bk_err **err)
{
	bk_autofree char *destination = bk_asprintf("/etc/%s", name);
	bk_autoclose int fd = -1;
	int rc = bk_file_write_atomic(dirfd, name, data, len, 0644, false, err);

	if (rc < 0)
		return rc;
	fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", name);
	rc = bundle_files_own(&o->ids, fd, err);
	if (rc == 0)
		add_bind(o, a, name, destination);
	return rc;
}

static int copy_etc(int dirfd, const char *name, const char *from, struct bundle_opts *o,
		    struct bk_arena *a, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(ETC_FILE_MAX);
	int rc = from ? bk_file_read(AT_FDCWD, from, &text, err) : 0;

	if (!from)
		return 0;
	if (rc == 0)
		rc = put_etc(dirfd, name, bk_buf_str(&text), text.len, o, a, err);
	return rc < 0 ? bk_err_wrap(err, rc, "copy '%s'", from) : 0;
}

static int make_etc(int dirfd, struct bundle_opts *o, struct bk_arena *a, struct bk_err **err)
{
	int rc = copy_etc(dirfd, "resolv.conf", o->resolv_conf, o, a, err);

	if (rc == 0)
		rc = copy_etc(dirfd, "hosts", o->hosts, o, a, err);
	if (rc == 0 && o->hostname) {
		bk_autofree char *line = bk_asprintf("%s\n", o->hostname);

		rc = put_etc(dirfd, "hostname", line, strlen(line), o, a, err);
	}
	return rc;
}

/* ---- volumes ------------------------------------------------------------------------------------ */

/* Where the directory fd is below the root: "/a/b", or NULL. Heap. */
static char *real_path(const struct bk_root *rootfs, int fd)
{
	char proc[32], root[BK_ROOT_PATH_MAX], path[BK_ROOT_PATH_MAX];
	ssize_t n_root, n_path;
	const char *rest;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", rootfs->fd);
	n_root = readlink(proc, root, sizeof(root) - 1);
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n_path = readlink(proc, path, sizeof(path) - 1);
	if (n_root < 0 || n_path < 0)
		return NULL;
	root[n_root] = path[n_path] = '\0';
	rest = bk_skip_prefix(path, bk_streq(root, "/") ? "" : root);
	if (!rest || (*rest != '/' && *rest != '\0'))
		return NULL;
	return bk_strdup(*rest ? rest : "/");
}

/*
 * Follows the links of path inside the root as far as it is there. *ret_fd is the directory, -1 where there is none yet;
 * *ret_path where it is or would be, NULL where a link leads to what is not there: it may be there in the container, as
 * /proc/sys is.
 */
static int resolve(const struct bk_root *rootfs, const char *path, int *ret_fd, char **ret_path,
		   struct bk_err **err)
{
	bk_autofree char *above = bk_strdup(path);
	const char *rest = "";
	char *slash;

	for (;;) {
		bk_autofree char *real = NULL;
		bk_autoclose int fd = -1;
		struct bk_err *why = NULL;
		struct stat st;
		int rc = bk_root_openat(rootfs, *above ? above : "/", O_PATH | O_DIRECTORY, 0, &fd, &why);
		int errnum = bk_err_errno(why);

		if (rc < 0 && (errnum != ENOENT || !(slash = strrchr(above, '/')))) {
			bk_err_move(err, why);
			return rc;
		}
		bk_err_clear(&why);
		if (rc < 0 && bk_root_lstat(rootfs, above, &st, NULL) == 0)
			return 0;
		if (rc < 0) {
			*slash = '\0';
			rest = path + (slash - above);
			continue;
		}
		real = real_path(rootfs, fd);
		if (!real)
			return bk_err_set(err, BK_ERR_IO, ESTALE, "the tree is moved meanwhile");
		*ret_path = bk_asprintf("%s%s", bk_streq(real, "/") && *rest ? "" : real, rest);
		*ret_fd = *rest ? -1 : bk_steal_fd(&fd);
		return 0;
	}
}

static bool is_covered(const char *path)
{
	static const char *const ours[] = { "/proc", "/sys", "/dev" };

	for (size_t i = 0; i < BK_ARRAY_SIZE(ours); i++)
		if (bk_path_below(path, ours[i]))
			return true;
	return bk_streq(path, "/");
}

static bool has_mount(const struct bundle_opts *o, const char *path, const char *real)
{
	for (size_t i = 0; i < o->n_mounts; i++) {
		bk_autofree char *clean = bk_path_clean(o->mounts[i].destination);

		if (bk_streq(clean, path) || bk_streq(clean, real))
			return true;
	}
	for (size_t i = 0; i < o->n_binds; i++)
		if (bk_streq(o->binds[i].destination, real))
			return true;
	return false;
}

static int copy_data(int from, int to, uint64_t size, struct bk_err **err)
{
	bk_autofree char *buf = bk_malloc(COPY_SIZE);
	off_t at = 0, end;

	while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
		end = lseek(from, at, SEEK_HOLE);
		while (end > at) {
			size_t want = end - at < (off_t)COPY_SIZE ? (size_t)(end - at) : COPY_SIZE;
			ssize_t n = pread(from, buf, want, at);

			if (n <= 0 || lseek(to, at, SEEK_SET) < 0 ||
			    bk_fd_write_all(to, buf, (size_t)n) < 0)
				return bk_err_set(err, BK_ERR_IO, errno, "copy it");
			at += n;
		}
	}
	if (errno != ENXIO || ftruncate(to, (off_t)size) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "copy it");
	return 0;
}

static int seed_entry(void *ctx, const struct layer_entry *e, int fd, struct bk_err **err)
{
	struct layer_tree *t = ctx;
	bk_autoclose int to = -1;
	int rc;

	if (e->is_hardlink)
		return layer_tree_link(t, e->path, e->link, err);
	if (S_ISDIR(e->attrs.mode))
		return layer_tree_dir(t, e->path, &e->attrs, err);
	if (S_ISLNK(e->attrs.mode))
		return layer_tree_symlink(t, e->path, e->link, &e->attrs, err);
	if (!S_ISREG(e->attrs.mode))
		return layer_tree_node(t, e->path, e->rdev, &e->attrs, err);
	rc = layer_tree_file(t, e->path, &e->attrs, &to, err);
	if (rc == 0)
		rc = copy_data(fd, to, e->size, err);
	if (rc == 0)
		rc = layer_tree_file_done(t, e->path, to, &e->attrs, err);
	return rc < 0 ? bk_err_wrap(err, rc, "'/%s'", e->path) : 0;
}

/* What the image has at the volume's path, owners as they are on the disk. */
static int seed(int from, const struct bk_root *to, const struct bundle_opts *o, struct bk_err **err)
{
	const struct layer_walk_opts walk = { .rootless = o->rootless, .warn = o->warn, .ctx = o->ctx };
	const struct layer_opts tree = { .rootless = o->rootless, .warn = o->warn, .ctx = o->ctx };
	const struct bk_root source = { .fd = from };
	bk_autolayertree struct layer_tree *t = NULL;
	int rc = layer_tree_new(to, &tree, &t, err);

	if (rc == 0)
		rc = layer_walk(&source, &walk, seed_entry, t, err);
	return rc < 0 ? rc : layer_tree_finish(t, err);
}

static int make_folder(int dirfd, int from, struct bundle_opts *o, struct bk_arena *a,
		       const char *destination, struct bk_err **err)
{
	bk_autofree char *name = bk_asprintf("volumes/%zu", o->n_binds);
	bk_autoroot struct bk_root to = BK_ROOT_INIT;
	int rc = 0;

	if ((mkdirat(dirfd, "volumes", 0755) < 0 && errno != EEXIST) || mkdirat(dirfd, name, 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s'", name);
	to.fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to.fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s'", name);
	rc = from < 0 ? bundle_files_own(&o->ids, to.fd, err) : seed(from, &to, o, err);
	if (rc == 0)
		add_bind(o, a, name, destination);
	return rc;
}

static int make_volume(int dirfd, const struct bk_root *rootfs, const char *volume,
		       struct bundle_opts *o, struct bk_arena *a, struct bk_err **err)
{
	bk_autofree char *absolute = bk_asprintf("/%s", volume);
	bk_autofree char *path = bk_path_clean(absolute);
	bk_autofree char *real = NULL;
	bk_autoclose int from = -1;
	int rc = resolve(rootfs, path, &from, &real, err);

	if (rc < 0)
		return rc;
	if (!real || is_covered(real)) {
		bk_autofree char *text = bk_asprintf("the image's volume '%s' is left out: it is at '%s'",
						     volume, real ? real : "the end of a dangling link");

		if (o->warn)
			o->warn(o->ctx, text);
		return 0;
	}
	if (has_mount(o, path, real))
		return 0;
	if (o->volumes == BUNDLE_VOLUMES_DIR)
		return make_folder(dirfd, from, o, a, real, err);
	add_bind(o, a, NULL, real);
	return 0;
}

int bundle_files_make(int dirfd, const struct bk_root *rootfs, const struct oci_image_exec *exec,
		      struct bundle_opts *opts, struct bk_arena *arena, struct bk_err **err)
{
	char *const *volumes = exec ? exec->volumes : NULL;
	int rc = make_etc(dirfd, opts, arena, err);

	if (rc == 0 && bk_strv_len(volumes) > BUNDLE_VOLUMES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "the image has more than %d volumes",
				  BUNDLE_VOLUMES_MAX);
	for (; rc == 0 && volumes && *volumes && opts->volumes != BUNDLE_VOLUMES_NONE; volumes++) {
		rc = make_volume(dirfd, rootfs, *volumes, opts, arena, err);
		if (rc < 0)
			rc = bk_err_wrap(err, rc, "volume '%s'", *volumes);
	}
	return rc;
}
