/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of small numbers, of CPUs or of memory nodes, as config.json and the kernel write them: "0-3,7". A set
 * is as long as its highest number wants it, so neither 1,024 CPUs nor 1,024 nodes are a limit.
 */
#ifndef PROC_MASK_H
#define PROC_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"

#define PROC_MASK_WORD_BITS (8 * sizeof(unsigned long))

struct proc_mask {
	unsigned long *words;	/* the arena's; number n is bit n, as system calls have it */
	size_t n_words;		/* 0: the empty set */
};

/*
 * Reads a list: numbers and ranges, separated by commas. Spaces around them and empty elements are let pass
 * (runc does); an empty text is the empty set. Each number must be below limit. The error says what is
 * wrong, without naming the property.
 */
int proc_mask_parse(const char *text, uint32_t limit, struct bk_arena *arena, struct proc_mask *ret,
		    struct bk_err **err);

bool proc_mask_has(const struct proc_mask *m, size_t number);
/* Appends the list in its shortest form, "0-3,7"; nothing for the empty set. */
void proc_mask_print(const struct proc_mask *m, struct bk_buf *out);

#endif
