/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helper programs: what only some users need, and would cost every start of ours if it were linked, is a
 * program that we execute.
 *
 * It is looked for in libexec, at the path that configure was given, and nowhere else: no variable of the
 * environment and no PATH leads root to another. Only a program that was never installed, PLACE/bock-runc/bock-runc
 * of a build tree, takes its helpers from beside its own folder, PLACE/NAME/NAME, so that a build can be tested and
 * does not run into an older one that is installed. Whoever could put a file there could have put ours there as
 * well: folder and file must belong to the owner of our own program, or to root.
 */
#ifndef SYS_HELPER_H
#define SYS_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"

/* The path of the program NAME, for the caller to free. -BK_ERR_NOT_FOUND says where it was looked for. */
int sys_helper_find(const char *name, char **ret_path, struct bk_err **err);

/*
 * The error of a helper that ended with this status (of waitpid): what it said in its first line behind
 * its name.
 */
int sys_helper_failed(const char *name, int status, const struct bk_buf *said, struct bk_err **err);

/*
 * The path of our own program if it is one of a build tree and shorter than size, else false. A sealed copy
 * (init_stage_seal_self) carries it as its name, by which the copy finds it again.
 */
bool sys_helper_build_tree(char *path, size_t size);

#endif
