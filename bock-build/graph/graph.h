/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From stages to an order: which stages the target needs, and in which order they can be built. A
 * stage needs the stage that it is `from`, those that it `depends` on and those that its copy steps
 * copy `from`; each may stand earlier or later in the file.
 *
 * Uses / used by: bockfile / cmd.
 */
#ifndef GRAPH_H
#define GRAPH_H

#include <stddef.h>

#include "bockfile/bockfile_scope.h"

#define GRAPH_NONE ((size_t)-1)

struct graph_node {
	const struct bockfile_stage *stage;
	const char *from; /* substituted: "scratch", an image, or a stage's name */
	const struct bk_doc_value *from_at;
	size_t from_stage; /* its index, or GRAPH_NONE for scratch and images */
	size_t *copy_from; /* for each step: a stage's index, or GRAPH_NONE */
	size_t *needs;	   /* indexes, in the order in which they are named */
	size_t n_needs;
};

struct graph {
	struct graph_node *nodes; /* one a stage, in the order of the file */
	size_t n;
	size_t *order; /* of the needed stages: the target is the last */
	size_t n_order;
};

/*
 * target NULL: the last stage of the file. Memory is the arena's.
 * Errors: -BK_ERR_NOT_FOUND for an unknown target; -BK_ERR_CONFIG with the place for an unknown
 * stage in `depends`, a stage without any `from`, and a cycle, which is shown ("a -> b -> a");
 * -BK_ERR_UNSUPPORTED for a copy from an image.
 */
int graph_make(const struct bockfile_scope *scope, const char *target, struct bk_arena *arena,
	       struct graph *ret, struct bk_err **err);

#endif
