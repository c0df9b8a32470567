/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image store: an OCI image layout (image-spec image-layout.md) that skopeo, podman and umoci read
 * in place, and a folder of our own for locks and unfinished files:
 *
 *	STORE/oci-layout  STORE/index.json  STORE/blobs/ALG/HEX
 *	STORE/.bock/index.lock	held for an update of index.json
 *	STORE/.bock/lease	held shared by everybody who reads or writes, alone by gc
 *	STORE/.bock/leases/	what those need who let go of the store meanwhile (store_lease.h)
 *	STORE/.bock/ingest/	blobs being written
 *	STORE/.bock/facts	what a list shows of them (store_facts.h)
 *
 * All locks are flock(2): the kernel frees them with the process. An update is atomic: a reader sees
 * the old or the new index.json, and a blob is complete or absent.
 *
 * Calling order: store_open, anything of store_*.h, store_close. Blobs that are added stay safe from
 * gc until store_close, so name the image (store_image_put, store_name_set) before.
 *
 * Uses / used by: base, codec, digest, oci, ref / layer, bundle, cmd, bock-build.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>

#include "base/bk_auto.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"

struct store;

enum {
	STORE_WRITE = 1,	/* to add, name and remove */
	STORE_CREATE = 2,	/* the same, and make the store if there is none */
	STORE_REPAIR = 4,	/* the same as STORE_WRITE, of a store that may have lost its index.json */
};

/*
 * Opens the store at path (trusted). Without STORE_CREATE an absent one is -BK_ERR_NOT_FOUND. With it
 * a missing or empty folder becomes a store of mode 0700 (CVE-2021-41091).
 */
int store_open(const char *path, unsigned int flags, struct store **ret, struct bk_err **err);
void store_close(struct store *s);
BK_DEFINE_AUTO(store, store_close);
#define bk_autostore bk_auto(bk_auto_store_)

/* The path that it was opened by; owned by s. */
const char *store_path(const struct store *s);
/* The store's folder; owned by s. */
int store_fd(const struct store *s);

/*
 * Where the store is unless a --root says otherwise: $BOCK_IMAGE_ROOT, else for root
 * /var/lib/bock/images, for others $XDG_DATA_HOME/bock/images or ~/.local/share/bock/images. Heap.
 */
int store_default_path(char **ret, struct bk_err **err);

#endif
