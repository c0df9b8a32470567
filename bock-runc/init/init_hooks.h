/* SPDX-License-Identifier: Apache-2.0 */
/* Where the output of hooks goes: the files of the annotations run.oci.hooks.stdout and .stderr. */
#ifndef INIT_HOOKS_H
#define INIT_HOOKS_H

#include "base/bk_err.h"
#include "oci/oci_runtime.h"

struct init_hooks_output {
	int out, errout;	/* -1: no file */
};

#define INIT_HOOKS_OUTPUT_INIT { .out = -1, .errout = -1 }

/*
 * Opens the files for appending, made with 0600 where they are missing; relative paths are relative
 * to the bundle. Both may be the same file.
 */
int init_hooks_open(const struct oci_runtime_config *c, const char *bundle,
		    struct init_hooks_output *ret, struct bk_err **err);
void init_hooks_done(struct init_hooks_output *o);

#endif
