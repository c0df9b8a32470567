/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_map.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "digest/bk_digest.h"
#include "oci/oci_media.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_index.h"
#include "store/store_lease.h"
#include "store/store_layers_priv.h"
#include "store/store_priv.h"
#include "store/store_referrers.h"

static char marked; /* its address is every value of the map */

static void mark(struct bk_map *live, const char *digest)
{
	(void)bk_map_set(live, digest, &marked);
}

/* A blob that can't be looked at must not be taken for one that is missing: what it names would be removed. */
static int is_there(const struct store *s, const char *digest, bool *ret, struct bk_err **err)
{
	char path[STORE_BLOB_PATH_MAX];
	struct stat st;
	int rc = store_blob_path_(digest, path, err);

	if (rc < 0)
		return rc;
	*ret = fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*ret && errno != ENOENT)
		return bk_err_set(err, BK_ERR_IO, errno, "look for blob %s", digest);
	*ret = *ret && S_ISREG(st.st_mode);
	return 0;
}

static int mark_tree(const struct store *s, const struct oci_descriptor *d, unsigned int depth,
		     struct bk_map *live, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	enum oci_media_kind kind = oci_media_kind_of(d->media_type);
	bool known = bk_map_has(live, d->digest);
	bool there = false;
	int rc;

	mark(live, d->digest);
	/* Blobs of other types are never read: what they say is not ours to believe. */
	if (known || (kind != OCI_MEDIA_KIND_MANIFEST && kind != OCI_MEDIA_KIND_INDEX))
		return 0;
	rc = is_there(s, d->digest, &there, err);
	if (rc < 0 || !there)
		return rc;
	if (kind == OCI_MEDIA_KIND_MANIFEST) {
		struct oci_manifest m;

		rc = store_manifest_read(s, d, arena, &m, err);
		if (rc < 0)
			return rc;
		mark(live, m.config->digest);
		for (size_t i = 0; i < m.n_layers; i++)
			mark(live, m.layers[i].digest);
	} else if (kind == OCI_MEDIA_KIND_INDEX) {
		struct oci_index index;

		if (depth > STORE_NESTING_MAX)
			return bk_err_set(err, BK_ERR_CONFIG, 0, "indexes nested deeper than %d",
					  STORE_NESTING_MAX);
		rc = store_manifests_read(s, d, arena, &index, err);
		for (size_t i = 0; rc == 0 && i < index.n_manifests; i++)
			rc = mark_tree(s, &index.manifests[i], depth + 1, live, err);
	}
	return rc;
}

/* A manifest without a name whose subject is not in use: it goes with it. */
static bool is_dangling(const struct store *s, const struct oci_descriptor *d, struct bk_arena *arena,
			const struct bk_map *live, const struct bk_map *leased)
{
	const char *subject = NULL;
	struct oci_descriptor described;

	return !bk_map_has(live, d->digest) && !bk_map_has(leased, d->digest) &&
	       store_referrer_read(s, d, arena, &described, &subject, NULL) == 0 && subject &&
	       !bk_map_has(live, subject) && !bk_map_has(leased, subject);
}

/*
 * Every entry of index.json is a root, with or without a name, but for referrers whose subject has gone; and so is what is
 * leased, which names nothing yet.
 */
static int mark_all(const struct store *s, struct bk_map *live, struct bk_err **err)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_automap struct bk_map *leased = bk_map_new(NULL);
	bk_autofree bool *waits = NULL;
	struct oci_index index = { 0 };
	bool again = true;
	const char *digest;
	void *value;
	size_t it = 0;
	int rc = store_index_read(s, arena, &index, err);

	if (rc == 0)
		rc = store_lease_mark(s, leased, err);
	waits = bk_calloc(index.n_manifests + 1, sizeof(*waits));
	for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
		/* What could be a referrer is looked at when all else is marked. */
		waits[i] = !store_index_name(&index.manifests[i]);
		if (!waits[i])
			rc = mark_tree(s, &index.manifests[i], 0, live, err);
	}
	/* A referrer may refer to another one. */
	while (rc == 0 && again) {
		again = false;
		for (size_t i = 0; rc == 0 && i < index.n_manifests; i++) {
			if (!waits[i] || is_dangling(s, &index.manifests[i], arena, live, leased))
				continue;
			waits[i] = false;
			again = true;
			rc = mark_tree(s, &index.manifests[i], 0, live, err);
		}
	}
	/* Last: what is marked already is not looked into again, and one that downloads may need but a part of it. */
	while (rc == 0 && bk_map_next(leased, &it, &digest, &value))
		mark(live, digest);
	return rc < 0 ? bk_err_wrap(err, rc, "find what is in use") : 0;
}

static int open_dir(const struct store *s, const char *path, DIR **ret, struct bk_err **err)
{
	int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = fd < 0 ? NULL : fdopendir(fd);
	if (*ret || errno == ENOENT)
		return 0;
	bk_close(&fd);
	return bk_err_set(err, BK_ERR_IO, errno, "read '%s/%s'", s->path, path);
}

static bool is_young(const struct stat *st, uint64_t grace_ms)
{
	struct timespec now;
	int64_t age;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age = (int64_t)(now.tv_sec - st->st_mtim.tv_sec) * 1000 +
	      (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
	return grace_ms > 0 && (age < 0 || (uint64_t)age < grace_ms);
}

static int sweep_blob(const struct store *s, DIR *dir, const char *name, const char *digest,
		      const struct bk_map *live, const struct store_gc_opts *o,
		      struct store_gc_result *r, struct bk_err **err)
{
	struct stat st;
	bool young = false;

	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (!bk_map_has(live, digest)) {
		young = is_young(&st, o->grace_ms);
		if (!young) {
			if (!o->dry_run && unlinkat(dirfd(dir), name, 0) < 0)
				return bk_err_set(err, BK_ERR_IO, errno, "remove blob %s of '%s'",
						  digest, s->path);
			r->removed++;
			r->removed_bytes += (uint64_t)st.st_size;
			if (o->removed)
				o->removed(o->ctx, digest, st.st_size);
			return 0;
		}
	}
	r->kept++;
	r->kept_bytes += (uint64_t)st.st_size;
	r->young += young;
	return 0;
}

static int sweep(const struct store *s, enum bk_digest_alg alg, const struct bk_map *live,
		 const struct store_gc_opts *o, struct store_gc_result *r, struct bk_err **err)
{
	bk_autofree char *path = bk_asprintf("blobs/%s", bk_digest_alg_name(alg));
	bk_autoclosedir DIR *dir = NULL;
	const struct dirent *e;
	int rc = open_dir(s, path, &dir, err);

	while (rc == 0 && dir && (errno = 0, e = readdir(dir)) != NULL) {
		char digest[sizeof(e->d_name) + 16];

		(void)snprintf(digest, sizeof(digest), "%s:%s", bk_digest_alg_name(alg), e->d_name);
		/* What has another name is none of ours: a file that another tool is about to rename. */
		if (bk_digest_parse(digest, NULL, NULL, NULL) == 0)
			rc = sweep_blob(s, dir, e->d_name, digest, live, o, r, err);
	}
	if (rc == 0 && dir && errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s/%s'", s->path, path);
	return rc;
}

/* Whether a name in STORE_INGEST, ALG-HEX.part or ALG-HEX.map.part, is of a blob that is leased: somebody downloads it. */
static bool is_leased(const struct bk_map *leased, const char *name)
{
	bk_autofree char *digest = bk_strndup(name, strcspn(name, "."));
	char *dash = strchr(digest, '-');

	if (dash)
		*dash = ':';
	return dash && bk_map_has(leased, digest);
}

/*
 * What writers left that died: who has not leased what he writes has the store open, which nobody else has now. leased: NULL
 * where it is of no blob.
 */
static int sweep_unfinished(const struct store *s, const char *path, const char *prefix,
			    const char *suffix, const struct bk_map *leased, struct bk_err **err)
{
	bk_autoclosedir DIR *dir = NULL;
	const struct dirent *e;
	int rc = open_dir(s, path, &dir, err);

	while (rc == 0 && dir && (errno = 0, e = readdir(dir)) != NULL)
		if (bk_skip_prefix(e->d_name, prefix) && bk_has_suffix(e->d_name, suffix) &&
		    !(leased && is_leased(leased, e->d_name)))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (rc == 0 && dir && errno != 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read '%s/%s'", s->path, path);
	return rc;
}

static int collect(const struct store *s, const struct store_gc_opts *o, struct store_gc_result *r,
		   struct bk_err **err)
{
	bk_automap struct bk_map *live = bk_map_new(NULL);
	bk_automap struct bk_map *leased = bk_map_new(NULL);
	struct store_layers_sweep layers = { .dry_run = o->dry_run, .all = o->all_layers };
	int rc = o->dry_run ? 0 : store_lease_sweep(s, err);

	if (rc == 0)
		rc = mark_all(s, live, err);
	if (rc == 0 && !o->dry_run)
		rc = store_index_prune_((struct store *)(uintptr_t)s, live, err);
	if (rc == 0)
		rc = sweep(s, BK_DIGEST_SHA256, live, o, r, err);
	if (rc == 0)
		rc = sweep(s, BK_DIGEST_SHA512, live, o, r, err);
	if (rc == 0)
		rc = store_layers_gc_(s, &layers, err);
	r->layers_removed = layers.removed;
	r->layers_kept = layers.kept;
	if (rc < 0 || o->dry_run)
		return rc;
	rc = store_lease_mark(s, leased, err);
	if (rc == 0)
		rc = sweep_unfinished(s, STORE_INGEST, "", ".part", leased, err);
	if (rc == 0)
		rc = sweep_unfinished(s, STORE_PRIVATE, ".bk-", ".tmp", NULL, err);
	return rc < 0 ? rc : sweep_unfinished(s, ".", ".bk-", ".tmp", NULL, err);
}

int store_gc(struct store *s, const struct store_gc_opts *opts, struct store_gc_result *ret,
	     struct bk_err **err)
{
	struct store_gc_result result = { 0 };
	int rc = store_writable_(s, err);

	if (rc < 0)
		return rc;
	rc = store_flock_(s->lease, LOCK_EX, opts->wait_ms ? opts->wait_ms : STORE_GC_WAIT_MS);
	if (rc < 0) {
		/* The attempt may have lost us the shared lock. */
		(void)store_flock_(s->lease, LOCK_SH, STORE_GC_WAIT_MS);
		return bk_err_set(err, BK_ERR_IO, rc == -EWOULDBLOCK ? EBUSY : -rc,
				  "image store '%s' is in use by others", s->path);
	}
	rc = collect(s, opts, &result, err);
	(void)store_flock_(s->lease, LOCK_SH, 0);
	if (rc < 0)
		return rc;
	*ret = result;
	return 0;
}

int store_gc_count(const struct store *s, const struct store_gc_opts *opts,
		   struct store_gc_result *ret, struct bk_err **err)
{
	struct store_gc_opts dry = *opts;
	struct store_gc_result result = { 0 };
	int rc;

	dry.dry_run = true;
	rc = collect(s, &dry, &result, err);
	if (rc == 0)
		*ret = result;
	return rc;
}

void store_gc_discard(struct store *s, char *const *digests)
{
	bk_automap struct bk_map *live = NULL;

	if (!digests || !s->writable)
		return;
	if (store_flock_(s->lease, LOCK_EX, 0) == 0) {
		/* What was leased for what failed is not needed any more. */
		store_lease_drop_(s);
		live = bk_map_new(NULL);
		if (mark_all(s, live, NULL) == 0) {
			for (; *digests; digests++) {
				char path[STORE_BLOB_PATH_MAX];

				if (!bk_map_has(live, *digests) &&
				    store_blob_path_(*digests, path, NULL) == 0)
					(void)unlinkat(s->fd, path, 0);
			}
		}
	}
	(void)store_flock_(s->lease, LOCK_SH, STORE_GC_WAIT_MS);
}
