/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_repair.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_map.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_priv.h"

struct repair {
	struct store *s;
	struct bk_arena *arena;
	struct oci_index index; /* that is made */
	struct bk_map *led;	/* digests that an index leads to */
	void (*told)(void *ctx, const char *what);
	void *ctx;
};

static char led_to; /* its address is every value of the map */

static void tell(const struct repair *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void tell(const struct repair *r, const char *fmt, ...)
{
	char text[BK_ERR_MSG_MAX];
	va_list ap;

	if (!r->told)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->told(r->ctx, text);
}

/* ---- one that can be read ------------------------------------------------------------------------ */

/* Whether the blob has another size than its entry says, and the right digest; *ret is that size. */
static bool other_size(const struct repair *r, const struct oci_descriptor *d, int64_t *ret)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	struct oci_descriptor real = *d;
	bk_autoclose int fd = -1;

	if (store_blob_open(r->s, d->digest, -1, &fd, &real.size, NULL) < 0 || real.size == d->size)
		return false;
	*ret = real.size;
	return store_blob_read(r->s, &real, &text, NULL) == 0;
}

static int mend(struct repair *r, struct bk_err **err)
{
	struct oci_index *index = &r->index;
	size_t n = 0;
	bool changed = false;

	for (size_t i = 0; i < index->n_manifests; i++) {
		struct oci_descriptor *d = &index->manifests[i];
		const char *name = store_index_name(d);
		int64_t size;

		if (bk_digest_parse(d->digest, NULL, NULL, NULL) < 0) {
			tell(r, "index.json: the entry '%.200s' leads nowhere and is removed",
			     name ? name : "");
			changed = true;
			continue;
		}
		if (other_size(r, d, &size)) {
			tell(r,
			     "index.json: the entry '%.200s' gets the size of its blob, %" PRId64,
			     name ? name : d->digest, size);
			d->size = size;
			changed = true;
		}
		index->manifests[n++] = *d;
	}
	index->n_manifests = n;
	return changed ? store_index_write_(r->s, r->arena, index, err) : 0;
}

/* ---- one that can't ------------------------------------------------------------------------------ */

/* What any document says of itself. */
struct typed {
	char *media_type;
	int32_t schema;
	char *manifests, *layers, *config;
};
static const struct bk_doc_field typed_fields[] = {
	BK_DOC_STR_F(struct typed, media_type, "mediaType", 0),
	BK_DOC_NUM_F(struct typed, schema, "schemaVersion", BK_DOC_I32, 0),
	BK_DOC_RAW_F(struct typed, manifests, "manifests", 0),
	BK_DOC_RAW_F(struct typed, layers, "layers", 0),
	BK_DOC_RAW_F(struct typed, config, "config", 0),
	BK_DOC_END,
};
static const struct bk_doc_type typed_type = BK_DOC_TYPE(struct typed, typed_fields);

/* Whether a blob is a manifest or an index; fills *d, whose digest and size are known. */
static bool is_image(const struct repair *r, struct oci_descriptor *d)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_MANIFEST_MAX);
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct typed doc;

	if (d->size > (int64_t)STORE_MANIFEST_MAX || store_blob_read(r->s, d, &text, NULL) < 0 ||
	    text.len == 0 || text.data[0] != '{' ||
	    bk_json_decode(&typed_type, d->digest, text.data, text.len, &bk_doc_limits_oci, arena,
			   &doc, NULL) < 0 ||
	    doc.schema != 2)
		return false;
	if (doc.media_type)
		d->media_type = bk_arena_strdup(r->arena, doc.media_type);
	else
		d->media_type = bk_arena_strdup(r->arena, doc.manifests && !doc.layers
								  ? OCI_MEDIA_INDEX
								  : OCI_MEDIA_MANIFEST);
	switch (oci_media_kind_of(d->media_type)) {
	case OCI_MEDIA_KIND_INDEX:
		return doc.manifests != NULL;
	case OCI_MEDIA_KIND_MANIFEST:
		return doc.config != NULL && doc.layers != NULL;
	default:
		return false;
	}
}

static void consider(void *ctx, const char *digest, enum bk_digest_alg alg)
{
	struct repair *r = ctx;
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct oci_descriptor d = { .digest = bk_arena_strdup(r->arena, digest) };
	bk_autoclose int fd = -1;
	struct oci_index index;

	(void)alg;
	if (store_blob_open(r->s, digest, -1, &fd, &d.size, NULL) < 0 || !is_image(r, &d))
		return;
	if (oci_media_kind_of(d.media_type) == OCI_MEDIA_KIND_INDEX &&
	    store_manifests_read(r->s, &d, arena, &index, NULL) == 0)
		for (size_t i = 0; i < index.n_manifests; i++)
			(void)bk_map_set(r->led, index.manifests[i].digest, &led_to);
	/* What a pull that broke off has left is none. */
	if (r->index.n_manifests >= STORE_NAMES_MAX || store_image_complete(r->s, &d, NULL) < 0)
		return;
	r->index.manifests = bk_arena_grow(r->arena, r->index.manifests, r->index.n_manifests,
					   sizeof(d));
	r->index.manifests[r->index.n_manifests++] = d;
}

/* The names are lost. */
static int make_anew(struct repair *r, struct bk_err **err)
{
	size_t n = 0;
	int rc;

	r->index = (struct oci_index){ .schema_version = 2 };
	rc = store_blob_each(r->s, BK_DIGEST_SHA256, consider, r, err);
	if (rc == 0)
		rc = store_blob_each(r->s, BK_DIGEST_SHA512, consider, r, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->index.n_manifests; i++)
		if (!bk_map_has(r->led, r->index.manifests[i].digest))
			r->index.manifests[n++] = r->index.manifests[i];
	r->index.n_manifests = n;
	/* A second name, until the first is replaced: there is never none. */
	if (unlinkat(r->s->fd, STORE_DAMAGED_INDEX, 0) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "remove '%s/%s'", r->s->path,
				  STORE_DAMAGED_INDEX);
	if (linkat(r->s->fd, "index.json", r->s->fd, STORE_DAMAGED_INDEX, 0) < 0 && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "keep '%s/index.json' as '%s'", r->s->path,
				  STORE_DAMAGED_INDEX);
	rc = store_index_write_(r->s, r->arena, &r->index, err);
	if (rc < 0)
		return rc;
	tell(r, "index.json: made anew of %zu images, without their names", n);
	for (size_t i = 0; i < n; i++)
		tell(r, "index.json: found %s", r->index.manifests[i].digest);
	return 0;
}

int store_repair_index(struct store *s, void (*told)(void *ctx, const char *what), void *ctx,
		       struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_automap struct bk_map *led = bk_map_new(NULL);
	struct repair r = { .s = s, .arena = arena, .led = led, .told = told, .ctx = ctx };
	bk_autoclose int lock = -1;
	struct bk_err *why = NULL;
	int rc = store_index_lock_(s, &lock, err);

	if (rc < 0)
		return rc;
	rc = store_index_read(s, arena, &r.index, &why);
	if (rc == 0)
		return mend(&r, err);
	if (rc == -BK_ERR_NOT_FOUND || rc == -BK_ERR_CONFIG) {
		bk_err_clear(&why);
		return make_anew(&r, err);
	}
	bk_err_move(err, why);
	return rc;
}

void store_source_note(struct oci_descriptor *d, const char *domain, const char *repo, struct bk_arena *arena)
{
	bk_autofree char *source = bk_asprintf("%s/%s", domain, repo);

	bk_doc_pair_set(arena, &d->annotations, &d->n_annotations, STORE_SOURCE, source);
}
