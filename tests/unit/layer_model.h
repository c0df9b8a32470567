/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of image-spec's rules for layers (layer.md), and random layers for it. Used by test_layer.c with numbers of a
 * generator, and by fuzz_layer_model.c with those of its input.
 */
#ifndef LAYER_MODEL_H
#define LAYER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bk_mem.h"
#include "base/bk_str.h"

/* Where decisions come from: the bytes of data, or where there are none, a generator. */
struct choices {
	const uint8_t *data;
	size_t len;
	unsigned int seed;
};

/* A number below n; behind the end of data n - 1, which is the choice of doing nothing. */
static inline unsigned int choose(struct choices *c, unsigned int n)
{
	if (!c->data)
		return (unsigned int)rand_r(&c->seed) % n;
	if (c->len == 0)
		return n - 1;
	c->len--;
	return *c->data++ % n;
}

/*
 * All paths of up to three of the names a, b, c. A state is what is at each: nothing, a directory, or
 * a file with a number in it.
 */
#define PATHS	   39
#define NOTHING	   0
#define DIRECTORY  1
#define FIRST_FILE 2

static inline int parent_of(int i)
{
	return i < 3 ? -1 : i < 12 ? (i - 3) / 3 : 3 + (i - 12) / 3;
}

static inline char *path_of(int i, const char *prefix)
{
	int parent = parent_of(i);
	bk_autofree char *above = parent < 0 ? bk_strdup("") : path_of(parent, "");

	return bk_asprintf("%s%s%s%c", above, *above ? "/" : "", prefix, 'a' + i % 3);
}

static inline bool is_below(int i, int dir)
{
	for (i = parent_of(i); i >= 0; i = parent_of(i))
		if (i == dir)
			return true;
	return dir < 0;
}

struct layer {
	int made[PATHS];     /* as a state */
	bool implied[PATHS]; /* a directory without an entry */
	bool whiteout[PATHS];
	bool opaque[PATHS + 1]; /* [PATHS]: the root */
};

static inline void model_apply(int state[PATHS], const struct layer *l)
{
	for (int i = 0; i < PATHS; i++) {
		bool hidden = l->opaque[PATHS] || l->whiteout[i];

		for (int k = 0; k < PATHS; k++)
			hidden = hidden || ((l->whiteout[k] || l->opaque[k]) && is_below(i, k));
		if (hidden)
			state[i] = NOTHING;
	}
	for (int i = 0; i < PATHS; i++) {
		if (l->made[i] == NOTHING)
			continue;
		/* Anything but a directory over a directory replaces what is there with all below it. */
		if (l->made[i] != DIRECTORY || state[i] != DIRECTORY)
			for (int k = 0; k < PATHS; k++)
				if (is_below(k, i))
					state[k] = NOTHING;
		state[i] = l->made[i];
	}
}

/* A layer whose entries agree with each other; directories that are there may be left out. */
static inline void random_layer(struct layer *l, const int state[PATHS], struct choices *c, int number)
{
	*l = (struct layer){ 0 };
	for (int i = 0; i < PATHS; i++) {
		int parent = parent_of(i);

		l->whiteout[i] = choose(c, 12) == 0;
		l->opaque[i] = choose(c, 15) == 0;
		if (choose(c, 4) != 0 || (parent >= 0 && l->made[parent] >= FIRST_FILE))
			continue;
		l->made[i] = i < 12 && choose(c, 2) ? DIRECTORY : FIRST_FILE + number;
		for (; parent >= 0 && l->made[parent] == NOTHING; parent = parent_of(parent)) {
			l->made[parent] = DIRECTORY;
			l->implied[parent] = state[parent] == DIRECTORY && choose(c, 2);
		}
	}
	l->opaque[PATHS] = choose(c, 30) == 0;
	/* Nothing can be below a file of the same layer. */
	for (int i = 0; i < PATHS; i++)
		for (int k = parent_of(i); k >= 0; k = parent_of(k))
			if (l->made[k] >= FIRST_FILE)
				l->made[i] = NOTHING;
}

/* A parent of the layer that is a file below can only be made where something says so first. */
static inline bool in_order(const int state[PATHS], const struct layer *l)
{
	for (int i = 0; i < PATHS; i++)
		if (l->made[i] == DIRECTORY && l->implied[i] && state[i] != DIRECTORY)
			return false;
	return true;
}

struct item {
	char *path;
	mode_t mode;
	char content[16];
};

static inline void put_item(struct item *items, size_t *n, char *path, mode_t mode, int content)
{
	items[*n].path = path;
	items[*n].mode = mode;
	snprintf(items[*n].content, sizeof(items[*n].content), "%d", content);
	(*n)++;
}

/* An entry of the layer: a directory, or a file with this content. */
typedef void (*layer_model_add)(void *ctx, const char *path, mode_t mode, const char *content);

/* Entries in any order that has directories before what is in them; whiteouts anywhere. */
static inline void write_layer(const struct layer *l, struct choices *c, layer_model_add add, void *ctx)
{
	struct item items[4 * PATHS];
	size_t n = 0;

	for (int i = 0; i < PATHS; i++) {
		if (l->made[i] == DIRECTORY && !l->implied[i])
			put_item(items, &n, path_of(i, ""), S_IFDIR | 0755, 0);
		if (l->made[i] >= FIRST_FILE)
			put_item(items, &n, path_of(i, ""), S_IFREG | 0644, l->made[i]);
	}
	for (int i = 0; i < PATHS; i++) {
		bk_autofree char *dir = path_of(i, "");

		if (l->whiteout[i])
			put_item(items, &n, path_of(i, ".wh."), S_IFREG | 0644, 0);
		if (l->opaque[i])
			put_item(items, &n, bk_asprintf("%s/.wh..wh..opq", dir), S_IFREG | 0644, 0);
	}
	if (l->opaque[PATHS])
		put_item(items, &n, bk_strdup(".wh..wh..opq"), S_IFREG | 0644, 0);
	for (size_t done = 0; done < n; done++) {
		size_t pick = choose(c, (unsigned int)n);

		/* The first one left, or any whiteout. */
		while (!items[pick].path || !strstr(items[pick].path, ".wh."))
			if (++pick >= n)
				break;
		if (pick >= n || choose(c, 3))
			for (pick = 0; !items[pick].path; pick++)
				;
		add(ctx, items[pick].path, items[pick].mode, items[pick].content);
		free(items[pick].path);
		items[pick].path = NULL;
	}
}

#endif
