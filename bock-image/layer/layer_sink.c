/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_sink.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_fd.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "layer/layer_ids_map.h"
#include "layer/layer_stream.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"

#define WHITEOUT ".wh."
#define OPAQUE	 ".wh..wh..opq"
#define AUFS	 ".wh..wh." /* what aufs kept for itself; no file of any layer */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether a component before the last is a whiteout; *ret_name: where it begins. */
static bool is_below_whiteout(const char *path, const char **ret_name)
{
	const char *base = base_name(path);

	for (; path < base; path = strchr(path, '/') + 1) {
		if (bk_skip_prefix(path, WHITEOUT)) {
			*ret_name = path;
			return true;
		}
	}
	return false;
}

static int bad_whiteout(const char *path, const char *why, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "whiteout '%s': %s", path, why);
}

/* A marker: it is obeyed and never becomes a file. */
static int apply_whiteout(const struct layer_sink *sink, void *ctx, const struct layer_entry *e,
			  struct bk_err **err)
{
	const char *base = base_name(e->path);
	size_t dir_len = (size_t)(base - e->path);
	bk_autofree char *dir = bk_strndup(e->path, dir_len > 0 ? dir_len - 1 : 0);
	bk_autofree char *target = NULL;

	if (bk_streq(base, OPAQUE))
		return sink->opaque(ctx, dir, err);
	if (bk_skip_prefix(base, AUFS))
		return 0;
	if (!e->is_hardlink && !S_ISREG(e->attrs.mode))
		return bad_whiteout(e->path, "it is not a regular file", err);
	base += strlen(WHITEOUT);
	if (*base == '\0' || bk_streq(base, ".") || bk_streq(base, ".."))
		return bad_whiteout(e->path, "it hides nothing that has a name", err);
	target = bk_asprintf("%s%s%s", dir, *dir ? "/" : "", base);
	return sink->whiteout(ctx, target, err);
}

static int apply_entry(const struct layer_sink *sink, void *ctx, struct layer_tar *tar,
		       const struct layer_entry *e, struct layer_stats *stats, struct bk_err **err)
{
	const char *inside;

	if (is_below_whiteout(e->path, &inside)) {
		if (bk_skip_prefix(inside, AUFS))
			return 0;
		return bad_whiteout(e->path, "something is below one", err);
	}
	if (bk_skip_prefix(base_name(e->path), WHITEOUT)) {
		stats->whiteouts++;
		return apply_whiteout(sink, ctx, e, err);
	}
	if (*e->path == '\0' && (e->is_hardlink || !S_ISDIR(e->attrs.mode)))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "an entry replaces the root by no directory");
	if (e->is_hardlink)
		return *e->link ? sink->link(ctx, e, err)
				: bk_err_set(err, BK_ERR_CONFIG, 0, "hard link '%s' to the root",
					     e->path);
	switch (e->attrs.mode & S_IFMT) {
	case S_IFREG:
		return sink->file(ctx, tar, e, err);
	case S_IFDIR:
		return sink->dir(ctx, e, err);
	case S_IFLNK:
		return sink->symlink(ctx, e, err);
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return sink->node(ctx, e, err);
	default:
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' is of an unknown kind", e->path);
	}
}

static void warn_left_out(const struct layer_opts *opts, const struct layer_entry *e)
{
	bk_autofree char *text = bk_asprintf("'/%s': left out: %s", e->path, e->left_out);

	opts->warn(opts->ctx, text);
}

static int apply_all(const struct layer_sink *sink, void *ctx, struct layer_tar *tar,
		     const struct layer_opts *opts, struct layer_stats *stats, struct bk_err **err)
{
	uint64_t max_entries = opts->max_entries ? opts->max_entries : LAYER_ENTRIES_MAX;

	for (;;) {
		struct layer_entry e;
		bool more;
		int rc = layer_tar_next(tar, &e, &more, err);

		if (rc < 0)
			return rc;
		if (!more)
			return sink->finish(ctx, err);
		if (++stats->entries > max_entries)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %" PRIu64 " entries",
					  max_entries);
		if (e.left_out && opts->warn)
			warn_left_out(opts, &e);
		if (opts->ids && !opts->rootless) {
			rc = layer_ids_map(opts->ids, &e.attrs, err);
			if (rc < 0)
				return bk_err_wrap(err, rc, "'/%s'", e.path);
		}
		rc = apply_entry(sink, ctx, tar, &e, stats, err);
		if (rc < 0)
			return rc;
	}
}

int layer_sink_fd(const struct layer_sink *sink, void *ctx, int fd, const char *digest, const char *diff_id,
		  const struct layer_opts *opts, struct layer_stats *ret_stats, struct bk_err **err)
{
	bk_autolayerstream struct layer_stream *stream = NULL;
	bk_autolayertar struct layer_tar *tar = NULL;
	const struct layer_stream_opts so = {
		.digest = digest,
		.diff_id = diff_id,
		.max_size = opts->max_size ? opts->max_size : LAYER_SIZE_MAX,
		.max_ratio = opts->max_ratio ? opts->max_ratio : LAYER_RATIO_MAX,
		.threads = opts->threads,
	};
	struct layer_stats stats = { 0 };
	int rc = layer_stream_new(fd, &so, &stream, err);

	if (rc == 0)
		rc = layer_tar_new(stream, opts, &tar, err);
	if (rc == 0)
		rc = apply_all(sink, ctx, tar, opts, &stats, err);
	if (rc == 0)
		rc = layer_stream_finish(stream, stats.diff_id, err);
	if (rc < 0)
		return rc;
	stats.bytes = layer_stream_bytes(stream);
	*ret_stats = stats;
	return 0;
}

int layer_sink_image(const struct layer_sink *sink, void *ctx, const struct store *s,
		     const struct store_image *image, size_t i, const struct layer_opts *opts,
		     struct layer_stats *ret_stats, struct bk_err **err)
{
	const struct oci_descriptor *d = &image->manifest.layers[i];
	bk_autoclose int fd = -1;
	int rc;

	if (oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_LAYER)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "layer %s of type '%s'", d->digest,
				  d->media_type);
	rc = store_blob_open(s, d->digest, d->size, &fd, NULL, err);
	if (rc == 0)
		rc = layer_sink_fd(sink, ctx, fd, d->digest, image->config.rootfs->diff_ids[i], opts,
				   ret_stats, err);
	return rc < 0 ? bk_err_wrap(err, rc, "layer %zu (%s)", i + 1, d->digest) : 0;
}
