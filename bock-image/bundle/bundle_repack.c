/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_repack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_root.h"
#include "base/bk_str.h"
#include "bundle/bundle_files.h"
#include "bundle/bundle_origin.h"
#include "layer/layer_delta.h"
#include "layer/layer_tar.h"

#define SCRATCH ".repack"

static int open_bundle(const char *path, int *ret_fd, struct bk_err **err)
{
	bk_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return bk_err_set(err, errno == ENOENT ? BK_ERR_NOT_FOUND : BK_ERR_IO, errno, "open it");
	/* as long as the descriptor is open */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "lock it: another repack is at work on it");
	*ret_fd = bk_steal_fd(&fd);
	return 0;
}

static int open_tree(int dirfd, const char *name, struct bk_root *ret, struct bk_err **err)
{
	ret->fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret->fd < 0 ? bk_err_set(err, BK_ERR_IO, errno, "open '%s'", name) : 0;
}

static int find_image(const struct store *s, const struct bundle_origin *o, struct store_image **ret,
		      struct bk_err **err)
{
	int rc = store_image_complete(s, o->image, err);

	if (rc == 0)
		rc = store_image_open_desc(s, o->image, ret, err);
	if (rc == -BK_ERR_NOT_FOUND)
		rc = bk_err_hint(err, bk_err_wrap(err, rc, "the image that it was made of, '%s' (%s), is not whole in "
						  "the store '%s'", o->name ? o->name : "", o->image->digest,
						  store_path(s)),
				 "bring this very image back (pull or load it), or name its store by --root");
	return rc;
}

/* What the bundle was, in SCRATCH/rootfs, which others than the caller don't reach. */
static int unpack_again(const struct store *s, const struct store_image *image, int fd, const struct bundle_origin *o,
			struct layer_delta *d, struct bk_err **err)
{
	const struct layer_opts opts = { .rootless = o->rootless, .ids = &o->ids };
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct timespec since;
	int rc;

	/* the clock of the files' times */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &since);
	if (mkdirat(fd, SCRATCH, 0700) < 0 || mkdirat(fd, SCRATCH "/rootfs", 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory '" SCRATCH "/rootfs' in it");
	rc = open_tree(fd, SCRATCH "/rootfs", &root, err);
	if (rc == 0)
		rc = bundle_files_own(&o->ids, root.fd, err);
	if (rc == 0)
		rc = layer_apply_image(s, image, &root, &opts, NULL, err);
	return rc < 0 ? rc : layer_delta_old(d, &root, &since, err);
}

static int read_old(const struct store *s, const struct store_image *image, int fd, const struct bundle_origin *o,
		    struct layer_delta *d, struct bk_err **err)
{
	int rc = bk_root_rmtree_at(fd, SCRATCH, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "remove '" SCRATCH "'");
	rc = unpack_again(s, image, fd, o, d, err);
	if (rc < 0) {
		(void)bk_root_rmtree_at(fd, SCRATCH, NULL);
		return bk_err_wrap(err, rc, "unpack the image again");
	}
	rc = bk_root_rmtree_at(fd, SCRATCH, err);
	return rc < 0 ? bk_err_wrap(err, rc, "remove '" SCRATCH "'") : 0;
}

static int write_layer(struct store *s, struct layer_delta *d, const struct bk_root *root,
		       enum oci_media_compression compression, struct layer_info *ret, struct bk_err **err)
{
	bk_autolayerout struct layer_out *out = NULL;
	int rc = layer_out_new(s, compression, &out, err);

	if (rc == 0)
		rc = layer_delta_write(d, root, layer_out_write, out, err);
	if (rc == 0)
		rc = layer_out_commit(out, ret, err);
	return rc < 0 ? bk_err_wrap(err, rc, "write the layer") : 0;
}

static int check_origin(const struct bundle_origin *o, struct bk_err **err)
{
	if (geteuid() != 0 && !o->rootless)
		return bk_err_set(err, BK_ERR_PERMISSION, 0, "root unpacked it, and only root can repack it");
	return 0;
}

static int clean_masks(char *const *masks, char ***ret, struct bk_err **err)
{
	int rc = 0;

	for (char *const *m = masks; rc == 0 && m && *m; m++) {
		bk_autofree char *clean = NULL;

		rc = layer_tar_clean(*m, BK_ROOT_PATH_MAX, LAYER_DEPTH_MAX, &clean, err);
		if (rc == 0 && *clean == '\0')
			rc = bk_err_set(err, BK_ERR_CONFIG, 0, "that is the root, without which nothing is left");
		if (rc < 0)
			return bk_err_wrap(err, rc, "mask path '%s'", *m);
		bk_strv_push(ret, bk_steal_ptr(&clean));
	}
	return rc;
}

/* What has the changes. */
static int open_changed(const struct bundle_origin *o, int fd, struct layer_walk_opts *walk, struct bk_root *ret,
			struct bk_err **err)
{
	walk->rootless = o->rootless;
	walk->ids = &o->ids;
	if (o->overlay)
		walk->upper = o->userxattr ? LAYER_WALK_USER : LAYER_WALK_TRUSTED;
	return open_tree(fd, o->overlay ? "upper" : "rootfs", ret, err);
}

int bundle_repack(struct store *s, const char *path, const struct bundle_repack_opts *opts, struct bundle_repacked *ret,
		  struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autostoreimage struct store_image *image = NULL;
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autolayerdelta struct layer_delta *d = NULL;
	struct bundle_repacked got = { 0 };
	struct layer_walk_opts walk = { .warn = opts->warn, .ctx = opts->ctx };
	bk_autostrv char **masks = NULL;
	struct bundle_origin origin;
	bk_autoclose int fd = -1;
	int rc = clean_masks(opts->mask, &masks, err);

	walk.skip = masks;
	if (rc == 0)
		rc = open_bundle(path, &fd, err);
	if (rc == 0)
		rc = bundle_origin_read(fd, arena, &origin, err);
	if (rc == 0)
		rc = check_origin(&origin, err);
	if (rc == 0)
		rc = open_changed(&origin, fd, &walk, &root, err);
	if (rc == 0)
		rc = find_image(s, &origin, &image, err);
	if (rc < 0)
		return rc;
	d = layer_delta_new(&walk);
	rc = read_old(s, image, fd, &origin, d, err);
	if (rc == 0)
		rc = layer_delta_compare(d, &root, &got.changed, err);
	if (rc == 0 && got.changed)
		rc = write_layer(s, d, &root, opts->compression, &got.layer, err);
	if (rc < 0)
		return rc;
	got.image = bk_steal_ptr(&image);
	*ret = got;
	return 0;
}
