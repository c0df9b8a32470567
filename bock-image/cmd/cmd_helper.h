/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bock-image-transfer: the same commands with more libraries, in libexec. A bock-image of a build tree
 * finds that of its tree, if it is its owner's.
 *
 * Uses: base. Used by: main.c of the small program.
 */
#ifndef CMD_HELPER_H
#define CMD_HELPER_H

#include "base/bk_err.h"

#define CMD_HELPER "bock-image-transfer"

/* Becomes the helper, with that argv and our environment: returns only with an error. */
int cmd_helper_exec(char *const *argv, struct bk_err **err);

#endif
