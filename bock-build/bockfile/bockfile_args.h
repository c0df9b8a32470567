/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of a build: what they are declared as, what the command line and the environment say.
 *
 * Uses / used by: bockfile_scope, bockfile_subst / cmd.
 */
#ifndef BOCKFILE_ARGS_H
#define BOCKFILE_ARGS_H

#include "bockfile/bockfile_scope.h"

/*
 * Gives each declared argument its value: from build_args ("NAME=VALUE" vector of the command line),
 * else from the host variable that it names, else its default, in which earlier arguments may be
 * used; then metadata's name and version. The scope lives in the arena.
 * Errors: -BK_ERR_CONFIG with the place of the argument (required and missing, not among `enum`, not
 * like `pattern`), or naming the --build-arg that nothing declares.
 */
int bockfile_args_resolve(const struct bockfile *b, char *const *build_args, const char *timestamp,
			  struct bk_arena *arena, struct bockfile_scope *ret, struct bk_err **err);

#endif
