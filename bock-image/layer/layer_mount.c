/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_str.h"
#include "layer/layer_index.h"
#include "store/store_mounts.h"

#define IDS_OF_IMAGES 65536 /* what podman and others give a user, and images may use */

int layer_mount_may(struct bk_err **err)
{
	bk_autoclose int fd = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int rc;

	/* EINVAL: mounts below it are locked, as they are in a new user namespace; that is told to who may mount */
	if (fd >= 0 || errno != EPERM)
		return 0;
	rc = bk_err_set(err, BK_ERR_IO, errno, "mount an image here");
	return bk_err_hint(err, rc, "it takes CAP_SYS_ADMIN: be root, or root of a user namespace with its own mounts, as in "
			   "'unshare -Urm bash' or 'podman unshare'; what is mounted there ends with it");
}

static uint64_t count_ids(void)
{
	bk_autofclose FILE *f = fopen("/proc/self/uid_map", "re");
	uint64_t inside, outside, size, sum = 0;

	while (f && fscanf(f, "%" SCNu64 " %" SCNu64 " %" SCNu64, &inside, &outside, &size) == 3)
		sum += size;
	return sum;
}

/* ---- where --------------------------------------------------------------------------------------- */

struct place {
	int fd;			/* of the directory */
	char *path;
	int lock;		/* store_mounts_lock */
	bool own;		/* the store's */
	char name[STORE_MOUNTS_NAME_SIZE];
};

#define PLACE_INIT { .fd = -1, .lock = -1 }

static void place_done(struct place *p)
{
	bk_close(&p->fd);
	bk_close(&p->lock);
	free(p->path);
}

static int path_of(int fd, char **ret, struct bk_err **err)
{
	char proc[32], path[PATH_MAX];
	ssize_t n;

	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, path, sizeof(path) - 1);
	if (n < 0 || path[0] != '/')
		return bk_err_set(err, BK_ERR_IO, n < 0 ? errno : ENOENT, "find the path of the mount point");
	path[n] = '\0';
	*ret = bk_strdup(path);
	return 0;
}

static int check_empty(const struct place *p, const char *dir, struct bk_err **err)
{
	int fd = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bk_autoclosedir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!d) {
		int errnum = errno;

		bk_close(&fd);
		return bk_err_set(err, BK_ERR_IO, errnum, "read directory '%s'", dir);
	}
	while ((errno = 0, e = readdir(d)) != NULL)
		if (!bk_streq(e->d_name, ".") && !bk_streq(e->d_name, ".."))
			return bk_err_set(err, BK_ERR_CONFIG, ENOTEMPTY,
					  "'%s': what is in it would be hidden; name an empty directory", dir);
	return errno == 0 ? 0 : bk_err_set(err, BK_ERR_IO, errno, "read directory '%s'", dir);
}

static int open_place(struct place *p, const char *dir, struct bk_err **err)
{
	struct stat st;
	int rc;

	p->own = !dir;
	if (p->own && mkdirat(p->lock, p->name, 0700) < 0 && errno != EEXIST)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '%s'", p->name);
	p->fd = openat(p->own ? p->lock : AT_FDCWD, p->own ? p->name : dir, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0 || fstat(p->fd, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open directory '%s'", p->own ? p->name : dir);
	if (S_ISLNK(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is a symbolic link; name the directory itself", dir);
	if (!S_ISDIR(st.st_mode))
		return bk_err_set(err, BK_ERR_CONFIG, ENOTDIR, "'%s'", p->own ? p->name : dir);
	rc = check_empty(p, p->own ? p->name : dir, err);
	return rc < 0 ? rc : path_of(p->fd, &p->path, err);
}

/* ---- what ---------------------------------------------------------------------------------------- */

struct what {
	bool erofs;
	struct layer_kept k;	/* or */
	struct layer_index x;
};

#define WHAT_INIT { .k = LAYER_KEPT_INIT, .x = LAYER_INDEX_INIT }

static void what_done(struct what *w)
{
	layer_kept_done(&w->k);
	layer_index_done(&w->x);
}

static int bind_layer(const struct layer_kept *k, int *ret_fd, struct bk_err **err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
	bk_autoclose int fd = open_tree(k->layers, k->lower[0],
					OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "bind '%s'", k->lower[0]);
	if (mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make the bind mount of '%s' read-only", k->lower[0]);
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int attach(int mnt, const struct place *p, struct bk_err **err)
{
	if (move_mount(mnt, "", p->fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "mount on '%s'", p->path);
	return 0;
}

static int make_mount(const struct what *w, int *ret_fd, struct bk_err **err)
{
	if (w->erofs)
		return layer_index_mount(&w->x, ret_fd, err);
	return w->k.keys[1] ? layer_keep_mount(&w->k, NULL, true, ret_fd, err) : bind_layer(&w->k, ret_fd, err);
}

/* The note comes first, so that gc knows the layers whatever ends this process; without a mount it counts for nothing. */
static int mount_at(struct store *s, const struct what *w, const struct place *p, struct store_use *u, struct bk_err **err)
{
	bk_autoclose int mnt = -1;
	struct statx st;
	int rc = make_mount(w, &mnt, err);

	if (rc < 0)
		return rc;
	if (statx(mnt, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "stat the mount");
	u->path = p->path;
	u->mount_id = st.stx_mnt_id;
	u->count = 1;
	u->layers = w->erofs ? w->x.keys : w->k.keys;
	rc = store_use_add(s, u, err);
	if (rc < 0)
		return rc;
	rc = attach(mnt, p, err);
	if (rc < 0)
		(void)store_use_del(s, p->path, NULL);
	return rc;
}

/* One more of what is mounted in the store's own folder. */
static int count_up(struct store *s, const struct place *p, struct bk_arena *arena, char **ret_path, struct bk_err **err)
{
	struct store_use *uses;
	size_t n;
	int rc = store_mounts_list(s, arena, &uses, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!bk_has_suffix(uses[i].path, p->name) || !store_mounts_is_own(s, &uses[i]))
			continue;
		uses[i].count++;
		rc = store_use_add(s, &uses[i], err);
		if (rc == 0)
			*ret_path = bk_strdup(uses[i].path);
		break;
	}
	return rc;
}

int layer_mount_image(struct store *s, const struct store_image *image, const char *name, const char *dir,
		      bool erofs, const struct layer_opts *opts, char **ret_path, struct bk_err **err)
{
	bk_auto(what_done) struct what w = WHAT_INIT;
	bk_auto(place_done) struct place p = PLACE_INIT;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct store_use u = { .mount = true, .image = image->desc.digest, .name = (char *)name };
	struct layer_opts own = *opts;
	char *path = NULL;
	int rc;

	own.rootless = opts->rootless || count_ids() < IDS_OF_IMAGES;
	rc = layer_mount_may(err);
	w.erofs = erofs;
	if (rc == 0 && erofs)
		rc = layer_index_may(err);
	if (rc == 0)
		rc = erofs ? layer_index_image(s, image, &own, &w.x, NULL, err)
			   : layer_keep_image(s, image, &own, &w.k, NULL, err);
	if (rc == 0)
		rc = store_use_here(&u, arena, err);
	if (rc == 0)
		rc = store_mounts_lock(s, &p.lock, err);
	if (rc < 0)
		return rc;
	store_mounts_name(image->desc.digest, u.inode, p.name);
	if (!dir)
		rc = count_up(s, &p, arena, &path, err);
	if (rc == 0 && !path) {
		rc = open_place(&p, dir, err);
		if (rc == 0)
			rc = mount_at(s, &w, &p, &u, err);
		if (rc == 0)
			path = bk_steal_ptr(&p.path);
		else if (p.own)
			(void)unlinkat(p.lock, p.name, AT_REMOVEDIR);
	}
	if (rc == 0)
		*ret_path = path;
	return rc;
}
