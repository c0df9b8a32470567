/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing (CVE-2019-5736): what runs inside a container is never our file on the host. The usual
 * container ends in the small last stage (stage/stage.h); where more of us must run with the container's
 * processes around (a pid namespace that others are in, startContainer hooks), the whole program goes
 * on from a sealed copy of itself before it does anything.
 */
#ifndef INIT_STAGE_H
#define INIT_STAGE_H

#include "init/init_child.h"

extern const unsigned char init_stage_image[];
extern const uint32_t init_stage_image_size; /* bytes */

/* Executes the last stage in place of OP_READY and what follows; returns only on failure. */
int init_stage_exec(struct init_child *c, struct bk_err **err);

/*
 * Returns at once in a program that is a sealed copy already; else makes the copy and executes it with
 * our own arguments: returns only on failure then. No side effect must have happened.
 */
int init_stage_seal_self(struct bk_err **err);

#endif
