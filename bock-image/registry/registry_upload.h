/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs to a registry (distribution-spec, "Push"), several at a time, the largest first: nothing of one that is there, or that
 * could be mounted from another repository of the same registry; else it is sent, at once or in chunks. Where a connection broke or
 * the registry failed for the moment, it is asked how far it got, and goes on there, or begins anew.
 *
 * Uses: registry, store_blob. Used by: registry_push.
 */
#ifndef REGISTRY_UPLOAD_H
#define REGISTRY_UPLOAD_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"
#include "registry/registry_fetch.h"

#define REGISTRY_CHUNK ((int64_t)64 << 20)	/* bytes; blobs that are larger go in chunks */
#define REGISTRY_CHUNK_MIN ((int64_t)1 << 20)

struct registry_upload {
	const struct oci_descriptor *desc;
	const char *from;	/* NULL, or a repository to mount it from */
};

struct registry_upload_opts {
	const char *repo;
	int64_t chunk;		/* 0: REGISTRY_CHUNK; the registry's OCI-Chunk-Min-Length is kept to */
	unsigned int jobs;	/* requests at a time; 0: REGISTRY_JOBS */
	const struct registry_progress *progress;	/* EXISTS of what was mounted, too; may be NULL */
};

/*
 * Sends n blobs of s, no two of the same digest. Where that fails, or registry_opts.stopped says so, the uploads that are under
 * way are ended and their sessions given up (DELETE), for which the registry has some seconds.
 */
int registry_upload(struct registry *r, const struct store *s, const struct registry_upload *blobs,
		    size_t n, const struct registry_upload_opts *opts, struct bk_err **err);

#endif
