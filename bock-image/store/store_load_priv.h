/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of the formats share. */
#ifndef STORE_LOAD_PRIV_H
#define STORE_LOAD_PRIV_H

#include "base/bk_map.h"
#include "base/bk_root.h"
#include "oci/oci_image.h"
#include "store/store_index.h"
#include "store/store_load.h"

/* One image found: its descriptor, and the names that it has there. */
struct store_load_image {
	struct oci_descriptor desc;
	char **names;	/* strv in the arena; NULL: none */
};

struct store_load {
	struct store *s;
	const struct store_load_opts *opts;
	struct bk_arena *arena;
	const char *transport;			/* what it turned out to be */
	const char *path;			/* of what is read; in the arena, NULL: it has none */
	struct store_load_image *images;	/* in the arena */
	size_t n_images;
	char **added;				/* strv: digests that were not in the store before */
};

void store_load_image_add_(struct store_load *l, const struct oci_descriptor *d, char **names);
/* Notes a digest that is about to be added, unless it is there. */
void store_load_adding_(struct store_load *l, const char *digest);
/* The images of an index.json, all of whose blobs are in the store. */
int store_load_index_(struct store_load *l, const struct oci_index *index, struct bk_err **err);

/* From a folder. */
int store_load_layout_(struct store_load *l, const struct bk_root *dir, struct bk_err **err);
/* From a tar. */
int store_load_tar_(struct store_load *l, int fd, struct bk_err **err);

/* What a docker-archive holds, collected while it is read. */
struct store_load_docker {
	struct bk_map *docs;	/* member name -> struct store_load_doc: JSON documents */
	struct bk_map *layers;	/* member name -> struct oci_descriptor, in the arena */
	struct bk_map *links;	/* member name -> member name */
};
struct store_load_doc {
	char *text;
	size_t len;
};
/* The images of its manifest.json. */
int store_load_docker_(struct store_load *l, const struct store_load_docker *d,
		       const struct store_load_doc *manifest, struct bk_err **err);

#endif
