/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_fd.h"
#include "base/bk_file.h"
#include "base/bk_root.h"
#include "base/bk_str.h"
#include "lib/bock_priv.h"
#include "lib/image.h"
#include "codec/bk_json.h"
#include "layer/layer.h"
#include "oci/oci_media.h"
#include "registry/registry_trust.h"
#include "store/store.h"
#include "store/store_blob.h"
#include "store/store_fsck.h"
#include "store/store_gc.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_load.h"
#include "store/store_save.h"
#include "trust/trust_policy.h"

_Static_assert(BOCK_DIGEST_SIZE == BK_DIGEST_TEXT_SIZE &&
		       (int)BOCK_STORE_WRITE == (int)STORE_WRITE &&
		       (int)BOCK_STORE_CREATE == (int)STORE_CREATE,
	       "what the public header says is what is used inside");

int bock_store_open(const char *path, unsigned int flags, struct bock_store **ret_store,
		    struct bk_err **err)
{
	bk_autofree char *def = NULL;
	struct bock_store *store;
	struct store *s;
	int rc = 0;

	if (flags & ~(unsigned int)(BOCK_STORE_WRITE | BOCK_STORE_CREATE))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "open an image store: flags 0x%x", flags);
	if (!path)
		rc = store_default_path(&def, err);
	if (rc == 0)
		rc = store_open(path ? path : def, flags, &s, err);
	if (rc < 0)
		return rc;
	store = bk_calloc(1, sizeof(*store));
	store->s = s;
	*ret_store = store;
	return 0;
}

void bock_store_close(struct bock_store *store)
{
	if (!store)
		return;
	store_close(store->s);
	free(store);
}

/* ---- images ---------------------------------------------------------------------------------------- */

static char *copy0(const char *s)
{
	return s ? bk_strdup(s) : NULL;
}

static struct bock_image *describe(const struct store_image *i)
{
	struct bock_image *image = bk_calloc(1, sizeof(*image));

	image->reference = copy0(i->name);
	image->digest = bk_strdup(i->desc.digest);
	image->config_digest = bk_strdup(i->manifest.config->digest);
	image->created = copy0(i->config.created);
	image->architecture = bk_strdup(i->config.architecture);
	image->os = bk_strdup(i->config.os);
	image->n_layers = i->manifest.n_layers;
	image->layers = bk_calloc(image->n_layers + 1, sizeof(*image->layers));
	image->size = (uint64_t)i->desc.size + (uint64_t)i->manifest.config->size;
	for (size_t k = 0; k < image->n_layers; k++) {
		image->layers[k] = bk_strdup(i->manifest.layers[k].digest);
		image->size += (uint64_t)i->manifest.layers[k].size;
	}
	return image;
}

void bock_image_free(struct bock_image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->n_layers; i++)
		free(image->layers[i]);
	free(image->layers);
	free(image->reference);
	free(image->digest);
	free(image->config_digest);
	free(image->created);
	free(image->architecture);
	free(image->os);
	free(image);
}

void bock_images_free(struct bock_image **images)
{
	for (struct bock_image **i = images; i && *i; i++)
		bock_image_free(*i);
	free(images);
}

int bock_store_load(const struct bock_store *store, const char *reference,
		    struct bock_image **ret_image, struct bk_err **err)
{
	bk_autostoreimage struct store_image *i = NULL;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_descriptor d;
	struct bk_err *why = NULL;
	int rc = store_name_find(store->s, reference, arena, &d, &why);

	/* An image whose blobs are missing is there, and broken: only a name that nothing has is none. */
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		*ret_image = NULL;
		return 0;
	}
	if (rc < 0) {
		bk_err_move(err, why);
		return rc;
	}
	rc = store_image_open(store->s, reference, &i, err);
	if (rc == 0)
		*ret_image = describe(i);
	return rc;
}

int bock_store_list(const struct bock_store *store, struct bock_image ***ret_images, size_t *ret_n,
		    struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bock_image **images;
	struct oci_index index;
	size_t n = 0;
	int rc = store_index_read(store->s, arena, &index, err);

	if (rc < 0)
		return rc;
	images = bk_calloc(index.n_manifests + 1, sizeof(void *));
	for (size_t k = 0; k < index.n_manifests; k++) {
		bk_autostoreimage struct store_image *i = NULL;

		if (store_image_open_desc(store->s, &index.manifests[k], &i, NULL) < 0)
			continue;
		images[n] = describe(i);
		images[n++]->reference = copy0(store_index_name(&index.manifests[k]));
	}
	*ret_images = images;
	if (ret_n)
		*ret_n = n;
	return 0;
}

int bock_store_delete(struct bock_store *store, const char *reference, bool *ret_deleted,
		      struct bk_err **err)
{
	struct bk_err *why = NULL;
	int rc = store_name_delete(store->s, reference, &why);

	if (rc < 0 && rc != -BK_ERR_NOT_FOUND) {
		bk_err_move(err, why);
		return rc;
	}
	bk_err_clear(&why);
	if (ret_deleted)
		*ret_deleted = rc == 0;
	return 0;
}

int bock_store_tag(struct bock_store *store, const char *reference, const char *new_reference,
		   struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_descriptor d;
	int rc = store_name_find(store->s, reference, arena, &d, err);

	return rc < 0 ? rc : store_name_set(store->s, new_reference, &d, err);
}

/* ---- saving ---------------------------------------------------------------------------------------- */

/* A document's own mediaType; an OCI manifest where it has none. */
static int manifest_type(const void *data, size_t size, struct bk_arena *arena, const char **ret,
			 struct bk_err **err)
{
	struct oci_manifest m;
	int rc = bk_json_decode(&oci_manifest_type, "the manifest", data, size, &bk_doc_limits_oci,
				arena, &m, err);

	if (rc == 0)
		*ret = m.media_type ? m.media_type : OCI_MEDIA_MANIFEST;
	return rc;
}

static int add_blob(struct store *s, const char *what, const void *data, size_t size,
		    char *ret_digest, struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	int rc = store_writer_new(s, NULL, (int64_t)size, &w, err);

	if (rc == 0)
		rc = store_writer_write(w, data, size, err);
	if (rc == 0)
		rc = store_writer_commit(w, ret_digest, NULL, err);
	return rc < 0 ? bk_err_wrap(err, rc, "%s", what) : 0;
}

/* Everything is in the store before the name, and what the manifest needs must be. */
static int save(struct store *s, const char *reference, const struct oci_descriptor *d,
		struct bk_err **err)
{
	struct store_image *image = NULL;
	int rc = store_image_complete(s, d, err);

	if (rc == 0)
		rc = store_image_open_desc(s, d, &image, err);
	store_image_free(image);
	return rc < 0 ? rc : store_name_set(s, reference, d, err);
}

int bock_store_save(struct bock_store *store, const char *reference, const void *manifest,
		    size_t manifest_size, const void *config, size_t config_size,
		    const struct bock_layer *layers, size_t n_layers, struct bock_image **ret_image,
		    struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char **added = bk_arena_alloc(arena, (n_layers + 3) * sizeof(*added));
	struct oci_descriptor d = { .size = (int64_t)manifest_size };
	const char *type = NULL;
	size_t n = 0;
	int rc = manifest_type(manifest, manifest_size, arena, &type, err);

	for (size_t i = 0; i < n_layers + 2; i++)
		added[i] = bk_arena_alloc(arena, BK_DIGEST_TEXT_SIZE);
	added[n_layers + 2] = NULL;
	if (rc == 0)
		rc = add_blob(store->s, "the manifest", manifest, manifest_size, added[n++], err);
	if (rc == 0)
		rc = add_blob(store->s, "the configuration", config, config_size, added[n++], err);
	for (size_t i = 0; rc == 0 && i < n_layers; i++)
		rc = add_blob(store->s, "a layer", layers[i].data, layers[i].size, added[n++], err);
	if (rc == 0) {
		d.media_type = bk_arena_strdup(arena, type);
		d.digest = added[0];
		rc = save(store->s, reference, &d, err);
	}
	if (rc < 0) {
		added[n] = NULL;
		store_gc_discard(store->s, added);
		return bk_err_wrap(err, rc, "save image '%s'", reference);
	}
	return ret_image ? bock_store_load(store, reference, ret_image, err) : 0;
}

/* ---- content --------------------------------------------------------------------------------------- */

static int open_dest(const char *dest, struct bk_root *ret, struct bk_err **err)
{
	int rc = bk_file_mkdirs(dest, 0755, err);

	return rc < 0 ? rc : bk_root_open(ret, dest, err);
}

int bock_store_extract_layers(const struct bock_store *store, const char *reference,
			      const char *dest, void (*warn)(void *ctx, const char *message),
			      void *ctx, struct bk_err **err)
{
	bk_autostoreimage struct store_image *i = NULL;
	const struct layer_opts opts = { .rootless = geteuid() != 0, .warn = warn, .ctx = ctx };
	struct bk_root root;
	int rc = store_image_open(store->s, reference, &i, err);

	if (rc == 0)
		rc = open_dest(dest, &root, err);
	if (rc < 0)
		return rc;
	rc = layer_apply_image(store->s, i, &root, &opts, NULL, err);
	bk_root_done(&root);
	return rc < 0 ? bk_err_wrap(err, rc, "extract '%s' to '%s'", reference, dest) : 0;
}

int bock_store_gc(struct bock_store *store, uint64_t *ret_bytes, struct bk_err **err)
{
	const struct store_gc_opts opts = { 0 };
	struct store_gc_result r;
	int rc = store_gc(store->s, &opts, &r, err);

	if (rc == 0 && ret_bytes)
		*ret_bytes = r.removed_bytes;
	return rc;
}

struct teller {
	void (*problem)(void *ctx, const char *image, const char *digest, const char *what);
	void *ctx;
};

static void tell(void *ctx, const struct store_fsck_problem *p)
{
	const struct teller *t = ctx;

	t->problem(t->ctx, p->image, p->digest, p->what);
}

int bock_store_check(const struct bock_store *store,
		     void (*problem)(void *ctx, const char *image, const char *digest,
				     const char *what),
		     void *ctx, uint64_t *ret_problems, struct bk_err **err)
{
	struct teller t = { problem, ctx };
	const struct store_fsck_opts opts = { .problem = problem ? tell : NULL, .ctx = &t };
	struct store_fsck_result r;
	int rc = store_fsck(store->s, &opts, &r, err);

	if (rc == 0)
		*ret_problems = r.problems;
	return rc;
}

int bock_store_store_blob(struct bock_store *store, const void *data, size_t size,
			  char ret_digest[BOCK_DIGEST_SIZE], struct bk_err **err)
{
	return add_blob(store->s, "a blob", data, size, ret_digest, err);
}

int bock_store_get_blob(const struct bock_store *store, const char *digest, void **ret_data,
			size_t *ret_size, struct bk_err **err)
{
	struct bk_buf b = BK_BUF_INIT((size_t)STORE_BLOB_MAX);
	bk_autofree char *copy = bk_strdup(digest);
	struct oci_descriptor d = { .digest = copy };
	bk_autoclose int fd = -1;
	struct bk_err *why = NULL;
	int rc = store_blob_open(store->s, digest, -1, &fd, &d.size, &why);

	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		*ret_data = NULL;
		*ret_size = 0;
		return 0;
	}
	if (rc == 0)
		rc = store_blob_read(store->s, &d, &b, &why);
	if (rc < 0) {
		bk_buf_done(&b);
		bk_err_move(err, why);
		return rc;
	}
	*ret_size = b.len;
	/* an empty blob is there, too */
	*ret_data = b.data ? b.data : bk_calloc(1, 1);
	return 0;
}

bool bock_store_has_blob(const struct bock_store *store, const char *digest)
{
	return store_blob_has(store->s, digest, -1);
}

int bock_store_import(struct bock_store *store, const char *path, bool replace, struct bk_err **err)
{
	bk_autotrustpolicy struct trust_policy *policy = NULL;
	struct store_load_opts opts = { .replace = replace };
	int rc = trust_policy_load(NULL, &policy, err);

	if (policy) {
		opts.check = registry_trust_load;
		opts.check_ctx = policy;
	}
	return rc < 0 ? rc : store_load(store->s, path, &opts, err);
}

int bock_store_export(const struct bock_store *store, char *const *references, int fd,
		      struct bk_err **err)
{
	return store_save(store->s, references, bk_strv_len(references), fd, err);
}
