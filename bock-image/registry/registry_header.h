/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of registries: challenges (RFC 9110 11.6.1), links (RFC 8288), ranges.
 *
 * Uses: base. Used by: registry.
 */
#ifndef REGISTRY_HEADER_H
#define REGISTRY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_mem.h"

#define REGISTRY_HEADER_MAX 8192	/* bytes of one that is parsed */
#define REGISTRY_CHALLENGES_MAX 16
#define REGISTRY_PARAMS_MAX 32		/* of one challenge */

struct registry_param {
	char *name;	/* lower case */
	char *value;	/* quotes and backslashes resolved */
};

struct registry_challenge {
	char *scheme;	/* lower case: "bearer", "basic" */
	char *token68;	/* NULL, or what stands there in place of parameters */
	struct registry_param *params;
	size_t n;
};

/*
 * Parses a WWW-Authenticate value, which may hold several challenges; appends to *challenges of *n in the arena.
 * -BK_ERR_REGISTRY for what has not the form.
 */
int registry_challenge_parse(const char *value, struct bk_arena *arena,
			     struct registry_challenge **challenges, size_t *n, struct bk_err **err);
/* The value of a parameter, NULL: none. */
const char *registry_challenge_get(const struct registry_challenge *c, const char *name);

/* The target of the first link with rel="next" of a Link value; heap, NULL: none. */
char *registry_link_next(const char *value);

/* "bytes 0-99/200", or a star for the size (then *ret_size is -1); false where it has not that form. */
bool registry_content_range(const char *value, int64_t *ret_first, int64_t *ret_last,
			    int64_t *ret_size);
/* "0-99", as uploads have it: false where it has not that form. "0-0" may mean that there is nothing. */
bool registry_upload_range(const char *value, int64_t *ret_last);

#endif
