/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images into the store.
 *
 * Uses: registry_manifest, registry_fetch, store. Used by: cmd.
 */
#ifndef REGISTRY_PULL_H
#define REGISTRY_PULL_H

#include "registry/registry_fetch.h"
#include "store/store_platform.h"

#define REGISTRY_MANIFESTS_MAX 1000	/* of one index, nested ones included */

struct registry_pull_opts {
	const struct oci_platform *platform;	/* NULL: this machine's */
	bool all_platforms;
	bool referrers;		/* what refers to what is fetched comes along, and what refers to that */
	unsigned int jobs;
	const struct registry_progress *progress;
	/*
	 * Asked when manifests are there and blobs not yet: whether the image is wanted, top being what was named and image the one
	 * that was chosen. An error of it ends the pull. NULL: any is.
	 */
	int (*check)(void *ctx, const struct oci_descriptor *top, const struct oci_descriptor *image,
		     struct bk_err **err);
	void *ctx;
};

/*
 * Fetches what reference (a tag or digest) of repo names, its blobs first, so that what has a name is whole. *ret is the
 * manifest or index itself; *ret_image of an index the manifest for the platform (the same as *ret otherwise, or with
 * all_platforms). Strings in the arena. added: strv of the digests that were not there before, also when it failed (for
 * store_gc_discard; layers that arrived whole may stay).
 */
int registry_pull(struct registry *r, const char *repo, const char *reference, struct store *s,
		  const struct registry_pull_opts *opts, struct bk_arena *arena,
		  struct oci_descriptor *ret, struct oci_descriptor *ret_image, char ***added,
		  struct bk_err **err);

#endif
