/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_diff.h"

#include "base/bk_str.h"
#include "layer/layer_confine.h"

struct diff_work {
	const struct store *store;
	const struct store_image *old, *new;
	const struct layer_diff_sink *sink;
	uint64_t n;
};

/* With how many layers both begin. */
static size_t common_layers(const struct store_image *a, const struct store_image *b)
{
	const size_t n = a->manifest.n_layers < b->manifest.n_layers ? a->manifest.n_layers
								     : b->manifest.n_layers;
	size_t i = 0;

	while (i < n && bk_streq(a->config.rootfs->diff_ids[i], b->config.rootfs->diff_ids[i]))
		i++;
	return i;
}

static int read_layers(const struct diff_work *w, struct layer_view *v, const struct store_image *image,
		       size_t first, size_t end, const struct layer_opts *opts, struct bk_err **err)
{
	for (size_t i = first; i < end; i++) {
		int rc = layer_view_image(v, w->store, image, i, opts, err);

		if (rc < 0)
			return bk_err_wrap(err, rc, "'%s'", image->name ? image->name : image->desc.digest);
	}
	return 0;
}

static int count(void *ctx, const struct layer_change *c, struct bk_err **err)
{
	struct diff_work *w = ctx;

	w->n++;
	return w->sink->visit(w->sink->ctx, c, err);
}

static int work(void *ctx, const struct layer_opts *opts, struct layer_stats *stats, struct bk_err **err)
{
	struct diff_work *w = ctx;
	const size_t common = common_layers(w->old, w->new);
	const bool same = common == w->old->manifest.n_layers && common == w->new->manifest.n_layers;
	bk_autolayerview struct layer_view *old = layer_view_new();
	bk_autolayerview struct layer_view *new = NULL;
	int rc = same ? 0 : read_layers(w, old, w->old, 0, common, opts, err);

	if (rc < 0)
		return rc;
	/* freed before what it is a copy of: the last that is declared goes first */
	new = layer_view_copy(old);
	rc = read_layers(w, old, w->old, common, w->old->manifest.n_layers, opts, err);
	if (rc == 0)
		rc = read_layers(w, new, w->new, common, w->new->manifest.n_layers, opts, err);
	if (rc == 0)
		rc = layer_view_compare(old, new, count, w, err);
	if (rc == 0)
		rc = w->sink->end(w->sink->ctx, err);
	stats->entries = w->n;
	return rc;
}

int layer_diff(const struct store *s, const struct store_image *old, const struct store_image *new,
	       const struct layer_opts *opts, const struct layer_diff_sink *sink, uint64_t *ret_n,
	       struct bk_err **err)
{
	struct diff_work w = { .store = s, .old = old, .new = new, .sink = sink };
	struct layer_stats stats = { 0 };
	int rc = opts->confine == LAYER_CONFINE_NONE
			 ? work(&w, opts, &stats, err)
			 : layer_confined_run(-1, store_fd(s), opts, work, &w, &stats, err);

	if (rc == 0)
		*ret_n = stats.entries;
	return rc;
}
