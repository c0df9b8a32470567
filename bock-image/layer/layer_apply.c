/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer.h"

#include "base/bk_fd.h"
#include "layer/layer_confine.h"
#include "layer/layer_sink.h"
#include "layer/layer_tree.h"

static int tree_dir(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	return layer_tree_dir(ctx, e->path, &e->attrs, err);
}

static int tree_file(void *ctx, struct layer_tar *tar, const struct layer_entry *e, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc = layer_tree_file(ctx, e->path, &e->attrs, &fd, err);

	if (rc == 0 && e->size > 0)
		rc = layer_tar_content(tar, fd, err);
	if (rc == 0)
		rc = layer_tree_file_done(ctx, e->path, fd, &e->attrs, err);
	return rc;
}

static int tree_symlink(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	return layer_tree_symlink(ctx, e->path, e->link, &e->attrs, err);
}

static int tree_link(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	return layer_tree_link(ctx, e->path, e->link, err);
}

static int tree_node(void *ctx, const struct layer_entry *e, struct bk_err **err)
{
	return layer_tree_node(ctx, e->path, e->rdev, &e->attrs, err);
}

static int tree_whiteout(void *ctx, const char *path, struct bk_err **err)
{
	return layer_tree_whiteout(ctx, path, err);
}

static int tree_opaque(void *ctx, const char *dir, struct bk_err **err)
{
	return layer_tree_opaque(ctx, dir, err);
}

static int tree_finish(void *ctx, struct bk_err **err)
{
	return layer_tree_finish(ctx, err);
}

static const struct layer_sink tree_sink = {
	.dir = tree_dir,
	.file = tree_file,
	.symlink = tree_symlink,
	.link = tree_link,
	.node = tree_node,
	.whiteout = tree_whiteout,
	.opaque = tree_opaque,
	.finish = tree_finish,
};

int layer_apply(const struct bk_root *root, int fd, const char *digest, const char *diff_id,
		const struct layer_opts *opts, struct layer_stats *ret_stats, struct bk_err **err)
{
	static const struct layer_opts defaults;
	bk_autolayertree struct layer_tree *tree = NULL;
	struct layer_stats stats = { 0 };
	int rc;

	if (!opts)
		opts = &defaults;
	rc = layer_tree_new(root, opts, &tree, err);
	if (rc == 0)
		rc = layer_sink_fd(&tree_sink, tree, fd, digest, diff_id, opts, &stats, err);
	if (rc == 0 && ret_stats)
		*ret_stats = stats;
	return rc;
}

struct image_work {
	const struct store *store;
	const struct store_image *image;
	const struct bk_root *root;
	size_t first, end;	/* of its layers */
};

static int apply_layers(void *ctx, const struct layer_opts *opts, struct layer_stats *stats,
			struct bk_err **err)
{
	const struct image_work *w = ctx;
	struct layer_stats sum = { 0 };

	for (size_t i = w->first; i < w->end; i++) {
		bk_autolayertree struct layer_tree *tree = NULL;
		struct layer_stats one;
		int rc = layer_tree_new(w->root, opts, &tree, err);

		if (rc == 0)
			rc = layer_sink_image(&tree_sink, tree, w->store, w->image, i, opts, &one, err);
		if (rc < 0)
			return rc;
		sum.entries += one.entries;
		sum.whiteouts += one.whiteouts;
		sum.bytes += one.bytes;
	}
	*stats = sum;
	return 0;
}

static int apply_work(struct image_work *work, const struct layer_opts *opts, struct layer_stats *ret_stats,
		      struct bk_err **err)
{
	static const struct layer_opts defaults;
	struct layer_stats stats = { 0 };
	int rc;

	if (!opts)
		opts = &defaults;
	rc = opts->confine == LAYER_CONFINE_NONE
		     ? apply_layers(work, opts, &stats, err)
		     : layer_confined_run(work->root->fd, store_fd(work->store), opts, apply_layers, work,
					  &stats, err);
	if (rc == 0 && ret_stats)
		*ret_stats = stats;
	return rc;
}

int layer_apply_image(const struct store *s, const struct store_image *image,
		      const struct bk_root *root, const struct layer_opts *opts,
		      struct layer_stats *ret_stats, struct bk_err **err)
{
	struct image_work work = { s, image, root, 0, image->manifest.n_layers };

	return apply_work(&work, opts, ret_stats, err);
}

int layer_apply_one(const struct store *s, const struct store_image *image, size_t i,
		    const struct bk_root *root, const struct layer_opts *opts,
		    struct layer_stats *ret_stats, struct bk_err **err)
{
	struct image_work work = { s, image, root, i, i + 1 };

	return apply_work(&work, opts, ret_stats, err);
}
