/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks (runtime-spec config.md, "POSIX-platform Hooks"): programs run one after the other with
 * the container's state on stdin. Which namespace they run in is where the caller stands.
 *
 * A hook gets args as given (argv[0] is args[0]; without args it is the path) and the environment
 * as given: without env it has none. A hook that does not read its stdin is no failure.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bk_err.h"
#include "oci/oci_runtime.h"

#define HOOKS_OUTPUT_MAX ((size_t)16 << 10)	/* bytes kept of each output of a hook */

/*
 * -BK_ERR_CONFIG where a path is not absolute or a timeout is not above 0; kind is "prestart",
 * ...
 */
int hooks_check(const char *kind, const struct oci_hook *hooks, size_t n, struct bk_err **err);

/* How long all of them may take, in milliseconds; UINT64_MAX: for ever. */
uint64_t hooks_may_take(const struct oci_hook *hooks, size_t n, int default_timeout_ms);

/* What all hooks of a call have in common. */
struct hooks_how {
	const char *state;	/* the state document, for stdin */
	size_t len;
	int timeout_ms;		/* for hooks without a timeout; -1: none */
	const char *cwd;	/* NULL: ours */
	int out, errout;	/* where their output goes; -1: the end of it into the error of a failure */
};

#define HOOKS_HOW_INIT { .timeout_ms = -1, .out = -1, .errout = -1 }

/*
 * Runs all; the first that fails ends it: "error running createRuntime hook #0: exit status 1,
 * stdout: , stderr: ...". A hook that runs out of time is killed.
 */
int hooks_run(const char *kind, const struct oci_hook *hooks, size_t n, const struct hooks_how *how,
	      struct bk_err **err);

/*
 * Runs all whatever happens (poststart of a container that is to be left alone, poststop):
 * failures are appended to *warnings (strv) as texts for the log.
 */
void hooks_run_all(const char *kind, const struct oci_hook *hooks, size_t n,
		   const struct hooks_how *how, char ***warnings);

#endif
