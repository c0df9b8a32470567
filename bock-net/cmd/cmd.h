/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of bock-net: each cmd_NAME.c parses, calls one function of libcommon/net, and reports. */
#ifndef CMD_H
#define CMD_H

#include "base/bk_cli.h"

extern const struct bk_cli_cmd cmd_move;

#endif
