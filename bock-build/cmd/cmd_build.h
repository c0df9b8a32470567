/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command: a Bockfile becomes an image of the store.
 *
 * Uses / used by: graph, step, cmd_config / main.
 */
#ifndef CMD_BUILD_H
#define CMD_BUILD_H

#include "base/bk_cli.h"

/* bock-build's command line. */
extern const struct bk_cli_cmd cmd_build;

#endif
