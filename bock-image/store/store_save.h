/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images into one tar: an OCI image layout (oci-archive) that has Docker's manifest.json as well, so that
 * `docker load`, `podman load`, `skopeo copy oci-archive:` and `docker-archive:`, `ctr image import` and
 * store_load read the same file. Blobs are kept byte for byte. The same images give the same bytes.
 *
 * Uses / used by: store_index, store_image, store_blob / cmd.
 */
#ifndef STORE_SAVE_H
#define STORE_SAVE_H

#include <stddef.h>

#include "store/store.h"

#define STORE_SAVE_DOCS_MAX ((size_t)64 << 20) /* bytes of index.json and manifest.json */

/*
 * Writes the images (names or digests, as for store_name_find) to fd, which may be a pipe. What an index
 * has of other platforms goes along where it is in the store. Each blob's digest is checked on the
 * way: a damaged one is -BK_ERR_CONFIG, and what was written until then is no archive.
 */
int store_save(const struct store *s, char *const *names, size_t n, int fd, struct bk_err **err);

#endif
