/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacked layers that the store keeps, each once, for bundles and mounts that put them on top of each other:
 *
 *	STORE/.bock/layers/KEY/fs	the tree of one layer, with overlayfs's own whiteouts and opaque directories
 *			or with the one file STORE_LAYER_FILE: its tar, or an index of tars (layer_index.h)
 *	STORE/.bock/layers/KEY/done	what it is; written when the tree is on the disk
 *	STORE/.bock/layers/KEY.lock	held by whoever unpacks that layer
 *	STORE/.bock/layers/tmp-...	a layer being unpacked, or removed
 *	STORE/.bock/layers/uses/ID	a bundle or a mount that needs some of them
 *	STORE/.bock/layers/empty	a directory with nothing in it, the lowest layer of a mount
 *	STORE/.bock/mounts/ID-NS	where an image is mounted in a mount namespace (store_mounts.h)
 *
 * KEY is the ChainID: what a layer's tree is depends on those below it, where it writes through their links, hard-links
 * their files, or names a file and not the directories that it is in. What has a KEY's name is whole: it is built under
 * tmp-, synced, given its marker and renamed. gc removes what no image and no use needs, and what builders left that
 * died.
 *
 * Uses / used by: store, store_image / store_gc, store_fsck, layer, bundle, cmd.
 */
#ifndef STORE_LAYERS_H
#define STORE_LAYERS_H

#include <stdint.h>
#include <sys/types.h>

#include "digest/bk_digest.h"
#include "oci/oci_image.h"
#include "store/store.h"

#define STORE_LAYER_KEY_SIZE (BK_DIGEST_TEXT_SIZE + 8)
#define STORE_LAYER_WAIT_MS 600000	/* for another process that unpacks the same layer */

/* Whose files a layer's tree has, and by which attributes overlayfs knows its opaque directories. */
enum store_layer_kind {
	STORE_LAYER_ROOT,	/* the layer's owners; trusted.overlay.* */
	STORE_LAYER_NS,		/* the layer's owners, by root of a user namespace; user.overlay.* */
	STORE_LAYER_USER,	/* all are the caller's; user.overlay.* */
	STORE_LAYER_TAR,	/* no tree, but STORE_LAYER_FILE: the uncompressed tar; its marker's diff_id is its digest */
	STORE_LAYER_INDEX,	/* the same: an EROFS of the layers up to this one (layer_index.h) */
};

#define STORE_LAYER_FILE "data"

/* The marker. */
struct store_layer {
	char *chain_id, *diff_id;
	uint64_t entries;	/* of the layer's tar */
	uint64_t bytes;		/* of its tar */
	char *metadata;		/* store_layer_hash of fs */
};

/* ChainIDs of n DiffIDs (image-spec config.md): n + 1 pointers into the arena, the lowest first, then NULL. */
char **store_layer_chain(char *const *diff_ids, size_t n, struct bk_arena *arena);

/* "sha256-HEX", and behind it ".ns", ".user", ".tar" or ".erofs". */
void store_layer_key(const char *chain_id, enum store_layer_kind kind, char key[STORE_LAYER_KEY_SIZE]);

/* The folder of layers, opened for reading; made if `make`, for which the store must be writable. */
int store_layers_open(const struct store *s, bool make, int *ret_fd, struct bk_err **err);

/*
 * Reads the marker of a layer. *ret_there is false where there is none of that name; a marker that can't be read or is
 * another's is an error.
 */
int store_layer_read(const struct store *s, const char *key, struct bk_arena *arena, bool *ret_there,
		     struct store_layer *ret, struct bk_err **err);

/* A layer that is built. */
struct store_layer_build;

/*
 * Takes the layer's lock and makes a folder to build in, unless the layer is there by then: *ret is NULL. Who holds the
 * lock is waited for, STORE_LAYER_WAIT_MS at most (-BK_ERR_IO EBUSY).
 */
int store_layer_begin(struct store *s, const char *key, struct store_layer_build **ret,
		      struct bk_err **err);
/* Names below the folder of layers: of the tree, and of a folder for overlayfs's own use; owned by b. */
const char *store_layer_build_fs(const struct store_layer_build *b);
const char *store_layer_build_work(const struct store_layer_build *b);
/* Syncs the tree, hashes it (l->metadata is set), writes the marker and gives the folder its name. */
int store_layer_commit(struct store_layer_build *b, struct store_layer *l, struct bk_err **err);
/* Frees b; without a commit what was built is removed. */
void store_layer_build_free(struct store_layer_build *b);
BK_DEFINE_AUTO(store_layer_build, store_layer_build_free);
#define bk_autolayerbuild bk_auto(bk_auto_store_layer_build_)

/* Who needs layers: a bundle as long as its folder `upper` is there, a mount as long as it is mounted. */
struct store_use {
	char *path;		/* absolute: of the bundle, or where it is mounted */
	bool mount;
	uint64_t inode;		/* of the bundle's upper; of the mount namespace */
	char *boot;		/* a mount: the machine's boot, by its kernel's id */
	uint64_t mount_id;	/* a mount: its id in mountinfo */
	uint64_t count;		/* a mount: how many umounts end it */
	char *image;		/* digest of the manifest */
	char *name;		/* a mount: what the caller called the image; NULL: unknown */
	char **layers;		/* keys */
};

/* Notes a use, before it begins; an older one of the same path and kind is replaced. */
int store_use_add(struct store *s, const struct store_use *u, struct bk_err **err);
/* Forgets the mount at path in this mount namespace; absent is success. */
int store_use_del(struct store *s, const char *path, struct bk_err **err);
/* All uses, those included that have ended; memory in the arena. */
int store_use_list(const struct store *s, struct bk_arena *arena, struct store_use **ret, size_t *ret_n,
		   struct bk_err **err);
/* Fills inode and boot of a mount that this process makes. */
int store_use_here(struct store_use *u, struct bk_arena *arena, struct bk_err **err);
/*
 * Whether the mount u is there in this mount namespace: with its id at its path, whatever may be mounted over it. false for
 * a bundle, and a mount of another namespace.
 */
bool store_use_is_mounted(const struct store_use *u);
/* Whether it has not ended, as far as this process can tell: what it can't see is in use. */
bool store_use_is_live(const struct store_use *u);

/*
 * What a tree says of its files, names to times, without their content: SHA-256 over a sorted walk. fd is its folder.
 * SELinux's labels and what overlayfs notes for itself (all but "opaque") do not count.
 */
int store_layer_hash(int fd, char ret_digest[BK_DIGEST_TEXT_SIZE], struct bk_err **err);

/* The digest of all of a file; where fd stands is left alone. */
int store_layer_file_digest(int fd, enum bk_digest_alg alg, char ret_digest[BK_DIGEST_TEXT_SIZE], struct bk_err **err);

#endif
