/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bk_fd.h"
#include "base/bk_map.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "codec/bk_tar.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "ref/ref.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_priv.h"

#define COPY_SIZE ((size_t)256 << 10)
/* What containerd and Docker (since 25) call an image of a layout. */
#define CONTAINERD_NAME "io.containerd.image.name"

/* An image as Docker's manifest.json has it. */
struct docker_image {
	char *config;
	char **repo_tags;
	char **layers;
};

static const struct bk_doc_field docker_fields[] = {
	BK_DOC_STR_F(struct docker_image, config, "Config", 0),
	BK_DOC_STRV_F(struct docker_image, repo_tags, "RepoTags", BK_DOC_ALWAYS),
	BK_DOC_STRV_F(struct docker_image, layers, "Layers", BK_DOC_ALWAYS), BK_DOC_END
};
static const struct bk_doc_type docker_type = BK_DOC_TYPE(struct docker_image, docker_fields);

struct blob {
	const char *digest;
	int64_t size;
};

struct save {
	const struct store *s;
	int fd;
	char *buf;
	struct bk_arena *arena;
	struct oci_index index;
	struct docker_image *docker;
	size_t n_docker;
	struct blob *blobs;
	size_t n_blobs;
	struct bk_map *seen;
};

/* Its address is every value of the map. */
static char seen_already;

/* ---- what goes in -------------------------------------------------------------------------------- */

static void add_blob(struct save *v, const struct oci_descriptor *d)
{
	if (bk_map_has(v->seen, d->digest))
		return;
	(void)bk_map_set(v->seen, d->digest, &seen_already);
	v->blobs = bk_arena_grow(v->arena, v->blobs, v->n_blobs, sizeof(*v->blobs));
	v->blobs[v->n_blobs++] = (struct blob){ bk_arena_strdup(v->arena, d->digest), d->size };
}

/* All that d leads to; what is missing was found by store_image_complete. */
static int collect(struct save *v, const struct oci_descriptor *d, struct bk_err **err)
{
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	struct oci_manifest m;
	struct oci_index index;
	int rc = 0;

	add_blob(v, d);
	if (kind == OCI_MEDIA_KIND_MANIFEST) {
		rc = store_manifest_read(v->s, d, v->arena, &m, err);
		if (rc < 0)
			return rc;
		add_blob(v, m.config);
		for (size_t i = 0; i < m.n_layers; i++)
			add_blob(v, &m.layers[i]);
	} else if (kind == OCI_MEDIA_KIND_INDEX) {
		rc = store_manifests_read(v->s, d, v->arena, &index, err);
		for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
			if (store_blob_has(v->s, index.manifests[i].digest, -1))
				rc = collect(v, &index.manifests[i], err);
	}
	return rc;
}

static char *blob_path(struct bk_arena *arena, const char *digest)
{
	const char *colon = strchr(digest, ':');

	return bk_arena_printf(arena, "blobs/%.*s/%s", (int)(colon - digest), digest, colon + 1);
}

/* "docker.io/library/alpine:latest" of a name with a tag; NULL of others, which Docker can't take. */
static char *tagged(struct bk_arena *arena, const char *name)
{
	bk_autoref struct ref r = REF_INIT;
	bk_autofree char *text = NULL;

	if (!name || ref_parse(name, &r, NULL) < 0 || !r.tag || r.digest)
		return NULL;
	text = ref_text(&r);
	return bk_arena_strdup(arena, text);
}

/* Docker's row of an image for this machine; other artifacts and platforms have none. */
static void add_docker(struct save *v, const struct oci_descriptor *d, const char *name)
{
	bk_autostoreimage struct store_image *image = NULL;
	struct docker_image row = { .config = NULL };
	char *tag = tagged(v->arena, name);
	struct docker_image *same = NULL;

	if (store_image_open_desc(v->s, d, &image, NULL) < 0)
		return;
	row.config = blob_path(v->arena, image->manifest.config->digest);
	for (size_t i = 0; !same && i < v->n_docker; i++)
		if (bk_streq(v->docker[i].config, row.config))
			same = &v->docker[i];
	if (same) {
		if (tag && !bk_strv_has(same->repo_tags, tag))
			bk_doc_strv_add(v->arena, &same->repo_tags, tag);
		return;
	}
	if (tag)
		bk_doc_strv_add(v->arena, &row.repo_tags, tag);
	for (size_t i = 0; i < image->manifest.n_layers; i++)
		bk_doc_strv_add(v->arena, &row.layers,
				blob_path(v->arena, image->manifest.layers[i].digest));
	v->docker = bk_arena_grow(v->arena, v->docker, v->n_docker, sizeof(*v->docker));
	v->docker[v->n_docker++] = row;
}

static int add_image(struct save *v, const char *name, struct bk_err **err)
{
	struct oci_descriptor found, *d;
	const char *called;
	char *tag;
	int rc = store_name_find(v->s, name, v->arena, &found, err);

	if (rc == 0)
		rc = store_image_complete(v->s, &found, err);
	if (rc == 0)
		rc = collect(v, &found, err);
	if (rc < 0)
		return rc;
	called = store_index_name(&found);
	for (size_t i = 0; i < v->index.n_manifests; i++)
		if (bk_streq(v->index.manifests[i].digest, found.digest) &&
		    bk_streq0(store_index_name(&v->index.manifests[i]), called))
			return 0;
	v->index.manifests = bk_arena_grow(v->arena, v->index.manifests, v->index.n_manifests,
					   sizeof(*d));
	d = &v->index.manifests[v->index.n_manifests++];
	store_descriptor_copy_(v->arena, &found, d);
	tag = tagged(v->arena, called);
	if (tag)
		bk_doc_pair_set(v->arena, &d->annotations, &d->n_annotations, CONTAINERD_NAME, tag);
	add_docker(v, &found, called);
	return 0;
}

/* ---- the tar ------------------------------------------------------------------------------------- */

static int put(const struct save *v, const void *data, size_t len, struct bk_err **err)
{
	int rc = bk_fd_write_all(v->fd, data, len);

	return rc < 0 ? bk_err_set(err, BK_ERR_IO, -rc, "write the archive") : 0;
}

static int put_header(const struct save *v, const char *path, mode_t mode, uint64_t size,
		      struct bk_err **err)
{
	bk_autobuf struct bk_buf head = BK_BUF_INIT(BK_BUF_SMALL);
	const struct bk_tar_entry e = { .path = path, .mode = mode, .size = size };
	int rc = bk_tar_header(&e, &head, err);

	return rc < 0 ? rc : put(v, head.data, head.len, err);
}

static int put_padding(const struct save *v, uint64_t size, struct bk_err **err)
{
	static const char zeros[BK_TAR_BLOCK];

	return put(v, zeros, bk_tar_padding(size), err);
}

static int put_text(const struct save *v, const char *path, const struct bk_buf *text,
		    struct bk_err **err)
{
	int rc = bk_buf_check(text, path, err);

	if (rc == 0)
		rc = put_header(v, path, S_IFREG | 0644, text->len, err);
	if (rc == 0)
		rc = put(v, text->data, text->len, err);
	return rc < 0 ? rc : put_padding(v, text->len, err);
}

static int put_content(const struct save *v, const struct blob *b, int fd, struct bk_err **err)
{
	bk_autodigest struct bk_digest *d = NULL;
	char digest[BK_DIGEST_TEXT_SIZE];
	enum bk_digest_alg alg;
	int64_t left = b->size;
	int rc = bk_digest_parse(b->digest, &alg, NULL, err);

	if (rc < 0)
		return rc;
	d = bk_digest_new(alg);
	while (left > 0) {
		size_t want = left < (int64_t)COPY_SIZE ? (size_t)left : COPY_SIZE;
		ssize_t got = bk_fd_read_full(fd, v->buf, want);

		if (got < 0 || (size_t)got < want)
			return bk_err_set(err, BK_ERR_IO, got < 0 ? (int)-got : EIO, "read blob %s",
					  b->digest);
		bk_digest_update(d, v->buf, want);
		rc = put(v, v->buf, want, err);
		if (rc < 0)
			return rc;
		left -= (int64_t)want;
	}
	bk_digest_text(d, digest);
	if (!bk_streq(digest, b->digest))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "blob %s is damaged: its digest is %s",
				  b->digest, digest);
	return put_padding(v, (uint64_t)b->size, err);
}

static int put_blob(const struct save *v, const struct blob *b, struct bk_err **err)
{
	bk_autoclose int fd = -1;
	int rc = store_blob_open(v->s, b->digest, b->size, &fd, NULL, err);

	if (rc == 0)
		rc = put_header(v, blob_path(v->arena, b->digest), S_IFREG | 0444,
				(uint64_t)b->size, err);
	return rc < 0 ? rc : put_content(v, b, fd, err);
}

static int compare_blobs(const void *a, const void *b)
{
	return strcmp(((const struct blob *)a)->digest, ((const struct blob *)b)->digest);
}

/* Documents first: a reader of a stream knows then what it waits for. */
static int put_docs(const struct save *v, struct bk_err **err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"" STORE_LAYOUT_VERSION "\"}";
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_SAVE_DOCS_MAX);
	bk_autobuf struct bk_buf docker = BK_BUF_INIT(STORE_SAVE_DOCS_MAX);
	bk_autobuf struct bk_buf index = BK_BUF_INIT(STORE_SAVE_DOCS_MAX);
	int rc;

	bk_buf_adds(&text, layout);
	rc = put_text(v, "oci-layout", &text, err);
	if (rc == 0)
		rc = bk_json_encode(&oci_index_type, &v->index, 0, &index, err);
	if (rc == 0)
		rc = put_text(v, "index.json", &index, err);
	if (rc < 0 || v->n_docker == 0)
		return rc;
	rc = bk_json_encode_array(&docker_type, v->docker, v->n_docker, 0, &docker, err);
	return rc < 0 ? rc : put_text(v, "manifest.json", &docker, err);
}

static int put_blobs(const struct save *v, struct bk_err **err)
{
	const char *alg = "";
	int rc = put_header(v, "blobs", S_IFDIR | 0755, 0, err);

	for (size_t i = 0; rc == 0 && i < v->n_blobs; i++) {
		const char *digest = v->blobs[i].digest;
		size_t len = strcspn(digest, ":");

		if (strncmp(alg, digest, len + 1) != 0) {
			char *dir = bk_arena_printf(v->arena, "blobs/%.*s", (int)len, digest);

			rc = put_header(v, dir, S_IFDIR | 0755, 0, err);
			alg = digest;
		}
		if (rc == 0)
			rc = put_blob(v, &v->blobs[i], err);
	}
	return rc;
}

static int save(struct save *v, char *const *names, size_t n, struct bk_err **err)
{
	static const char end[BK_TAR_END];
	int rc = 0;

	v->index = (struct oci_index){
		.schema_version = 2,
		.media_type = bk_arena_strdup(v->arena, OCI_MEDIA_INDEX),
	};
	for (size_t i = 0; i < n; i++) {
		rc = add_image(v, names[i], err);
		if (rc < 0)
			return bk_err_wrap(err, rc, "image '%s'", names[i]);
	}
	if (v->n_blobs > 0)
		qsort(v->blobs, v->n_blobs, sizeof(*v->blobs), compare_blobs);
	rc = put_docs(v, err);
	if (rc == 0)
		rc = put_blobs(v, err);
	return rc < 0 ? rc : put(v, end, sizeof(end), err);
}

int store_save(const struct store *s, char *const *names, size_t n, int fd, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_automap struct bk_map *seen = bk_map_new(NULL);
	bk_autofree char *buf = bk_malloc(COPY_SIZE);
	struct save v = { .s = s, .fd = fd, .buf = buf, .arena = arena, .seen = seen };

	return save(&v, names, n, err);
}
