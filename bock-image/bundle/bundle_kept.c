/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/bundle_kept.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/bk_str.h"
#include "bundle/bundle_priv.h"
#include "layer/layer_clone.h"
#include "layer/layer_index.h"
#include "layer/layer_keep.h"

/* ---- erofs --------------------------------------------------------------------------------------- */

/* mounts[0]: the index; mounts[1]: an overlayfs over it. */
static void index_mounts(const struct layer_index *x, const char *layers, const char *bundle, struct bk_arena *arena,
			 struct oci_mount ret[2])
{
	bk_autofree char *source = bk_asprintf("%s/%s", layers, x->source);
	bk_autostrv char **index = NULL;
	bk_autostrv char **over = NULL;

	bk_strv_add(&index, "ro");
	bk_strv_add(&index, "nodev");
	for (char **d = x->devices; *d; d++)
		bk_strv_push(&index, bk_asprintf("device=%s/%s", layers, *d));
	bundle_root_mount_("erofs", source, index, arena, &ret[0]);
	bk_strv_push(&over, bk_asprintf("lowerdir=%s/rootfs", bundle));
	bundle_overlay_mount_(bundle, false, &over, arena, &ret[1]);
}

static int fill_erofs(struct store *s, const struct store_image *image, const struct layer_index *x, int fd,
		      const struct bundle_opts *opts, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	bk_autofree char *bundle = NULL, *layers = NULL;
	struct oci_runtime_config config = { 0 };
	struct oci_mount mounts[2] = { 0 };
	uint64_t inode = 0;
	int rc = bundle_path_(fd, "the bundle", &bundle, err);

	if (rc == 0)
		rc = bundle_path_(x->layers, "the store's layers", &layers, err);
	/* what can't be mounted here is known now */
	if (rc == 0)
		rc = layer_index_mount(x, &root.fd, err);
	if (rc == 0)
		rc = bundle_overlay_folders_(root.fd, ".", fd, &inode, err);
	if (rc == 0)
		rc = bundle_note_use_(s, image, x->keys, bundle, inode, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	if (rc < 0)
		return rc;
	index_mounts(x, layers, bundle, arena, mounts);
	return bundle_write_roots_(fd, &config, mounts, BK_ARRAY_SIZE(mounts), arena, err);
}

static int index_and_fill(struct store *s, const struct store_image *image, int fd, const struct bundle_opts *opts,
			  const struct layer_opts *layer, struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autolayerindex struct layer_index x = LAYER_INDEX_INIT;
	bk_autofree char *unused = NULL;
	int rc = layer_index_may(err);

	if (rc == 0 && layer->rootless)
		rc = bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "--rootless: the files of an EROFS have the owners of the image; --mode "
				"overlay and copy give them to the caller");
	if (rc == 0)
		rc = bundle_path_(fd, "the bundle", &unused, err);
	if (rc == 0)
		rc = layer_index_image(s, image, layer, &x, ret_stats, err);
	return rc < 0 ? rc : fill_erofs(s, image, &x, fd, opts, err);
}

/* ---- reflink ------------------------------------------------------------------------------------- */

static int fill_clone(const struct store_image *image, const struct layer_kept *k, int fd, bool may_copy,
		      const struct bundle_opts *opts, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct oci_runtime_config config;
	int rc;

	if (mkdirat(fd, "rootfs", 0755) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "make directory 'rootfs'");
	root.fd = openat(fd, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root.fd < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open 'rootfs'");
	rc = layer_clone(k, &root, may_copy, err);
	if (rc == 0)
		rc = bundle_convert_(image, fd, &root, opts, arena, &config, err);
	return rc < 0 ? rc : bundle_config_write(fd, &config, err);
}

/* ---- all ----------------------------------------------------------------------------------------- */

/* Before any layer is unpacked for nothing: whether blocks can be shared with the folder fd. */
static int probe(const struct store *s, int fd, struct bk_err **err)
{
	bk_autoclose int layers = -1;
	int rc = store_layers_open(s, true, &layers, err);

	return rc < 0 ? rc : layer_clone_probe(layers, fd, err);
}

static int fill(struct store *s, const struct store_image *image, int fd, enum bundle_mode mode,
		const struct bundle_opts *opts, const struct layer_opts *layer, struct layer_stats *ret_stats,
		struct bk_err **err)
{
	bk_autolayerkept struct layer_kept k = LAYER_KEPT_INIT;
	bk_autofree char *unused = NULL;
	bool share = mode == BUNDLE_REFLINK;
	int rc = 0;

	if (mode == BUNDLE_OVERLAY)
		rc = bundle_path_(fd, "the bundle", &unused, err);
	if (mode == BUNDLE_REFLINK)
		rc = probe(s, fd, err);
	if (mode == BUNDLE_AUTO)
		share = probe(s, fd, NULL) == 0;
	/* copies of kept layers take their place twice: only of those that are there already */
	if (mode == BUNDLE_AUTO && !share && !layer_keep_has(s, image, layer))
		return bundle_fill_(s, image, fd, opts, layer, ret_stats, err);
	if (rc == 0)
		rc = layer_keep_image(s, image, layer, &k, ret_stats, err);
	if (rc < 0)
		return rc;
	return mode == BUNDLE_OVERLAY ? bundle_overlay_fill_(s, image, &k, fd, opts, err)
				      : fill_clone(image, &k, fd, mode == BUNDLE_AUTO, opts, err);
}

int bundle_unpack_mode(struct store *s, const struct store_image *image, const char *path,
		       enum bundle_mode mode, const struct bundle_opts *opts, const struct layer_opts *layer,
		       struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	bool made = false;
	int rc;

	if (mode == BUNDLE_COPY)
		return bundle_unpack(s, image, path, opts, layer, ret_stats, err);
	if (opts->ids.n_uids > 0)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "--uid-map: kept layers have the owners of the image; --mode copy maps them");
	rc = bundle_config_check(&image->config, opts, err);
	if (rc == 0)
		rc = bundle_take_folder_(path, &fd, &made, err);
	if (rc == 0)
		rc = mode == BUNDLE_EROFS ? index_and_fill(s, image, fd, opts, layer, ret_stats, err)
					  : fill(s, image, fd, mode, opts, layer, ret_stats, err);
	if (rc == 0)
		rc = bundle_note_origin_(image, fd, mode == BUNDLE_OVERLAY || mode == BUNDLE_EROFS, layer, err);
	return bundle_leave_folder_(path, fd, made, rc, err);
}
