/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One blob to a registry (distribution-spec, "Push"): nothing if it is there, mounted from another repository of the same
 * registry, or sent, at once or in chunks, which go on where a connection broke.
 *
 * Uses: registry. Used by: registry_push.
 */
#ifndef REGISTRY_UPLOAD_H
#define REGISTRY_UPLOAD_H

#include "oci/oci_descriptor.h"
#include "registry/registry.h"

#define REGISTRY_CHUNK ((int64_t)64 << 20)	/* bytes; blobs that are larger go in chunks */
#define REGISTRY_CHUNK_MIN ((int64_t)1 << 20)

struct registry_upload {
	const char *repo;
	const char *from;	/* NULL, or a repository to mount it from */
	const struct oci_descriptor *desc;
	int fd;			/* its content, from the beginning */
	int64_t chunk;		/* 0: REGISTRY_CHUNK; the registry's OCI-Chunk-Min-Length is kept to */
	/* Told of bytes that were sent; may be NULL. */
	void (*sent)(void *ctx, int64_t all);
	void *ctx;
};

/* *ret_had: it was there, or was mounted. */
int registry_upload(struct registry *r, const struct registry_upload *u, bool *ret_had,
		    struct bk_err **err);

#endif
