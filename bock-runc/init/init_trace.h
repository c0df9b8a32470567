/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace of a command (--trace FILE): one JSON object a line for each phase that has ended, appended to
 * FILE:
 *
 *	{"command":"run","id":"web","process":"runtime","phase":"clone","detail":"pid mount","us":812,"took":95}
 *
 * phase and detail of an operation are what the plan prints of it. us: microseconds since the command began; took: since the process's phase before; "failed":true where
 * the phase ended in an error. The runtime writes its lines at once. The child, which may have lost the
 * right to write to any file, puts its lines into a page that it shares with the runtime, which writes
 * them out whenever it hears of the child.
 *
 * A runtime that goes on from a sealed copy of itself (OP_SEAL) begins anew, its clock too.
 *
 * All functions do nothing for a trace that is NULL. A line that can't be written is lost.
 */
#ifndef INIT_TRACE_H
#define INIT_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "init/init_plan.h"

struct init_trace_page;

struct init_trace {
	int fd;
	const char *command, *id;	/* borrowed */
	bool in_child;
	int64_t us;			/* of the last line */
	int64_t monotonic, realtime;	/* then, in ns */
	struct init_trace_page *page;
	size_t flushed;			/* bytes of it */
};

#define INIT_TRACE_INIT { .fd = -1 }

/* Opens FILE for appending; the clock begins. */
int init_trace_open(const char *path, const char *command, const char *id, struct init_trace *ret,
		    struct bk_err **err);
/* Closes it, with what the child has left. */
void init_trace_close(struct init_trace *t);

/* A phase has ended, in an error if rc is below 0. Returns rc. */
int init_trace_mark(struct init_trace *t, const char *phase, int rc);
/* The same for an operation of a plan, as the plan prints it. */
int init_trace_op(struct init_trace *t, const struct init_plan *p, enum init_stage stage,
		  const struct init_op *op, int rc);
/* The child says that it is the child. */
void init_trace_child(struct init_trace *t);
/* The runtime writes out what the child has to say. */
void init_trace_flush(struct init_trace *t);

#endif
