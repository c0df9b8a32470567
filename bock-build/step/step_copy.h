/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a copy step puts into its layer. The rules are Dockerfile's: a directory's content is copied, not
 * the directory; a destination that ends in '/', one that is a directory already, or several sources
 * make a directory of it; links are copied as links, but for a source that is named itself.
 * Directories that are there keep their attributes, new ones are 0755.
 *
 * Uses: snap_list, snap_dest, step_glob, step_mode. Used by: step.
 */
#ifndef STEP_COPY_H
#define STEP_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "base/bk_root.h"
#include "snap/snap_list.h"
#include "step/step_ignore.h"

#define STEP_COPY_DEPTH_MAX 256 /* directories below each other */

struct step_copy {
	const struct bk_root *from; /* the context, or the root of another stage */
	bool keep_owner;	    /* a stage's files keep their owner, the context's are root's */
	const struct bk_root *view; /* the stage so far; NULL: nothing is in it */
	char *const *sources;	    /* strv; paths and patterns below `from` */
	const char *to;		    /* absolute, or relative to workdir */
	const char *workdir;	    /* absolute */
	bool has_owner;		    /* chown */
	uid_t uid;
	gid_t gid;
	const char *chmod;		  /* NULL: modes stay */
	char *const *exclude;		  /* strv; patterns of paths below `from` */
	const struct step_ignore *ignore; /* NULL: nothing is ignored */
	bool parents;			  /* a source's own directories are kept below `to` */
	int64_t mtime;			  /* of directories that are made */
};

/*
 * Adds the entries to l, which is not finished. Errors: -BK_ERR_NOT_FOUND for a source that is
 * nowhere or a pattern that nothing is like; -BK_ERR_CONFIG where a file would replace a directory.
 */
int step_copy_list(const struct step_copy *c, struct snap_list *l, struct bk_err **err);

#endif
