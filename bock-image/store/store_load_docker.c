/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archive: manifest.json names configurations, tags, and layers by the members' names. */
#include <string.h>

#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_load_priv.h"
#include "store/store_priv.h"

#define IMAGES_MAX 10000
#define LINKS_MAX  8 /* links to links */

struct docker_image {
	char *config;
	char **repo_tags;
	char **layers;
};

static const struct bk_doc_field image_fields[] = {
	BK_DOC_STR_F(struct docker_image, config, "Config", BK_DOC_REQUIRED),
	BK_DOC_STRV_F(struct docker_image, repo_tags, "RepoTags", 0),
	BK_DOC_STRV_F(struct docker_image, layers, "Layers", 0), BK_DOC_END
};
static const struct bk_doc_type image_type = BK_DOC_TYPE(struct docker_image, image_fields);

/* Follows links between members; what comes back is the arena's. */
static const char *resolve(const struct store_load *l, const struct store_load_docker *d,
			   const char *name)
{
	bk_autofree char *clean = bk_path_clean(name);
	const char *at = bk_arena_strdup(l->arena, clean);

	for (int i = 0; i < LINKS_MAX; i++) {
		const char *next = bk_map_get(d->links, at);

		if (!next)
			break;
		at = next;
	}
	return at;
}

/* "blobs/sha256/<hex>" as a descriptor of what the store has. */
static int find_blob(const struct store_load *l, const char *name, const char *media_type,
		     struct oci_descriptor *ret, struct bk_err **err)
{
	const char *rest = bk_skip_prefix(name, "blobs/");
	const char *slash = rest ? strchr(rest, '/') : NULL;
	bk_autoclose int fd = -1;
	bk_autofree char *digest = NULL;
	int64_t size;
	int rc;

	if (!slash)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "'%s' is not in the archive", name);
	digest = bk_asprintf("%.*s:%s", (int)(slash - rest), rest, slash + 1);
	rc = store_blob_open(l->s, digest, -1, &fd, &size, err);
	if (rc < 0)
		return rc;
	*ret = (struct oci_descriptor){
		.media_type = bk_arena_strdup(l->arena, media_type),
		.digest = bk_arena_strdup(l->arena, digest),
		.size = size,
	};
	return 0;
}

static int find_config(struct store_load *l, const struct store_load_docker *d, const char *given,
		       struct oci_descriptor *ret, struct bk_err **err)
{
	const char *name = resolve(l, d, given);
	const struct store_load_doc *doc = bk_map_get(d->docs, name);
	char digest[BK_DIGEST_TEXT_SIZE];

	if (!doc)
		return find_blob(l, name, OCI_MEDIA_CONFIG, ret, err);
	bk_digest_of(BK_DIGEST_SHA256, doc->text, doc->len, digest);
	store_load_adding_(l, digest);
	return store_blob_add(l->s, OCI_MEDIA_CONFIG, doc->text, doc->len, l->arena, ret, err);
}

/* A layer's type by its DiffID: what is stored as it is has its own digest there. */
static int find_layer(struct store_load *l, const struct store_load_docker *d, const char *given,
		      const char *diff_id, struct oci_descriptor *ret, struct bk_err **err)
{
	const char *name = resolve(l, d, given);
	const struct oci_descriptor *found = bk_map_get(d->layers, name);
	int rc;

	if (found) {
		*ret = *found;
	} else {
		rc = find_blob(l, name, OCI_MEDIA_LAYER, ret, err);
		if (rc < 0)
			return rc;
		if (!bk_streq(ret->digest, diff_id))
			ret->media_type = bk_arena_strdup(l->arena, OCI_MEDIA_LAYER_GZIP);
	}
	if (bk_streq(ret->media_type, OCI_MEDIA_LAYER) && !bk_streq(ret->digest, diff_id))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "layer '%s' has the digest %s instead of %s", given, ret->digest,
				  diff_id);
	return 0;
}

static int load_image(struct store_load *l, const struct store_load_docker *d,
		      const struct docker_image *image, struct bk_err **err)
{
	size_t n = image->layers ? bk_strv_len(image->layers) : 0;
	struct oci_image_config config;
	struct oci_descriptor config_desc, desc;
	struct oci_descriptor *layers;
	char **ids;
	int rc = find_config(l, d, image->config, &config_desc, err);

	if (rc == 0)
		rc = store_config_read(l->s, &config_desc, l->arena, &config, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "configuration '%s'", image->config);
	ids = config.rootfs->diff_ids;
	if ((ids ? bk_strv_len(ids) : 0) != n || n > STORE_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "'%s' has %zu layers, its configuration %zu", image->config, n,
				  ids ? bk_strv_len(ids) : 0);
	layers = bk_arena_alloc(l->arena, (n + 1) * sizeof(*layers));
	for (size_t i = 0; i < n; i++) {
		rc = find_layer(l, d, image->layers[i], ids[i], &layers[i], err);
		if (rc < 0)
			return rc;
	}
	rc = store_manifest_put(l->s, &config, &config_desc, layers, n, NULL, 0, l->arena, &desc,
				err);
	if (rc < 0)
		return rc;
	store_load_image_add_(l, &desc,
			      image->repo_tags && *image->repo_tags ? image->repo_tags : NULL);
	return 0;
}

int store_load_docker_(struct store_load *l, const struct store_load_docker *d,
		       const struct store_load_doc *manifest, struct bk_err **err)
{
	struct bk_doc_value v;
	int rc = bk_json_parse("manifest.json", manifest->text, manifest->len, &bk_doc_limits_oci,
			       l->arena, &v, err);

	if (rc < 0)
		return rc;
	if (v.node != BK_DOC_NODE_SEQ || v.n > IMAGES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "manifest.json is not a list of images");
	for (size_t i = 0; i < v.n; i++) {
		struct docker_image image = { 0 };

		rc = bk_doc_store(&image_type, &v.items[i], &bk_doc_limits_oci, l->arena, &image,
				  err);
		if (rc == 0)
			rc = load_image(l, d, &image, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "image %zu of manifest.json", i + 1);
	}
	return 0;
}
