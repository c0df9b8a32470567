/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last things before execve: environment, working directory, and the search for the program, all as the
 * container's user in the container's root.
 */
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bk_err.h"
#include "base/bk_root.h"

/*
 * The environment of the process: the last of duplicates wins, HOME from /etc/passwd below root for uid
 * if it is not set ("/" where there is none). Heap vector.
 */
int proc_exec_env(char *const *env, const struct bk_root *root, uid_t uid, char ***ret,
		  struct bk_err **err);

/* Makes cwd if it is not there (as the runtime's user). */
int proc_exec_make_cwd(const char *cwd, const struct bk_root *root, struct bk_err **err);

/* The check that the current directory is below the root (CVE-2024-21626). */
int proc_exec_inside(struct bk_err **err);

/* chdir and proc_exec_inside */
int proc_exec_chdir(const char *cwd, struct bk_err **err);

/*
 * Finds the program: name as it is with a '/', else along PATH of env. Heap path. The words of the errors are
 * those of runc, which callers match: "exec: "x": executable file not found in $PATH".
 */
int proc_exec_find(const char *name, char *const *env, char **ret, struct bk_err **err);

#endif
