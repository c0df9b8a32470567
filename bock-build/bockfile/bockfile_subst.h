/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Substitution: ${NAME}, ${NAME:-default}, ${NAME:?message}, and $$ for a dollar sign. A dollar sign
 * before anything else stands for itself. Default and message are themselves substituted. As in a
 * shell, `:-` and `:?` take an empty value for none.
 *
 * The text of a `run` command never comes here: what it needs is in its environment.
 *
 * Uses / used by: bockfile_scope / graph, step, cmd.
 */
#ifndef BOCKFILE_SUBST_H
#define BOCKFILE_SUBST_H

#include "bockfile/bockfile_scope.h"

#define BOCKFILE_SUBST_DEPTH_MAX 8 /* ${A:-${B:-...}} */

/*
 * Writes the text with its names replaced to *ret (heap, at most 64 KiB).
 * Errors, all with the text's place: -BK_ERR_CONFIG for an unknown name, an unclosed brace, a `:?`;
 * -BK_ERR_UNSUPPORTED for git.*.
 */
int bockfile_subst(const struct bockfile_scope *scope, const struct bockfile_text *text, char **ret,
		   struct bk_err **err);
/* The same for each item of a list, as a strv (bk_str.h). */
int bockfile_subst_list(const struct bockfile_scope *scope, const struct bockfile_list *list,
			char ***ret, struct bk_err **err);

#endif
