/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of unpack, for both programs that carry it out.
 *
 * Uses: bk_cli, bundle, layer. Used by: cmd_unpack, cmd_unpack_kept.
 */
#ifndef CMD_UNPACK_OPTS_H
#define CMD_UNPACK_OPTS_H

#include "base/bk_cli.h"
#include "bundle/bundle_opts.h"
#include "layer/layer.h"

/* Some are shown one by one, the rest is counted. */
struct cmd_warnings {
	const struct bk_log *log;
	uint64_t n;
};

/*
 * What the words of the call mean; warnings go to *w. Memory is the arena's; *lo points into *bo. A malformed option, or one that is
 * out of bounds, is an error.
 */
int cmd_unpack_read(const struct bk_cli_call *call, struct cmd_warnings *w, struct bk_arena *arena, struct bundle_opts *bo,
		    struct layer_opts *lo, struct bk_err **err);
/* Says how many were not shown. */
void cmd_warnings_end(const struct cmd_warnings *w);

#endif
