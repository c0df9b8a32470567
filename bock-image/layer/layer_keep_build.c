/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that are not kept yet. Apart from the rest, which needs no reader of archives. */
#include <errno.h>
#include <fcntl.h>

#include "base/bk_str.h"
#include "layer/layer_keep_priv.h"

/* ---- one layer ----------------------------------------------------------------------------------- */

static int open_dir(int layers, const char *path, int flags, int *ret_fd, struct bk_err **err)
{
	*ret_fd = openat(layers, path, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? bk_err_set(err, BK_ERR_IO, errno, "open '%s'", path) : 0;
}

/* What is below the layer i of the image: strv, the topmost first. */
static char **lower_of(char *const *keys, size_t i)
{
	char **lower = NULL;

	while (i-- > 0)
		bk_strv_push(&lower, bk_asprintf("%s/fs", keys[i]));
	return lower;
}

/* The tree that layer i is written to: an empty directory, or an overlayfs with it on top of those below. */
static int open_tree_of(const struct layer_kept *k, size_t i, const struct store_layer_build *b, int *ret_fd,
			struct bk_err **err)
{
	bk_autostrv char **lower = lower_of(k->keys, i);
	const struct layer_overlay o = {
		.layers = k->layers,
		.lower = lower,
		.upper = store_layer_build_fs(b),
		.work = store_layer_build_work(b),
		.userxattr = k->kind != STORE_LAYER_ROOT,
	};
	bk_autoclose int below = -1, upper = -1;
	int rc;

	if (i == 0)
		return open_dir(k->layers, o.upper, O_PATH, ret_fd, err);
	/* overlayfs shows the root of the topmost layer as the root */
	rc = open_dir(k->layers, lower[0], O_RDONLY, &below, err);
	if (rc == 0)
		rc = open_dir(k->layers, o.upper, O_RDONLY, &upper, err);
	if (rc == 0)
		rc = layer_keep_dress(below, upper, err);
	return rc < 0 ? rc : layer_overlay_mount(&o, false, ret_fd, err);
}

static int build(struct store *s, const struct store_image *image, size_t i, const struct layer_opts *opts,
		 const char *chain_id, struct layer_kept *k, struct layer_stats *sum, struct bk_err **err)
{
	bk_autolayerbuild struct store_layer_build *b = NULL;
	bk_autoroot struct bk_root root = BK_ROOT_INIT;
	struct layer_stats stats = { 0 };
	struct store_layer l;
	int rc = store_layer_begin(s, k->keys[i], &b, err);

	if (rc < 0 || !b)
		return rc;
	rc = open_tree_of(k, i, b, &root.fd, err);
	if (rc == 0)
		rc = layer_apply_one(s, image, i, &root, opts, &stats, err);
	/* the mount ends before its work folder goes */
	bk_root_done(&root);
	if (rc < 0)
		return rc;
	l = (struct store_layer){
		.chain_id = (char *)chain_id,
		.diff_id = image->config.rootfs->diff_ids[i],
		.entries = stats.entries,
		.bytes = stats.bytes,
	};
	rc = store_layer_commit(b, &l, err);
	if (rc < 0)
		return rc;
	k->unpacked++;
	sum->entries += stats.entries;
	sum->whiteouts += stats.whiteouts;
	sum->bytes += stats.bytes;
	return 0;
}

int layer_keep_image(struct store *s, const struct store_image *image, const struct layer_opts *opts,
		     struct layer_kept *ret, struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autolayerkept struct layer_kept k = LAYER_KEPT_INIT;
	struct layer_opts kept_opts = *opts;
	struct layer_stats sum = { 0 };
	char **chain;
	int rc;

	kept_opts.overlay = true;
	rc = layer_keep_name_(s, image, opts, &k, &chain, err);
	for (size_t i = 0; rc == 0 && i < image->manifest.n_layers; i++) {
		bool there;

		rc = layer_keep_find_(s, k.keys[i], image->config.rootfs->diff_ids[i], &there, err);
		if (rc == 0 && !there)
			rc = build(s, image, i, &kept_opts, chain[i], &k, &sum, err);
	}
	if (rc < 0)
		return rc;
	*ret = k;
	k = (struct layer_kept)LAYER_KEPT_INIT;
	if (ret_stats)
		*ret_stats = sum;
	return 0;
}
