/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacked layers: what the files of store/ share about them. */
#ifndef STORE_LAYERS_PRIV_H
#define STORE_LAYERS_PRIV_H

#include "store/store_layers.h"
#include "store/store_priv.h"

#define STORE_LAYERS	    STORE_PRIVATE "/layers"
#define STORE_MOUNTS	    STORE_PRIVATE "/mounts"
#define STORE_LAYERS_FS	    "fs"
#define STORE_LAYERS_MARKER "done"
#define STORE_LAYERS_EMPTY  "empty"
#define STORE_LAYERS_USES   "uses"
#define STORE_LAYERS_LOCK   ".lock"
#define STORE_LAYERS_TMP    "tmp-"

#define STORE_LAYERS_TMP_SIZE 32

/* A new name for something that is not whole. */
int store_layers_tmp_(char name[STORE_LAYERS_TMP_SIZE], struct bk_err **err);

/* The marker of a layer that is there; layers is their folder. */
int store_layer_read_(int layers, const char *key, struct bk_arena *arena, struct store_layer *ret,
		      struct bk_err **err);

/* One note of a use; dirfd is the folder of them. */
int store_use_read_(int dirfd, const char *name, struct bk_arena *arena, struct store_use *ret,
		    struct bk_err **err);

struct store_layers_sweep {
	bool dry_run;
	bool all;		/* those, too, that only images need */
	uint64_t removed, kept;	/* result */
};

/*
 * gc: removes (dry_run: counts) the layers that neither an image nor a use needs, uses that have ended, and what was
 * left half made. Nobody else has the store open, unless dry_run.
 */
int store_layers_gc_(const struct store *s, struct store_layers_sweep *sweep, struct bk_err **err);

/* fsck: tells of each layer that is not what its marker says, and of bundles whose layers are gone. */
int store_layers_fsck_(const struct store *s, bool quick, void (*tell)(void *ctx, const char *what),
		       void *ctx, uint64_t *ret_layers, struct bk_err **err);

#endif
