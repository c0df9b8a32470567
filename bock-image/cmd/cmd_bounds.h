/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of the commands that read layers of whoever made them: what a layer must not pass, and how the process that
 * reads them is confined.
 *
 * Uses / used by: bk_cli, layer / cmd_transfer, cmd_unpack, cmd_diff.
 */
#ifndef CMD_BOUNDS_H
#define CMD_BOUNDS_H

#include <stddef.h>

#include "base/bk_cli.h"
#include "base/bk_err.h"

struct layer_opts;

struct cmd_bounds_opts {
	uint32_t max_ratio;
	uint32_t max_entries;
	uint32_t max_depth;
	uint32_t max_name;
	uint32_t threads;
	const char *max_size;
	const char *max_file;
	const char *max_pax;
	int confine;	/* enum layer_confine_how */
};

/* As enum layer_confine_how. */
extern const char *const cmd_bounds_confine[];

/* The rows of a command whose options have a struct cmd_bounds_opts `bounds`. */
/* clang-format off */
#define BOUNDS_ROWS(type)                                                                         \
	{ "confine", 0, BK_CLI_CHOICE, offsetof(type, bounds.confine), "HOW",                     \
	  "how the process is confined that reads layers: auto, required or none", 0,             \
	  cmd_bounds_confine },                                                                   \
	{ "max-depth", 0, BK_CLI_U32, offsetof(type, bounds.max_depth), "N",                      \
	  "refuse names of more than N components (default: 256)", 0, NULL },                     \
	{ "max-entries", 0, BK_CLI_U32, offsetof(type, bounds.max_entries), "N",                  \
	  "refuse layers of more than N entries (default: 4194304)", 0, NULL },                   \
	{ "max-file", 0, BK_CLI_STR, offsetof(type, bounds.max_file), "SIZE",                     \
	  "refuse files that are larger, holes included (default: 1t)", 0, NULL },                \
	{ "max-name", 0, BK_CLI_U32, offsetof(type, bounds.max_name), "N",                        \
	  "refuse names of more than N bytes (default: 4095)", 0, NULL },                         \
	{ "max-pax", 0, BK_CLI_STR, offsetof(type, bounds.max_pax), "SIZE",                       \
	  "refuse extended headers that are larger (default: 1m)", 0, NULL },                     \
	{ "max-ratio", 0, BK_CLI_U32, offsetof(type, bounds.max_ratio), "N",                      \
	  "refuse layers that unpack to more than N times their size (default: 250)", 0, NULL },  \
	{ "max-size", 0, BK_CLI_STR, offsetof(type, bounds.max_size), "SIZE",                     \
	  "refuse layers that unpack to more (default: 1t)", 0, NULL },                           \
	{ "threads", 0, BK_CLI_U32, offsetof(type, bounds.threads), "N",                          \
	  "threads that read a layer, 1 to 3 (default: by the number of CPUs)", 0, NULL }
/* clang-format on */

/* Fills in lo what the options say of it. -BK_ERR_CONFIG: a size that is none, or more than the program is made for. */
int cmd_bounds_read(const struct cmd_bounds_opts *o, struct layer_opts *lo, struct bk_err **err);

#endif
