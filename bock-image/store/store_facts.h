/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list shows of images, kept beside them so that it need not read their documents again:
 *
 *	STORE/.bock/facts	a line an image: its digest, what a list shows of it, and a stamp of each document that says so
 *
 * It is a cache and nothing else: absent, damaged or another's it is not believed, and whoever may not write it does without.
 * A line is taken only while every document that it was read from has the size, inode number and time of change that it
 * had when its digest was last computed, so that a blob which was lost, replaced or changed shows as before. No line is
 * kept of a document so young that a change could have left its time as it is. Only what is shown comes from here: whoever
 * acts on an image reads and hashes its documents.
 *
 *	store_facts_open, store_facts_find or else store_facts_add of each image, store_facts_save, store_facts_free
 *
 * Uses / used by: store, store_image / cmd.
 */
#ifndef STORE_FACTS_H
#define STORE_FACTS_H

#include <stdint.h>
#include <time.h>

#include "store/store_image.h"

#define STORE_FACTS_MAX ((size_t)64 << 20)	/* bytes of the file */
#define STORE_FACTS_AGE 2			/* seconds that a document must be unchanged for: the coarsest time of a file system */

struct store_facts;

struct store_fact {
	char *id;		/* digest of the configuration */
	char *platform;	/* as store_platform_text */
	char *created;		/* NULL: not said */
	uint64_t size;		/* bytes of all blobs */
};

/* Reads what there is; now: of CLOCK_REALTIME, before anything that is added was read. s must outlive it. */
struct store_facts *store_facts_open(const struct store *s, struct timespec now) __attribute__((returns_nonnull));
/* Looks up the image that d, an entry of index.json, leads to on this machine. *ret is f's. */
bool store_facts_find(struct store_facts *f, const struct oci_descriptor *d, struct store_fact *ret);
/* Takes note of an image that was just opened from d; strings are copied. What can't be kept is passed over. */
void store_facts_add(struct store_facts *f, const struct oci_descriptor *d, const struct store_image *image,
		     const struct store_fact *fact);
/*
 * Writes what was found and added, if anything was added. The store's owner does, where he may; whether it worked matters
 * to nobody.
 */
void store_facts_save(const struct store_facts *f);
void store_facts_free(struct store_facts *f);
BK_DEFINE_AUTO(store_facts, store_facts_free);
#define bk_autostorefacts bk_auto(bk_auto_store_facts_)

#endif
