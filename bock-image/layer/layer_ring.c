/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_ring.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bk_mem.h"

struct layer_ring {
	pthread_mutex_t lock;
	pthread_cond_t filled, freed;
	size_t blocks, block_size;
	unsigned int readers;
	uint64_t written;		       /* blocks so far */
	uint64_t read[LAYER_RING_READERS_MAX]; /* by each reader, released */
	size_t *len;
	unsigned char *data;
	bool end, stop;
};

struct layer_ring *layer_ring_new(size_t blocks, size_t block_size, unsigned int readers)
{
	struct layer_ring *r = bk_calloc(1, sizeof(*r));

	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->filled, NULL);
	(void)pthread_cond_init(&r->freed, NULL);
	r->blocks = blocks;
	r->block_size = block_size;
	r->readers = readers;
	r->len = bk_calloc(blocks, sizeof(*r->len));
	r->data = bk_malloc(blocks * block_size);
	return r;
}

void layer_ring_free(struct layer_ring *r)
{
	if (!r)
		return;
	(void)pthread_mutex_destroy(&r->lock);
	(void)pthread_cond_destroy(&r->filled);
	(void)pthread_cond_destroy(&r->freed);
	free(r->len);
	free(r->data);
	free(r);
}

/* Blocks that all readers are done with. */
static uint64_t read_by_all(const struct layer_ring *r)
{
	uint64_t least = r->read[0];

	for (unsigned int i = 1; i < r->readers; i++)
		if (r->read[i] < least)
			least = r->read[i];
	return least;
}

void *layer_ring_reserve(struct layer_ring *r)
{
	void *block = NULL;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stop && r->written - read_by_all(r) >= r->blocks)
		(void)pthread_cond_wait(&r->freed, &r->lock);
	if (!r->stop)
		block = r->data + (r->written % r->blocks) * r->block_size;
	(void)pthread_mutex_unlock(&r->lock);
	return block;
}

void layer_ring_publish(struct layer_ring *r, size_t len)
{
	(void)pthread_mutex_lock(&r->lock);
	r->len[r->written % r->blocks] = len;
	r->written++;
	(void)pthread_cond_broadcast(&r->filled);
	(void)pthread_mutex_unlock(&r->lock);
}

void layer_ring_end(struct layer_ring *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->end = true;
	(void)pthread_cond_broadcast(&r->filled);
	(void)pthread_mutex_unlock(&r->lock);
}

bool layer_ring_get(struct layer_ring *r, unsigned int reader, const void **ret_data,
		    size_t *ret_len)
{
	bool got;

	(void)pthread_mutex_lock(&r->lock);
	while (!r->stop && !r->end && r->read[reader] == r->written)
		(void)pthread_cond_wait(&r->filled, &r->lock);
	got = !r->stop && r->read[reader] < r->written;
	if (got) {
		size_t i = r->read[reader] % r->blocks;

		*ret_data = r->data + i * r->block_size;
		*ret_len = r->len[i];
	}
	(void)pthread_mutex_unlock(&r->lock);
	return got;
}

void layer_ring_release(struct layer_ring *r, unsigned int reader)
{
	(void)pthread_mutex_lock(&r->lock);
	r->read[reader]++;
	(void)pthread_cond_broadcast(&r->freed);
	(void)pthread_mutex_unlock(&r->lock);
}

void layer_ring_stop(struct layer_ring *r)
{
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_broadcast(&r->filled);
	(void)pthread_cond_broadcast(&r->freed);
	(void)pthread_mutex_unlock(&r->lock);
}
