/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blocks between threads: one writes, one or two read all of them in order. It is what bounds
 * a pipeline: the writer waits while every block is in use, a reader while there is none for it.
 *
 *	writer:	layer_ring_reserve, layer_ring_publish, ..., layer_ring_end
 *	reader:	layer_ring_get, layer_ring_release, ...
 *	anyone:	layer_ring_stop, after which nobody waits any more
 *
 * Uses / used by: pthreads / layer_stream.
 */
#ifndef LAYER_RING_H
#define LAYER_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_auto.h"

#define LAYER_RING_READERS_MAX 2

struct layer_ring;

struct layer_ring *layer_ring_new(size_t blocks, size_t block_size, unsigned int readers)
	__attribute__((returns_nonnull));
/* When no thread uses it any more. */
void layer_ring_free(struct layer_ring *r);

/* A block to be filled, block_size bytes; NULL after a stop. */
void *layer_ring_reserve(struct layer_ring *r);
/* Hands the reserved block to the readers, with len bytes in it. */
void layer_ring_publish(struct layer_ring *r, size_t len);
/* There will be no more: readers get what is left, then false. */
void layer_ring_end(struct layer_ring *r);

/* The reader's next block, its until layer_ring_release; false at the end and after a stop. */
bool layer_ring_get(struct layer_ring *r, unsigned int reader, const void **ret_data,
		    size_t *ret_len);
void layer_ring_release(struct layer_ring *r, unsigned int reader);

void layer_ring_stop(struct layer_ring *r);

BK_DEFINE_AUTO(layer_ring, layer_ring_free);

#endif
