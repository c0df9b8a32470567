/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from files: an OCI image layout (folder or tar), or a docker-archive (`docker save`, `podman save`,
 * `skopeo copy ... docker-archive:`). Which it is, is found by what is inside; a tar may be
 * compressed, and is read once, in order, so that it may come from a pipe.
 *
 * Blobs are kept byte for byte. Nothing in the archive becomes a path: a name of it is a digest that
 * bk_digest_parse takes, or a key in a map (CVE-2014-9358, CVE-2024-3727).
 *
 * Uses / used by: store_image, libarchive / cmd.
 */
#ifndef STORE_LOAD_H
#define STORE_LOAD_H

#include <stdbool.h>

#include "oci/oci_descriptor.h"
#include "store/store.h"

#define STORE_LOAD_MEMBERS_MAX 100000		/* of one archive */
#define STORE_LOAD_DOCS_MAX ((size_t)64 << 20)	/* bytes of its documents together */

struct store_load_opts {
	const char *name;	/* for the only image, in place of its own names; NULL: those */
	bool replace;		/* a name that means another image is taken over (always so for `name`) */
	/* Told of each name given; may be NULL. */
	void (*loaded)(void *ctx, const char *name, const char *digest);
	void *ctx;
	/*
	 * Asked of each image before it gets its names: whether it is wanted. transport: "oci", "oci-archive" or "docker-archive"; path:
	 * the absolute one, without links, of the file or folder that was read, NULL of what has none; s has all of the image. An error
	 * ends the load. NULL: any is.
	 */
	int (*check)(void *ctx, const char *transport, const char *path, const struct store *s,
		     const struct oci_descriptor *d, struct bk_err **err);
	void *check_ctx;
};

/*
 * Loads from path ("-": standard input). All images or none: after a failure no name has changed, and
 * what was added is removed again unless others use the store at that moment (then it is
 * garbage for gc).
 */
int store_load(struct store *s, const char *path, const struct store_load_opts *opts,
	       struct bk_err **err);

#endif
