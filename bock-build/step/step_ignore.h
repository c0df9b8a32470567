/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ignore file of a context: .bockignore, else .dockerignore. One pattern a line (step_glob.h),
 * `#` in front of a comment, `!` in front of an exception; the last line that is like a path, or like a
 * directory that holds it, decides.
 *
 * Uses / used by: step_glob / step_copy, cmd.
 */
#ifndef STEP_IGNORE_H
#define STEP_IGNORE_H

#include <stdbool.h>

#include "base/bk_err.h"
#include "base/bk_root.h"

#define STEP_IGNORE_SIZE_MAX ((size_t)1 << 20) /* bytes of the file */

struct step_ignore {
	char **lines; /* strv; cleaned, a leading '!' kept */
	bool exceptions;
};

#define STEP_IGNORE_INIT      \
	{                     \
		.lines = NULL \
	}

/* Reads the context's file, if there is one. */
int step_ignore_load(struct step_ignore *ignore, const struct bk_root *context,
		     struct bk_err **err);
/* The same from text. */
void step_ignore_parse(struct step_ignore *ignore, const char *text);
void step_ignore_done(struct step_ignore *ignore);
#define step_autoignore bk_auto(step_ignore_done)

/* True if path (relative, cleaned) is ignored. */
bool step_ignore_has(const struct step_ignore *ignore, const char *path);

#endif
