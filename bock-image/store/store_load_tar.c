/* SPDX-License-Identifier: Apache-2.0 */
/* The members of an archive, in one pass: blobs go to the store, documents into memory. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bk_errno.h"
#include "base/bk_fd.h"
#include "base/bk_path.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_load_priv.h"
#include "store/store_priv.h"

#define READ_SIZE ((size_t)256 << 10)

struct reader {
	struct store_load *l;
	struct archive *a;
	int fd;
	char *buf;
	struct store_load_docker docker;
	size_t docs_size;
	size_t members;
};

static void free_doc(void *p)
{
	struct store_load_doc *doc = p;

	free(doc->text);
	free(doc);
}

static void reader_done(struct reader *r)
{
	if (r->a)
		(void)archive_read_free(r->a);
	free(r->buf);
	bk_map_free(r->docker.docs);
	bk_map_free(r->docker.layers);
	bk_map_free(r->docker.links);
}
#define autoreader bk_auto(reader_done)

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
	struct reader *r = ctx;
	ssize_t n = bk_fd_read_full(r->fd, r->buf, READ_SIZE);

	if (n < 0) {
		archive_set_error(a, (int)-n, "read: %s", bk_errno_text((int)-n));
		return -1;
	}
	*ret = r->buf;
	return n;
}

static int failed(const struct reader *r, struct bk_err **err)
{
	const char *text = archive_error_string(r->a);

	return bk_err_set(err, BK_ERR_CONFIG, 0, "not an image archive, or damaged: %s",
			  text ? text : "unknown reason");
}

static int open_archive(struct reader *r, struct bk_err **err)
{
	r->buf = bk_malloc(READ_SIZE);
	r->a = archive_read_new();
	/* Filters that run another program are not among them. */
	if (!r->a || archive_read_support_format_tar(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_gzip(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(r->a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(r->a) != ARCHIVE_OK)
		return bk_err_set(err, BK_ERR_INTERNAL, 0, "libarchive gives no reader");
	return archive_read_open(r->a, r, NULL, on_read, NULL) == ARCHIVE_OK ? 0 : failed(r, err);
}

/* Gives each block of the member to put. */
static int each_block(struct reader *r,
		      int (*put)(void *ctx, const void *data, size_t len, struct bk_err **err),
		      void *ctx, struct bk_err **err)
{
	const void *data;
	la_int64_t offset, at = 0;
	size_t len;
	int rc;

	while ((rc = archive_read_data_block(r->a, &data, &len, &offset)) == ARCHIVE_OK) {
		if (offset != at)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "a sparse file in an image archive");
		at += (la_int64_t)len;
		rc = put(ctx, data, len, err);
		if (rc < 0)
			return rc;
	}
	return rc == ARCHIVE_EOF ? 0 : failed(r, err);
}

/* ---- kinds of members --------------------------------------------------------------------------- */

struct ingest {
	struct store_writer *writer;
	unsigned char head[4];
	size_t n_head;
};

static int put_blob(void *ctx, const void *data, size_t len, struct bk_err **err)
{
	struct ingest *i = ctx;

	if (i->n_head < sizeof(i->head)) {
		size_t n = sizeof(i->head) - i->n_head;

		n = n < len ? n : len;
		memcpy(i->head + i->n_head, data, n);
		i->n_head += n;
	}
	return store_writer_write(i->writer, data, len, err);
}

static const char *layer_type(const struct ingest *i)
{
	if (i->n_head >= 2 && memcmp(i->head, "\x1f\x8b", 2) == 0)
		return OCI_MEDIA_LAYER_GZIP;
	if (i->n_head >= 4 && memcmp(i->head, "\x28\xb5\x2f\xfd", 4) == 0)
		return OCI_MEDIA_LAYER_ZSTD;
	return OCI_MEDIA_LAYER;
}

/* A blob whose name is its digest. */
static int read_blob(struct reader *r, const char *digest, int64_t size, struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	struct ingest i = { 0 };
	int rc;

	if (store_blob_has(r->l->s, digest, size))
		return 0;
	store_load_adding_(r->l, digest);
	rc = store_writer_new(r->l->s, digest, size, &w, err);
	if (rc < 0)
		return rc;
	i.writer = w;
	rc = each_block(r, put_blob, &i, err);
	return rc < 0 ? rc : store_writer_commit(w, NULL, NULL, err);
}

/* A layer of a docker-archive, which has any name. */
static int read_layer(struct reader *r, const char *name, int64_t size, struct bk_err **err)
{
	bk_autostorewriter struct store_writer *w = NULL;
	char digest[BK_DIGEST_TEXT_SIZE];
	struct oci_descriptor *d;
	struct ingest i = { 0 };
	int rc = store_writer_new(r->l->s, NULL, size, &w, err);

	if (rc < 0)
		return rc;
	i.writer = w;
	rc = each_block(r, put_blob, &i, err);
	if (rc < 0)
		return rc;
	store_writer_digest(w, digest);
	store_load_adding_(r->l, digest);
	rc = store_writer_commit(w, NULL, NULL, err);
	if (rc < 0)
		return rc;
	d = bk_arena_alloc(r->l->arena, sizeof(*d));
	d->media_type = bk_arena_strdup(r->l->arena, layer_type(&i));
	d->digest = bk_arena_strdup(r->l->arena, digest);
	d->size = size;
	(void)bk_map_set(r->docker.layers, name, d);
	return 0;
}

static int put_text(void *ctx, const void *data, size_t len, struct bk_err **err)
{
	bk_buf_add(ctx, data, len);
	return bk_buf_check(ctx, "a document", err);
}

static int read_doc(struct reader *r, const char *name, int64_t size, struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(STORE_CONFIG_MAX);
	struct store_load_doc *doc;
	int rc;

	if ((uint64_t)size > STORE_CONFIG_MAX ||
	    (r->docs_size += (size_t)size) > STORE_LOAD_DOCS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "'%s' of %" PRId64 " bytes is too large",
				  name, size);
	rc = each_block(r, put_text, &text, err);
	if (rc < 0)
		return rc;
	doc = bk_calloc(1, sizeof(*doc));
	doc->len = text.len;
	doc->text = bk_buf_steal(&text);
	if (!doc->text)
		doc->text = bk_strdup("");
	(void)bk_map_set(r->docker.docs, name, doc);
	return 0;
}

/* "blobs/sha256/<hex>" to "sha256:<hex>"; heap, NULL for another name. */
static char *blob_digest(const char *name)
{
	const char *rest = bk_skip_prefix(name, "blobs/");
	const char *slash = rest ? strchr(rest, '/') : NULL;

	return slash ? bk_asprintf("%.*s:%s", (int)(slash - rest), rest, slash + 1) : NULL;
}

static int read_regular(struct reader *r, const char *name, int64_t size, struct bk_err **err)
{
	bk_autofree char *digest = blob_digest(name);
	int rc;

	if (digest) {
		rc = bk_digest_parse(digest, NULL, NULL, err);
		return rc < 0 ? rc : read_blob(r, digest, size, err);
	}
	if (bk_has_suffix(name, ".tar") || bk_has_suffix(name, ".tar.gz"))
		return read_layer(r, name, size, err);
	if (bk_has_suffix(name, ".json") || bk_streq(name, "oci-layout"))
		return read_doc(r, name, size, err);
	return 0; /* VERSION, repositories, <id>/json: of the formats before */
}

/* Layers that are the same are links in older archives: "../<id>/layer.tar". */
static void note_link(struct reader *r, const char *name, const char *target, bool hard)
{
	bk_autofree char *dir = bk_path_dir(name);
	bk_autofree char *joined = hard ? bk_strdup(target) : bk_path_join(dir, target);
	bk_autofree char *clean = bk_path_clean(joined);

	(void)bk_map_set(r->docker.links, name, bk_arena_strdup(r->l->arena, clean));
}

static int read_member(struct reader *r, struct archive_entry *e, struct bk_err **err)
{
	const char *given = archive_entry_pathname(e);
	const char *hard = archive_entry_hardlink(e);
	const char *soft = archive_entry_symlink(e);
	bk_autofree char *name = NULL;
	int rc;

	if (!given || !*given)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "a member without a (readable) name");
	if (++r->members > STORE_LOAD_MEMBERS_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %d members",
				  STORE_LOAD_MEMBERS_MAX);
	name = bk_path_clean(given);
	if (hard || soft) {
		note_link(r, name, hard ? hard : soft, hard != NULL);
		return 0;
	}
	if (archive_entry_filetype(e) != AE_IFREG)
		return 0;
	if (archive_entry_size(e) < 0 || archive_entry_size(e) > STORE_BLOB_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "member '%s' of %" PRId64 " bytes", name,
				  (int64_t)archive_entry_size(e));
	rc = read_regular(r, name, archive_entry_size(e), err);
	return rc < 0 ? bk_err_wrap(err, rc, "member '%s'", name) : 0;
}

static int read_members(struct reader *r, struct bk_err **err)
{
	for (;;) {
		struct archive_entry *e;
		int rc = archive_read_next_header(r->a, &e);

		if (rc == ARCHIVE_EOF)
			return 0;
		if (rc != ARCHIVE_OK)
			return failed(r, err);
		rc = read_member(r, e, err);
		if (rc < 0)
			return rc;
	}
}

/* ---- what it turned out to be ------------------------------------------------------------------- */

static int finish_oci(struct reader *r, const struct store_load_doc *doc, struct bk_err **err)
{
	struct oci_index index;
	int rc = bk_json_decode(&oci_index_type, "index.json", doc->text, doc->len,
				&bk_doc_limits_oci, r->l->arena, &index, err);

	return rc < 0 ? rc : store_load_index_(r->l, &index, err);
}

int store_load_tar_(struct store_load *l, int fd, struct bk_err **err)
{
	autoreader struct reader r = { .l = l, .fd = fd };
	const struct store_load_doc *index, *manifest;
	int rc;

	r.docker.docs = bk_map_new(free_doc);
	r.docker.layers = bk_map_new(NULL);
	r.docker.links = bk_map_new(NULL);
	rc = open_archive(&r, err);
	if (rc == 0)
		rc = read_members(&r, err);
	if (rc < 0)
		return rc;
	/* Docker 25 and later write both; the layout keeps the digests that a registry knows. */
	index = bk_map_get(r.docker.docs, "index.json");
	manifest = bk_map_get(r.docker.docs, "manifest.json");
	l->transport = index && bk_map_has(r.docker.docs, "oci-layout") ? "oci-archive" : "docker-archive";
	if (bk_streq(l->transport, "oci-archive"))
		return finish_oci(&r, index, err);
	if (manifest)
		return store_load_docker_(l, &r.docker, manifest, err);
	return bk_err_set(
		err, BK_ERR_CONFIG, 0,
		"neither an OCI image layout (oci-layout, index.json) nor a docker-archive (manifest.json)");
}
