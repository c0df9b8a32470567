/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_pull.h"

#include <string.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "oci/oci_media.h"
#include "registry/registry_manifest.h"
#include "registry/registry_referrers.h"
#include "store/store_blob.h"
#include "store/store_image.h"
#include "store/store_lease.h"
#include "store/store_referrers.h"

struct pull {
	struct registry *r;
	const char *repo;
	struct store *s;
	const struct registry_pull_opts *opts;
	struct oci_platform platform;
	struct bk_arena *arena;
	char ***added;
	struct oci_descriptor *blobs; /* of all manifests */
	const char **needed;	      /* digests, of manifests too */
	size_t n_blobs, n_needed, n_manifests;
	bool all_platforms;
	struct oci_descriptor *taken; /* manifests and indexes whose referrers are wanted */
	size_t n_taken;
	struct oci_descriptor *referrers;
	size_t n_referrers;
};

static void need(struct pull *p, const char *digest)
{
	p->needed = bk_arena_grow(p->arena, p->needed, p->n_needed, sizeof(*p->needed));
	p->needed[p->n_needed++] = digest;
}

static void add_blob(struct pull *p, const struct oci_descriptor *d)
{
	p->blobs = bk_arena_grow(p->arena, p->blobs, p->n_blobs, sizeof(*p->blobs));
	p->blobs[p->n_blobs++] = *d;
	need(p, d->digest);
}

/* A manifest or index into the store; expect as for registry_manifest_get. */
static int get(struct pull *p, const char *reference, const struct oci_descriptor *expect,
	       struct oci_descriptor *ret, struct bk_err **err)
{
	int rc;

	if (++p->n_manifests > REGISTRY_MANIFESTS_MAX)
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "more than %d manifests in one index",
				  REGISTRY_MANIFESTS_MAX);
	if (expect && store_blob_has(p->s, expect->digest, expect->size)) {
		*ret = *expect;
		need(p, ret->digest);
		return 0;
	}
	rc = registry_manifest_get(p->r, p->repo, reference, expect, p->s, p->arena, ret, err);
	if (rc < 0)
		return rc;
	need(p, ret->digest);
	if (p->added)
		bk_strv_add(p->added, ret->digest);
	return 0;
}

static int take_manifest(struct pull *p, const struct oci_descriptor *d, struct bk_err **err)
{
	struct oci_manifest m;
	int rc = store_manifest_read(p->s, d, p->arena, &m, err);

	if (rc < 0)
		return rc;
	if (m.config->size > (int64_t)STORE_CONFIG_MAX)
		return bk_err_set(err, BK_ERR_REGISTRY, 0,
				  "a configuration of more than %zu bytes", STORE_CONFIG_MAX);
	add_blob(p, m.config);
	for (size_t i = 0; i < m.n_layers; i++)
		add_blob(p, &m.layers[i]);
	return 0;
}

static int take(struct pull *p, const struct oci_descriptor *d, unsigned int depth,
		struct oci_descriptor *ret_image, struct bk_err **err);

static int take_child(struct pull *p, const struct oci_descriptor *child, unsigned int depth,
		      struct oci_descriptor *ret_image, struct bk_err **err)
{
	struct oci_descriptor d;
	int rc = get(p, child->digest, child, &d, err);

	if (rc < 0)
		return rc;
	d.platform = child->platform;
	return take(p, &d, depth, ret_image, err);
}

static int take_index(struct pull *p, const struct oci_descriptor *d, unsigned int depth,
		      struct oci_descriptor *ret_image, struct bk_err **err)
{
	const struct oci_descriptor *best;
	bk_autofree char *text = NULL;
	struct oci_index index;
	int rc = store_manifests_read(p->s, d, p->arena, &index, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; p->all_platforms && i < index.n_manifests; i++) {
		enum oci_media_kind kind = oci_media_kind_of(index.manifests[i].media_type);
		struct oci_descriptor image;

		/* What we don't know is left alone (image-spec: it is no error). */
		if (kind != OCI_MEDIA_KIND_MANIFEST && kind != OCI_MEDIA_KIND_INDEX)
			continue;
		rc = take_child(p, &index.manifests[i], depth + 1, &image, err);
		if (rc < 0)
			return rc;
	}
	if (p->all_platforms) {
		*ret_image = *d;
		return 0;
	}
	best = store_platform_choose(&p->platform, index.manifests, index.n_manifests);
	if (best)
		return take_child(p, best, depth + 1, ret_image, err);
	text = store_platform_text(&p->platform);
	return bk_err_set(err, BK_ERR_NOT_FOUND, 0, "index %s has no image for %s", d->digest, text);
}

/* Once each: two may have a part in common. */
static void note_taken(struct pull *p, const struct oci_descriptor *d)
{
	for (size_t i = 0; i < p->n_taken; i++)
		if (bk_streq(p->taken[i].digest, d->digest))
			return;
	p->taken = bk_arena_grow(p->arena, p->taken, p->n_taken, sizeof(*p->taken));
	p->taken[p->n_taken++] = *d;
}

/* What d leads to; the blobs of manifests are only noted. */
static int take(struct pull *p, const struct oci_descriptor *d, unsigned int depth,
		struct oci_descriptor *ret_image, struct bk_err **err)
{
	note_taken(p, d);
	if (depth > STORE_NESTING_MAX)
		return bk_err_set(err, BK_ERR_REGISTRY, 0, "indexes nested deeper than %d",
				  STORE_NESTING_MAX);
	if (oci_media_kind_of(d->media_type) == OCI_MEDIA_KIND_INDEX)
		return take_index(p, d, depth, ret_image, err);
	*ret_image = *d;
	return take_manifest(p, d, err);
}

/* It may take hours, which a gc shall not have to wait for: the store is let go of, and what is needed leased. */
static int fetch(struct pull *p, struct bk_err **err)
{
	int rc = store_lease_begin(p->s, p->needed, p->n_needed, err);
	int again;

	if (rc < 0)
		return rc;
	rc = registry_fetch(p->r, p->repo, p->s, p->blobs, p->n_blobs, p->opts->jobs,
			    p->opts->progress, p->added, err);
	again = store_lease_end(p->s, rc < 0 ? NULL : err);
	return rc < 0 ? rc : again;
}

/* One that the registry's list has: it must say itself what it refers to. */
static int take_referrer(struct pull *p, const struct oci_descriptor *listed, const char *digest,
			 struct bk_err **err)
{
	struct oci_descriptor d, found, image;
	const char *subject = NULL;
	int rc = get(p, listed->digest, listed, &d, err);

	if (rc == 0)
		rc = store_referrer_read(p->s, &d, p->arena, &found, &subject, err);
	if (rc == 0 && !bk_streq0(subject, digest))
		rc = bk_err_set(err, BK_ERR_REGISTRY, 0, "it refers to %.150s",
				subject ? subject : "nothing");
	if (rc == 0)
		rc = take(p, &d, 0, &image, err);
	if (rc < 0)
		return bk_err_wrap(err, rc, "%s, which is listed as a referrer of %s", listed->digest,
				   digest);
	p->referrers = bk_arena_grow(p->arena, p->referrers, p->n_referrers, sizeof(*p->referrers));
	p->referrers[p->n_referrers++] = d;
	return 0;
}

/* The referrers of all that was taken; these are taken, too, so that theirs come next. */
static int take_referrers(struct pull *p, struct bk_err **err)
{
	int rc = 0;

	p->all_platforms = true;
	for (size_t i = 0; rc == 0 && i < p->n_taken; i++) {
		const char *digest = p->taken[i].digest;
		struct oci_descriptor *list;
		size_t n;

		rc = registry_referrers(p->r, p->repo, digest, NULL, p->arena, &list, &n, err);
		for (size_t k = 0; rc == 0 && k < n; k++) {
			enum oci_media_kind kind = oci_media_kind_of(list[k].media_type);

			if (kind == OCI_MEDIA_KIND_MANIFEST || kind == OCI_MEDIA_KIND_INDEX)
				rc = take_referrer(p, &list[k], digest, err);
		}
	}
	return rc;
}

int registry_pull(struct registry *r, const char *repo, const char *reference, struct store *s,
		  const struct registry_pull_opts *opts, struct bk_arena *arena,
		  struct oci_descriptor *ret, struct oci_descriptor *ret_image, char ***added,
		  struct bk_err **err)
{
	struct pull p = {
		.r = r,
		.repo = repo,
		.s = s,
		.opts = opts,
		.arena = arena,
		.added = added,
		.all_platforms = opts->all_platforms,
	};
	struct oci_descriptor top, image;
	int rc;

	if (opts->platform)
		p.platform = *opts->platform;
	else
		store_machine_platform(&p.platform);
	rc = get(&p, reference, NULL, &top, err);
	if (rc == 0)
		rc = take(&p, &top, 0, &image, err);
	if (rc == 0 && opts->check)
		rc = opts->check(opts->ctx, &top, &image, err);
	if (rc == 0 && opts->referrers)
		rc = take_referrers(&p, err);
	if (rc == 0)
		rc = fetch(&p, err);
	for (size_t i = 0; rc == 0 && i < p.n_referrers; i++)
		rc = store_referrer_add(s, &p.referrers[i], arena, err);
	if (rc < 0)
		return rc;
	*ret = top;
	*ret_image = image;
	return 0;
}
