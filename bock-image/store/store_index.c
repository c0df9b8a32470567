/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/bk_file.h"
#include "base/bk_map.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "ref/ref.h"
#include "store/store_blob.h"
#include "store/store_priv.h"

#define INDEX_LOCK_WAIT_MS 30000
#define PREFIX_MIN	   7 /* hex digits by which an image may be called */

static const struct bk_doc_limits index_limits = {
	.max_size = (size_t)256 << 20,
	.max_depth = 64,
	.max_nodes = (size_t)16 << 20,
};

int store_index_read(const struct store *s, struct bk_arena *arena, struct oci_index *ret,
		     struct bk_err **err)
{
	struct oci_index index;
	int rc = bk_json_decode_file(&oci_index_type, s->fd, "index.json", &index_limits, arena,
				     &index, err);

	if (rc < 0)
		return bk_err_wrap(err, rc, "image store '%s'", s->path);
	if (index.schema_version != 2)
		return bk_err_set(err, BK_ERR_UNSUPPORTED, 0,
				  "image store '%s': index.json of schemaVersion %d", s->path,
				  index.schema_version);
	if (index.layers || index.config)
		return bk_err_set(err, BK_ERR_CONFIG, 0,
				  "image store '%s': index.json is a manifest as well", s->path);
	if (index.n_manifests > STORE_NAMES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "image store '%s': more than %zu images",
				  s->path, STORE_NAMES_MAX);
	*ret = index;
	return 0;
}

const char *store_index_name(const struct oci_descriptor *d)
{
	const char *name = bk_doc_pair_get(d->annotations, d->n_annotations,
					   OCI_ANNOTATION_REF_NAME);

	return name && *name ? name : NULL;
}

static char *copy0(struct bk_arena *arena, const char *s)
{
	return s ? bk_arena_strdup(arena, s) : NULL;
}

static char **copy_strv(struct bk_arena *arena, char *const *v)
{
	char **copy = NULL;

	for (size_t i = 0; v && v[i]; i++)
		bk_doc_strv_add(arena, &copy, v[i]);
	return copy;
}

void store_descriptor_copy_(struct bk_arena *arena, const struct oci_descriptor *d,
			    struct oci_descriptor *ret)
{
	*ret = (struct oci_descriptor){
		.media_type = copy0(arena, d->media_type),
		.digest = copy0(arena, d->digest),
		.size = d->size,
		.urls = copy_strv(arena, d->urls),
		.data = copy0(arena, d->data),
		.artifact_type = copy0(arena, d->artifact_type),
	};
	for (size_t i = 0; i < d->n_annotations; i++)
		bk_doc_pair_set(arena, &ret->annotations, &ret->n_annotations,
				d->annotations[i].key, d->annotations[i].value);
	if (d->platform) {
		const struct oci_platform *p = d->platform;

		ret->platform = bk_arena_alloc(arena, sizeof(*ret->platform));
		*ret->platform = (struct oci_platform){
			.architecture = copy0(arena, p->architecture),
			.os = copy0(arena, p->os),
			.os_version = copy0(arena, p->os_version),
			.os_features = copy_strv(arena, p->os_features),
			.variant = copy0(arena, p->variant),
		};
	}
}

static int ambiguous(const char *name, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "image '%s': several begin with these digits",
			  name);
}

/* "sha256:..." in full, or the first hex digits of it. */
static int find_digest(const struct oci_index *index, const char *name, size_t *ret_at,
		       struct bk_err **err)
{
	size_t len = strlen(name);
	bool whole = bk_digest_parse(name, NULL, NULL, NULL) == 0;
	size_t at = index->n_manifests;

	if (!whole && (len < PREFIX_MIN || !bk_str_all_of(name, "0123456789abcdef")))
		return 0;
	for (size_t i = 0; i < index->n_manifests; i++) {
		const char *digest = index->manifests[i].digest;
		const char *hex;

		if (bk_digest_parse(digest, NULL, &hex, NULL) < 0)
			continue;
		if (whole ? !bk_streq(digest, name) : strncmp(hex, name, len) != 0)
			continue;
		if (at < index->n_manifests && !bk_streq(index->manifests[at].digest, digest))
			return ambiguous(name, err);
		if (at == index->n_manifests)
			at = i;
	}
	*ret_at = at;
	return 0;
}

/* What store_name_find promises: *ret_at is n_manifests where there is nothing. */
static int find(const struct oci_index *index, const char *name, size_t *ret_at,
		struct bk_err **err)
{
	bk_autofree char *canonical = ref_canonical(name);

	for (size_t i = 0; i < index->n_manifests; i++) {
		if (bk_streq0(store_index_name(&index->manifests[i]), name)) {
			*ret_at = i;
			return 0;
		}
	}
	for (size_t i = 0; i < index->n_manifests; i++) {
		const char *other = store_index_name(&index->manifests[i]);
		bk_autofree char *other_canonical = other ? ref_canonical(other) : NULL;

		if (bk_streq0(other_canonical, canonical)) {
			*ret_at = i;
			return 0;
		}
	}
	*ret_at = index->n_manifests;
	return find_digest(index, name, ret_at, err);
}

static int not_found(const struct store *s, const char *name, struct bk_err **err)
{
	return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "no image '%s' in '%s'", name, s->path);
}

int store_name_find(const struct store *s, const char *name, struct bk_arena *arena,
		    struct oci_descriptor *ret, struct bk_err **err)
{
	struct oci_index index;
	size_t at = 0;
	int rc = ref_check(name, err);

	if (rc == 0)
		rc = store_index_read(s, arena, &index, err);
	if (rc == 0)
		rc = find(&index, name, &at, err);
	if (rc < 0)
		return rc;
	if (at == index.n_manifests)
		return not_found(s, name, err);
	*ret = index.manifests[at];
	return 0;
}

/* ---- updates ------------------------------------------------------------------------------------ */

struct update {
	struct store *s;
	struct bk_arena *arena;
	int lock;
	struct oci_index index;
};

int store_index_lock_(const struct store *s, int *ret_lock, struct bk_err **err)
{
	bk_autoclose int lock = -1;
	int rc = store_writable_(s, err);

	if (rc < 0)
		return rc;
	lock = openat(s->fd, STORE_INDEX_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "open '%s/%s'", s->path, STORE_INDEX_LOCK);
	rc = store_flock_(lock, LOCK_EX, INDEX_LOCK_WAIT_MS);
	if (rc < 0)
		return bk_err_set(err, BK_ERR_IO, -rc, "lock '%s/%s'", s->path, STORE_INDEX_LOCK);
	*ret_lock = bk_steal_fd(&lock);
	return 0;
}

int store_index_write_(const struct store *s, struct bk_arena *arena, struct oci_index *index,
		       struct bk_err **err)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(index_limits.max_size);
	int rc;

	if (!index->manifests)
		index->manifests = bk_arena_grow(arena, NULL, 0, sizeof(*index->manifests));
	if (!index->media_type)
		index->media_type = bk_arena_strdup(arena, OCI_MEDIA_INDEX);
	rc = bk_json_encode(&oci_index_type, index, 0, &text, err);
	if (rc == 0)
		rc = bk_buf_check(&text, "index.json", err);
	if (rc == 0)
		rc = bk_file_write_atomic(s->fd, "index.json", text.data, text.len, 0644, true,
					  err);
	return rc < 0 ? bk_err_wrap(err, rc, "image store '%s'", s->path) : 0;
}

static int update_begin(struct update *u, struct bk_err **err)
{
	int rc = store_index_lock_(u->s, &u->lock, err);

	if (rc < 0)
		return rc;
	u->arena = bk_arena_new();
	return store_index_read(u->s, u->arena, &u->index, err);
}

static int update_commit(struct update *u, struct bk_err **err)
{
	return store_index_write_(u->s, u->arena, &u->index, err);
}

static void update_end(struct update *u)
{
	bk_close(&u->lock);
	if (u->arena)
		bk_arena_free(u->arena);
}
#define autoupdate bk_auto(update_end)

static void remove_at(struct oci_index *index, size_t at)
{
	memmove(&index->manifests[at], &index->manifests[at + 1],
		(index->n_manifests - at - 1) * sizeof(*index->manifests));
	index->n_manifests--;
}

/* Where a name is that means the same, from `from` on; n_manifests where there is none. */
static size_t find_same(const struct oci_index *index, const char *name, size_t from)
{
	bk_autofree char *canonical = ref_canonical(name);
	size_t i;

	for (i = from; i < index->n_manifests; i++) {
		const char *other = store_index_name(&index->manifests[i]);
		bk_autofree char *other_canonical = other ? ref_canonical(other) : NULL;

		if (bk_streq0(other_canonical, canonical))
			break;
	}
	return i;
}

static int set_one(struct update *u, const struct store_naming *n, bool replace,
		   struct bk_err **err)
{
	struct oci_index *index = &u->index;
	struct oci_descriptor *d;
	size_t at = 0;

	while ((at = find_same(index, n->name, at)) < index->n_manifests) {
		const struct oci_descriptor *old = &index->manifests[at];

		if (!replace && !bk_streq(old->digest, n->desc->digest))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "image '%s' is there already, and is another",
					  store_index_name(old));
		remove_at(index, at);
	}
	if (index->n_manifests >= STORE_NAMES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %zu images", STORE_NAMES_MAX);
	index->manifests = bk_arena_grow(u->arena, index->manifests, index->n_manifests,
					 sizeof(*d));
	d = &index->manifests[index->n_manifests++];
	store_descriptor_copy_(u->arena, n->desc, d);
	bk_doc_pair_set(u->arena, &d->annotations, &d->n_annotations, OCI_ANNOTATION_REF_NAME,
			n->name);
	return 0;
}

int store_names_set(struct store *s, const struct store_naming *names, size_t n, bool replace,
		    struct bk_err **err)
{
	autoupdate struct update u = { .s = s, .lock = -1 };
	int rc = update_begin(&u, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct oci_descriptor *d = names[i].desc;

		rc = ref_check(names[i].name, err);
		if (rc == 0 && !store_blob_has(s, d->digest, d->size))
			rc = bk_err_set(err, BK_ERR_NOT_FOUND, 0,
					"name '%s': blob %s is not in the store", names[i].name,
					d->digest);
		if (rc == 0)
			rc = set_one(&u, &names[i], replace, err);
	}
	return rc < 0 ? rc : update_commit(&u, err);
}

int store_name_set(struct store *s, const char *name, const struct oci_descriptor *d,
		   struct bk_err **err)
{
	const struct store_naming one = { .name = name, .desc = d };

	return store_names_set(s, &one, 1, true, err);
}

/* Whether another entry than that at `at` is of the same image. */
static bool has_twin(const struct oci_index *index, size_t at)
{
	for (size_t i = 0; i < index->n_manifests; i++)
		if (i != at && bk_streq(index->manifests[i].digest, index->manifests[at].digest))
			return true;
	return false;
}

static void drop_name(struct oci_descriptor *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_annotations; i++)
		if (!bk_streq(d->annotations[i].key, OCI_ANNOTATION_REF_NAME))
			d->annotations[n++] = d->annotations[i];
	d->n_annotations = n;
}

int store_name_unset(struct store *s, const char *name, struct bk_err **err)
{
	autoupdate struct update u = { .s = s, .lock = -1 };
	size_t at;
	int rc = ref_check(name, err);

	if (rc == 0)
		rc = update_begin(&u, err);
	if (rc < 0)
		return rc;
	at = find_same(&u.index, name, 0);
	if (at == u.index.n_manifests)
		return not_found(s, name, err);
	if (has_twin(&u.index, at))
		remove_at(&u.index, at);
	else
		drop_name(&u.index.manifests[at]);
	return update_commit(&u, err);
}

int store_name_delete(struct store *s, const char *name, struct bk_err **err)
{
	autoupdate struct update u = { .s = s, .lock = -1 };
	size_t at = 0;
	int rc = ref_check(name, err);

	if (rc == 0)
		rc = update_begin(&u, err);
	if (rc == 0)
		rc = find(&u.index, name, &at, err);
	if (rc < 0)
		return rc;
	if (at == u.index.n_manifests)
		return not_found(s, name, err);
	remove_at(&u.index, at);
	return update_commit(&u, err);
}

/* ---- entries without names ------------------------------------------------------------------------ */

int store_index_keep_(struct store *s, const struct oci_descriptor *d, struct bk_err **err)
{
	autoupdate struct update u = { .s = s, .lock = -1 };
	int rc = update_begin(&u, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < u.index.n_manifests; i++)
		if (bk_streq(u.index.manifests[i].digest, d->digest))
			return 0;
	if (u.index.n_manifests >= STORE_NAMES_MAX)
		return bk_err_set(err, BK_ERR_CONFIG, 0, "more than %zu images", STORE_NAMES_MAX);
	u.index.manifests = bk_arena_grow(u.arena, u.index.manifests, u.index.n_manifests,
					  sizeof(*u.index.manifests));
	store_descriptor_copy_(u.arena, d, &u.index.manifests[u.index.n_manifests]);
	/* A name that its author has put there is none of this store's. */
	drop_name(&u.index.manifests[u.index.n_manifests++]);
	return update_commit(&u, err);
}

int store_index_prune_(struct store *s, const struct bk_map *live, struct bk_err **err)
{
	autoupdate struct update u = { .s = s, .lock = -1 };
	size_t before;
	int rc = update_begin(&u, err);

	if (rc < 0)
		return rc;
	before = u.index.n_manifests;
	for (size_t i = 0; i < u.index.n_manifests;) {
		if (bk_map_has(live, u.index.manifests[i].digest))
			i++;
		else
			remove_at(&u.index, i);
	}
	return u.index.n_manifests == before ? 0 : update_commit(&u, err);
}
