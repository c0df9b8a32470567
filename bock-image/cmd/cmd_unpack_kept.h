/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unpack --mode overlay of layers that the store keeps already, in the small program: no layer is read then, and the start
 * of the helper would be half of the time.
 *
 * Uses: bundle_overlay. Used by: main.
 */
#ifndef CMD_UNPACK_KEPT_H
#define CMD_UNPACK_KEPT_H

#include <stdbool.h>

#include "base/bk_cli.h"

/* *ret_done false: nothing was done, and it is cmd_unpack_run's. */
int cmd_unpack_kept(const struct bk_cli_call *call, bool *ret_done, struct bk_err **err);

#endif
