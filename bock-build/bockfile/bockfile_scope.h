/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that `${...}` knows in a Bockfile, and their values: build arguments, metadata, the time
 * and, inside a stage, its environment so far.
 *
 * Calling order: bockfile_args_resolve (bockfile_args.h) once; then copies of it with env and has_env
 * set for a stage.
 *
 * Uses / used by: bockfile / bockfile_subst, bockfile_args, graph, step, cmd.
 */
#ifndef BOCKFILE_SCOPE_H
#define BOCKFILE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "bockfile/bockfile.h"

struct bockfile_scope {
	const struct bockfile *bockfile;
	struct bk_doc_pair *args; /* those that have a value */
	size_t n_args;
	const char *name, *version; /* of metadata; NULL: not given */
	const char *timestamp;	    /* RFC 3339 */
	char *const *env;	    /* "NAME=VALUE" vector, NULL the empty one */
	bool has_env;		    /* false: env.X is an error here */
};

#endif
