/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_image.h"

#include <inttypes.h>
#include <string.h>

#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_index.h"
#include "store/store_platform.h"
#include "store/store_priv.h"

#if defined(__x86_64__)
#define MACHINE_ARCH "amd64"
#elif defined(__aarch64__)
#define MACHINE_ARCH	"arm64"
#define MACHINE_VARIANT "v8"
#elif defined(__arm__)
#define MACHINE_ARCH	"arm"
#define MACHINE_VARIANT "v7"
#elif defined(__i386__)
#define MACHINE_ARCH "386"
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE_ARCH "riscv64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define MACHINE_ARCH "ppc64le"
#elif defined(__s390x__)
#define MACHINE_ARCH "s390x"
#elif defined(__loongarch64)
#define MACHINE_ARCH "loong64"
#else
#error "name this machine's architecture as image-spec does (GOARCH)"
#endif
#ifndef MACHINE_VARIANT
#define MACHINE_VARIANT NULL
#endif

const char *store_machine_arch(void)
{
	return MACHINE_ARCH;
}

const char *store_machine_variant(void)
{
	return MACHINE_VARIANT;
}

void store_machine_platform(struct oci_platform *ret)
{
	*ret = (struct oci_platform){
		.os = (char *)(uintptr_t)"linux",
		.architecture = (char *)(uintptr_t)MACHINE_ARCH,
		.variant = (char *)(uintptr_t)MACHINE_VARIANT,
	};
}

static int check_descriptor(const struct oci_descriptor *d, struct bk_err **err)
{
	int rc = bk_digest_parse(d->digest, NULL, NULL, err);

	if (rc < 0)
		return rc;
	if (d->size < 0 || d->size > STORE_BLOB_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "blob %s: a size of %" PRId64 " bytes",
				  d->digest, d->size);
	return 0;
}

static int check_descriptors(const struct oci_descriptor *d, size_t n, struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = check_descriptor(&d[i], err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The text of a document, checked against its descriptor; in *buf. */
static int read_text(const struct store *s, const struct oci_descriptor *d, struct bk_buf *buf,
		     struct bk_err **err)
{
	int rc = check_descriptor(d, err);

	return rc < 0 ? rc : store_blob_read(s, d, buf, err);
}

/* What a document says of itself must be what its descriptor says (CVE-2021-41190). */
static int check_kind(const struct oci_descriptor *d, int schema, const char *media_type,
		      bool other_too, enum oci_media_kind kind, struct bk_err **err)
{
	const char *what = kind == OCI_MEDIA_KIND_INDEX ? "index" : "manifest";

	if (schema != 2)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "%s %s: schemaVersion %d", what,
				  d->digest, schema);
	if (other_too)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "%s %s is manifest and index at once",
				  what, d->digest);
	if (media_type && !bk_streq(media_type, d->media_type))
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "%s %s: it says that it is '%s', its descriptor '%s'", what,
				  d->digest, media_type, d->media_type);
	if (oci_media_kind_of(d->media_type) != kind)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "%s: '%s' is not the type of an image %s", d->digest,
				  d->media_type, what);
	return 0;
}

int store_manifest_read(const struct store *s, const struct oci_descriptor *d,
			struct bk_arena *arena, struct oci_manifest *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	struct oci_manifest m;
	int rc = read_text(s, d, &text, err);

	if (rc == 0)
		rc = bk_json_decode(&oci_manifest_type, d->digest, text.data, text.len,
				    &bk_doc_limits_oci, arena, &m, err);
	if (rc == 0)
		rc = check_kind(d, m.schema_version, m.media_type, m.manifests != NULL,
				OCI_MEDIA_KIND_MANIFEST, err);
	if (rc == 0)
		rc = check_descriptor(m.config, err);
	if (rc == 0)
		rc = check_descriptors(m.layers, m.n_layers, err);
	if (rc < 0)
		return rc;
	if (m.n_layers > STORE_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "manifest %s has %zu layers, at most %d are taken", d->digest,
				  m.n_layers, STORE_LAYERS_MAX);
	*ret = m;
	return 0;
}

int store_manifests_read(const struct store *s, const struct oci_descriptor *d,
			 struct bk_arena *arena, struct oci_index *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	struct oci_index index;
	int rc = read_text(s, d, &text, err);

	if (rc == 0)
		rc = bk_json_decode(&oci_index_type, d->digest, text.data, text.len,
				    &bk_doc_limits_oci, arena, &index, err);
	if (rc == 0)
		rc = check_kind(d, index.schema_version, index.media_type,
				index.layers || index.config, OCI_MEDIA_KIND_INDEX, err);
	if (rc == 0)
		rc = check_descriptors(index.manifests, index.n_manifests, err);
	if (rc < 0)
		return rc;
	*ret = index;
	return 0;
}

int store_config_read(const struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
		      struct oci_image_config *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_CONFIG_MAX);
	struct oci_image_config config;
	int rc;

	if (oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_CONFIG)
		return bk_err_set(
			err, BK_ERR_UNSUPPORTED, 0,
			"'%s' is no image configuration: this is another kind of artifact",
			d->media_type);
	rc = read_text(s, d, &text, err);
	if (rc == 0)
		rc = bk_json_decode(&oci_image_config_type, d->digest, text.data, text.len,
				    &bk_doc_limits_oci, arena, &config, err);
	if (rc < 0)
		return rc;
	if (!bk_streq(config.rootfs->type, "layers"))
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "image configuration %s: rootfs.type '%s'", d->digest,
				  config.rootfs->type);
	for (char **id = config.rootfs->diff_ids; id && *id; id++) {
		rc = bk_digest_parse(*id, NULL, NULL, err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "image configuration %s: rootfs.diff_ids",
					   d->digest);
	}
	*ret = config;
	return 0;
}

/* From the descriptor of an index to that of a manifest for this machine. */
static int choose(const struct store *s, struct bk_arena *arena, struct oci_descriptor *d,
		  unsigned int *ret_n, struct bk_err **err)
{
	struct oci_platform machine;

	store_machine_platform(&machine);
	for (unsigned int i = 0; i < STORE_NESTING_MAX; i++) {
		const struct oci_descriptor *next;
		struct oci_index index;
		int rc;

		*ret_n = i;
		if (oci_media_kind_of(d->media_type) != OCI_MEDIA_KIND_INDEX)
			return 0;
		rc = store_manifests_read(s, d, arena, &index, err);
		if (rc < 0)
			return rc;
		next = store_platform_choose(&machine, index.manifests, index.n_manifests);
		if (!next)
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0,
					  "index %s has no image for linux/%s", d->digest,
					  MACHINE_ARCH);
		*d = *next;
	}
	return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
			  STORE_NESTING_MAX);
}

static int load(const struct store *s, struct store_image *i, const struct oci_descriptor *d,
		struct bk_err **err)
{
	size_t n_diff_ids;
	int rc;

	i->desc = *d;
	rc = choose(s, i->arena, &i->desc, &i->n_indexes, err);
	if (rc == 0)
		rc = store_manifest_read(s, &i->desc, i->arena, &i->manifest, err);
	if (rc == 0)
		rc = store_config_read(s, i->manifest.config, i->arena, &i->config, err);
	if (rc < 0)
		return rc;
	n_diff_ids = i->config.rootfs->diff_ids ? bk_strv_len(i->config.rootfs->diff_ids) : 0;
	if (n_diff_ids != i->manifest.n_layers)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "manifest %s has %zu layers, its configuration %zu",
				  i->desc.digest, i->manifest.n_layers, n_diff_ids);
	return 0;
}

int store_image_open_desc(const struct store *s, const struct oci_descriptor *d,
			  struct store_image **ret, struct bk_err **err)
{
	bk_autostoreimage struct store_image *i = bk_calloc(1, sizeof(*i));
	struct oci_descriptor copy;
	int rc;

	i->arena = bk_arena_new();
	store_descriptor_copy_(i->arena, d, &copy);
	rc = load(s, i, &copy, err);
	if (rc < 0)
		return rc;
	*ret = bk_steal_ptr(&i);
	return 0;
}

int store_image_open(const struct store *s, const char *name, struct store_image **ret,
		     struct bk_err **err)
{
	bk_autostoreimage struct store_image *i = bk_calloc(1, sizeof(*i));
	struct oci_descriptor d;
	const char *found;
	int rc;

	i->arena = bk_arena_new();
	rc = store_name_find(s, name, i->arena, &d, err);
	if (rc < 0)
		return rc;
	found = store_index_name(&d);
	rc = load(s, i, &d, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "image '%s'", name);
	i->name = found ? bk_arena_strdup(i->arena, found) : NULL;
	*ret = bk_steal_ptr(&i);
	return 0;
}

void store_image_free(struct store_image *i)
{
	if (!i)
		return;
	bk_arena_free(i->arena);
	free(i);
}

/* ---- writing ------------------------------------------------------------------------------------ */

static int put_document(struct store *s, const struct bk_doc_type *type, const void *doc,
			const char *media_type, size_t max, struct bk_arena *arena,
			struct oci_descriptor *ret, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(max);
	int rc = bk_json_encode(type, doc, 0, &text, err);

	if (rc == 0)
		rc = bk_buf_check(&text, media_type, err);
	if (rc < 0)
		return rc;
	return store_blob_add(s, media_type, text.data, text.len, arena, ret, err);
}

static int put_config(struct store *s, const struct oci_image_config *config,
		      struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	struct oci_image_config copy = *config;
	struct oci_image_rootfs rootfs = *config->rootfs;
	char *no_ids[1] = { NULL };

	/* An image without layers has an empty list of them, not none. */
	if (!rootfs.diff_ids)
		rootfs.diff_ids = no_ids;
	copy.rootfs = &rootfs;
	return put_document(s, &oci_image_config_type, &copy, OCI_MEDIA_CONFIG, STORE_CONFIG_MAX,
			    arena, ret, err);
}

int store_manifest_put(struct store *s, const struct oci_image_config *config,
		       const struct oci_descriptor *config_desc,
		       const struct oci_descriptor *layers, size_t n_layers,
		       const struct bk_doc_pair *annotations, size_t n_annotations,
		       struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	struct oci_descriptor *copies = bk_arena_alloc(arena, (n_layers + 1) * sizeof(*copies));
	struct oci_platform *p = bk_arena_alloc(arena, sizeof(*p));
	struct oci_descriptor config_copy, desc;
	struct oci_manifest m = {
		.schema_version = 2,
		.media_type = bk_arena_strdup(arena, OCI_MEDIA_MANIFEST),
		.config = &config_copy,
		.layers = copies,
		.n_layers = n_layers,
	};
	int rc;

	store_descriptor_copy_(arena, config_desc, &config_copy);
	for (size_t i = 0; i < n_layers; i++) {
		if (!store_blob_has(s, layers[i].digest, layers[i].size))
			return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "layer %s is not in the store",
					  layers[i].digest);
		store_descriptor_copy_(arena, &layers[i], &copies[i]);
	}
	for (size_t i = 0; i < n_annotations; i++)
		bk_doc_pair_set(arena, &m.annotations, &m.n_annotations, annotations[i].key,
				annotations[i].value);
	rc = put_document(s, &oci_manifest_type, &m, OCI_MEDIA_MANIFEST, STORE_MANIFEST_MAX, arena,
			  &desc, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "image manifest");
	p->architecture = bk_arena_strdup(arena, config->architecture);
	p->os = bk_arena_strdup(arena, config->os);
	p->variant = config->variant ? bk_arena_strdup(arena, config->variant) : NULL;
	desc.platform = p;
	*ret = desc;
	return 0;
}

int store_image_put(struct store *s, const char *name, const struct oci_image_config *config,
		    const struct oci_descriptor *layers, size_t n_layers,
		    const struct bk_doc_pair *annotations, size_t n_annotations,
		    struct bk_arena *arena, struct oci_descriptor *ret, struct bk_err **err)
{
	size_t n_diff_ids = config->rootfs->diff_ids ? bk_strv_len(config->rootfs->diff_ids) : 0;
	struct oci_descriptor config_desc, desc;
	int rc;

	if (n_diff_ids != n_layers || n_layers > STORE_LAYERS_MAX)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "%zu layers for %zu diff_ids", n_layers,
				  n_diff_ids);
	rc = put_config(s, config, arena, &config_desc, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "image configuration");
	rc = store_manifest_put(s, config, &config_desc, layers, n_layers, annotations,
				n_annotations, arena, &desc, err);
	if (rc == 0 && name)
		rc = store_name_set(s, name, &desc, err);
	if (rc < 0)
		return rc;
	if (ret)
		*ret = desc;
	return 0;
}

/* ---- completeness ------------------------------------------------------------------------------- */

static int complete(const struct store *s, const struct oci_descriptor *d, unsigned int depth,
		    struct bk_err **err);

/* Indexes come with the manifests of some platforms only: what is there must be whole, and be one. */
static int complete_some(const struct store *s, const struct oci_index *index, const char *digest,
			 unsigned int depth, struct bk_err **err)
{
	size_t found = 0;

	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct oci_descriptor *d = &index->manifests[i];
		int rc;

		if (!store_blob_has(s, d->digest, -1))
			continue;
		rc = complete(s, d, depth, err);
		if (rc < 0)
			return rc;
		found++;
	}
	if (found == 0 && index->n_manifests > 0)
		return bk_err_set(err, BK_ERR_NOT_FOUND, 0,
				  "index %s: none of its images is in the store", digest);
	return 0;
}

static int complete(const struct store *s, const struct oci_descriptor *d, unsigned int depth,
		    struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	bk_autoclose int fd = -1;
	int rc;

	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
				  STORE_NESTING_MAX);
	if (kind == OCI_MEDIA_KIND_INDEX) {
		struct oci_index index;

		rc = store_manifests_read(s, d, arena, &index, err);
		return rc < 0 ? rc : complete_some(s, &index, d->digest, depth + 1, err);
	}
	if (kind == OCI_MEDIA_KIND_MANIFEST) {
		struct oci_manifest m;

		rc = store_manifest_read(s, d, arena, &m, err);
		if (rc == 0)
			rc = store_blob_open(s, m.config->digest, m.config->size, &fd, NULL, err);
		/* Layers are leaves whatever their type says. */
		for (size_t i = 0; rc == 0 && i < m.n_layers; i++) {
			bk_close(&fd);
			rc = store_blob_open(s, m.layers[i].digest, m.layers[i].size, &fd, NULL,
					     err);
		}
		return rc;
	}
	rc = check_descriptor(d, err);
	return rc < 0 ? rc : store_blob_open(s, d->digest, d->size, &fd, NULL, err);
}

int store_image_complete(const struct store *s, const struct oci_descriptor *d, struct bk_err **err)
{
	return complete(s, d, 0, err);
}
