/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running bock-runc, or any other OCI runtime.
 *
 * Uses / used by: base / step_run, cmd.
 */
#ifndef EXEC_RUNTIME_H
#define EXEC_RUNTIME_H

#include "base/bk_err.h"

struct exec_runtime {
	const char *path; /* of the program */
	const char *root; /* its --root: state of containers */
	int output;	  /* where the step's output goes; -1: our stderr */
};

/*
 * Finds the runtime: `given` if not NULL, else $BOCK_RUNC, else bock-runc beside our own executable
 * (where it is installed, or in a build tree), in sbin beside its bin, or in PATH. Heap.
 */
int exec_runtime_find(const char *given, char **ret, struct bk_err **err);

/*
 * Runs the container `id` of the bundle to its end, with nothing on stdin; *ret_code is its exit
 * status as a shell says it. SIGINT, SIGTERM and SIGHUP that arrive meanwhile end the container, and
 * then it is an error.
 */
int exec_runtime_run(const struct exec_runtime *rt, const char *bundle, const char *id,
		     int *ret_code, struct bk_err **err);

#endif
