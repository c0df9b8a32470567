/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from the store to a registry: blobs that it has not, several at a time, then manifests, then tags.
 *
 * Uses: registry, registry_upload, store. Used by: cmd.
 */
#ifndef REGISTRY_PUSH_H
#define REGISTRY_PUSH_H

#include "registry/registry_fetch.h"

struct registry_push_opts {
	int64_t chunk;		/* as registry_upload_opts, and so is jobs */
	unsigned int jobs;
	/* A repository of the same registry that has blobs of the image, NULL: those that the store's names tell. */
	const char *mount_from;
	const struct registry_progress *progress;
	bool referrers;		/* what of the store refers to the image goes along, and what refers to that */
};

/*
 * What of d can be sent: d itself if it is a manifest, or an index all of whose images are here; the only image of it that is here;
 * with a platform (NULL: none) the image for that. -BK_ERR_NOT_FOUND else. Strings in the arena.
 */
int registry_push_choose(const struct store *s, const struct oci_descriptor *d,
			 const struct oci_platform *platform, struct bk_arena *arena,
			 struct oci_descriptor *ret, struct bk_err **err);

/*
 * Sends what d (a manifest or index of the store) leads to, and gives it the tags (none: it is sent by its digest). All images of
 * an index must be in the store. Layers that may not be distributed are left out. A manifest that has a subject is noted in the
 * list of its referrers where the registry does not do that by itself (registry_referrers.h).
 */
int registry_push(struct registry *r, const char *repo, char *const *tags, const struct store *s,
		  const struct oci_descriptor *d, const struct registry_push_opts *opts,
		  struct bk_err **err);

#endif
