/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that `${...}` knows in a Bockfile, and their values: build arguments, metadata, the time
 * and, inside a stage, its environment so far.
 *
 * Calling order: bockfile_scope_init once; then copies of it with env and has_env set for a stage.
 *
 * Uses / used by: bockfile, bockfile_subst / graph, step, cmd.
 */
#ifndef BOCKFILE_SCOPE_H
#define BOCKFILE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "bockfile/bockfile.h"

struct bockfile_scope {
	const struct bockfile *bockfile;
	struct bk_doc_pair *args;	/* those that have a value */
	size_t n_args;
	const char *name, *version;	/* of metadata; NULL: not given */
	const char *timestamp;		/* RFC 3339 */
	char *const *env;		/* "NAME=VALUE" vector, NULL the empty one */
	bool has_env;			/* false: env.X is an error here */
};

/*
 * Gives each declared argument its value: from build_args ("NAME=VALUE" vector of the command line),
 * else from the host variable that it names, else its default, in which earlier arguments may be
 * used; then metadata's name and version. The scope lives in the arena.
 * Errors: -BK_ERR_CONFIG with the place of the argument (required and missing, not among `enum`, not
 * like `pattern`), or naming the --build-arg that nothing declares.
 */
int bockfile_scope_init(const struct bockfile *b, char *const *build_args, const char *timestamp,
			struct bk_arena *arena, struct bockfile_scope *ret, struct bk_err **err);

#endif
