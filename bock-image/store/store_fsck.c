/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_fd.h"
#include "base/bk_map.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_layers_priv.h"
#include "store/store_priv.h"

#define READ_SIZE ((size_t)256 << 10)

struct check {
	const struct store *s;
	const struct store_fsck_opts *opts;
	struct store_fsck_result result;
	struct bk_map *bad; /* digests of blobs that are known to be damaged */
	const char *image;  /* that is walked now; NULL: none */
	const struct oci_descriptor *root;
	char *buf;
};

/* Its address is every value of the map. */
static char known_bad;

/* d NULL: a blob by itself, of that digest. */
static void tell(struct check *c, enum store_fsck_kind kind, const struct oci_descriptor *d,
		 const char *digest, const char *what)
{
	const struct store_fsck_problem p = {
		.kind = kind,
		.root = c->root,
		.blob = d,
		.image = c->image,
		.digest = d ? d->digest : digest,
		.what = what,
	};

	c->result.problems++;
	if (c->opts->problem)
		c->opts->problem(c->opts->ctx, &p);
}

/* Takes the error over. */
static void tell_err(struct check *c, enum store_fsck_kind kind, const struct oci_descriptor *d,
		     const char *digest, struct bk_err *why)
{
	char text[BK_ERR_MSG_MAX];

	tell(c, kind, d, digest, bk_err_print(why, text, sizeof(text)));
	bk_err_clear(&why);
}

/* ---- blobs --------------------------------------------------------------------------------------- */

/* The digest of what fd has; an error of reading is a problem of the blob. */
static int hash(const struct check *c, int fd, enum bk_digest_alg alg,
		char text[BK_DIGEST_TEXT_SIZE], struct bk_err **err)
{
	bk_autodigest struct bk_digest *d = bk_digest_new(alg);
	ssize_t n;

	while ((n = bk_fd_read_full(fd, c->buf, READ_SIZE)) > 0)
		bk_digest_update(d, c->buf, (size_t)n);
	if (n < 0)
		return bk_err_set(err, BK_ERR_IO, (int)-n, "read it");
	bk_digest_text(d, text);
	return 0;
}

static int check_content(struct check *c, const char *digest, enum bk_digest_alg alg,
			 struct bk_err **err)
{
	char text[BK_DIGEST_TEXT_SIZE];
	bk_autoclose int fd = -1;
	int64_t size;
	int rc = store_blob_open(c->s, digest, -1, &fd, &size, err);

	if (rc < 0)
		return rc;
	c->result.bytes += (uint64_t)size;
	if (c->opts->quick)
		return 0;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	rc = hash(c, fd, alg, text, err);
	if (rc == 0 && !bk_streq(text, digest))
		rc = bk_err_set(err, BK_ERR_CONFIG, 0,
				"it is damaged: its content has the digest %s", text);
	return rc;
}

static void check_blob(void *ctx, const char *digest, enum bk_digest_alg alg)
{
	struct check *c = ctx;
	struct bk_err *why = NULL;
	int rc = check_content(c, digest, alg, &why);

	/* gc of another process may have been here between the listing and this look */
	if (rc == -BK_ERR_NOT_FOUND) {
		bk_err_clear(&why);
		return;
	}
	c->result.blobs++;
	if (rc == 0)
		return;
	(void)bk_map_set(c->bad, digest, &known_bad);
	tell_err(c, STORE_FSCK_BLOB, NULL, digest, why);
}

/* ---- what index.json leads to -------------------------------------------------------------------- */

static void walk(struct check *c, const struct oci_descriptor *d, unsigned int depth);

/* A blob that need not be read: of the right size, and not known to be damaged. */
static void check_leaf(struct check *c, const struct oci_descriptor *d)
{
	bk_autoclose int fd = -1;
	struct bk_err *why = NULL;

	if (store_blob_open(c->s, d->digest, d->size, &fd, NULL, &why) < 0)
		tell_err(c, STORE_FSCK_BLOB, d, NULL, why);
	else if (bk_map_has(c->bad, d->digest))
		tell(c, STORE_FSCK_BLOB, d, NULL, "it is damaged");
}

/* Of a document that could not be taken: whether that is the copy's fault, not the document's. */
static bool is_bad_copy(const struct check *c, const struct oci_descriptor *d, size_t max)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(max);

	return store_blob_read(c->s, d, &text, NULL) < 0 && d->size >= 0 &&
	       (uint64_t)d->size <= max;
}

static int walk_manifest(struct check *c, const struct oci_descriptor *d, struct bk_arena *arena,
			 struct bk_err **err)
{
	struct oci_image_config config;
	struct oci_manifest m;
	int rc = store_manifest_read(c->s, d, arena, &m, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < m.n_layers; i++)
		check_leaf(c, &m.layers[i]);
	/* The configuration of another kind of artifact is anything. */
	if (oci_media_kind_of(m.config->media_type) != OCI_MEDIA_KIND_CONFIG) {
		check_leaf(c, m.config);
		return 0;
	}
	rc = store_config_read(c->s, m.config, arena, &config, err);
	if (rc < 0 && is_bad_copy(c, m.config, STORE_CONFIG_MAX)) {
		tell_err(c, STORE_FSCK_BLOB, m.config, NULL, *err);
		*err = NULL;
		return 0;
	}
	if (rc == 0) {
		size_t n = config.rootfs->diff_ids ? bk_strv_len(config.rootfs->diff_ids) : 0;

		if (n != m.n_layers)
			rc = bk_err_set(err, BK_ERR_CONFIG, 0,
					"it has %zu layers, its configuration %zu", m.n_layers, n);
	}
	return rc;
}

static int walk_index(struct check *c, const struct oci_descriptor *d, unsigned int depth,
		      struct bk_arena *arena, struct bk_err **err)
{
	struct oci_index index;
	size_t found = 0;
	int rc = store_manifests_read(c->s, d, arena, &index, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < index.n_manifests; i++) {
		if (!store_blob_has(c->s, index.manifests[i].digest, -1))
			continue;
		walk(c, &index.manifests[i], depth + 1);
		found++;
	}
	if (found == 0 && index.n_manifests > 0)
		tell(c, STORE_FSCK_NONE, d, NULL, "none of its images is in the store");
	return 0;
}

static void walk(struct check *c, const struct oci_descriptor *d, unsigned int depth)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	struct bk_err *why = NULL;
	int rc = 0;

	if (depth > STORE_NESTING_MAX)
		rc = bk_err_set(&why, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
				STORE_NESTING_MAX);
	else if (kind == OCI_MEDIA_KIND_MANIFEST)
		rc = walk_manifest(c, d, arena, &why);
	else if (kind == OCI_MEDIA_KIND_INDEX)
		rc = walk_index(c, d, depth, arena, &why);
	else
		check_leaf(c, d);
	if (rc < 0)
		tell_err(c, is_bad_copy(c, d, STORE_MANIFEST_MAX) ? STORE_FSCK_BLOB : STORE_FSCK_OTHER, d,
			 NULL, why);
}

static int walk_all(struct check *c, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_index index;
	int rc = store_index_read(c->s, arena, &index, err);

	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
		const struct oci_descriptor *d = &index.manifests[i];
		const char *name = store_index_name(d);

		c->image = name ? name : d->digest;
		c->root = d;
		c->result.images++;
		if (bk_digest_parse(d->digest, NULL, NULL, NULL) < 0)
			tell(c, STORE_FSCK_OTHER, NULL, NULL, "its digest in index.json is none");
		else
			walk(c, d, 0);
	}
	c->image = NULL;
	c->root = NULL;
	return rc;
}

static void tell_layer(void *ctx, const char *what)
{
	tell(ctx, STORE_FSCK_OTHER, NULL, NULL, what);
}

int store_fsck(const struct store *s, const struct store_fsck_opts *opts,
	       struct store_fsck_result *ret, struct bk_err **err)
{
	bk_automap struct bk_map *bad = bk_map_new(NULL);
	bk_autofree char *buf = bk_malloc(READ_SIZE);
	struct check c = { .s = s, .opts = opts, .bad = bad, .buf = buf };
	int rc = store_blob_each(s, BK_DIGEST_SHA256, check_blob, &c, err);

	if (rc == 0)
		rc = store_blob_each(s, BK_DIGEST_SHA512, check_blob, &c, err);
	if (rc == 0)
		rc = walk_all(&c, err);
	if (rc == 0)
		rc = store_layers_fsck_(s, opts->quick, tell_layer, &c, &c.result.layers, err);
	if (rc == 0)
		*ret = c.result;
	return rc;
}
