/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources without its devices: a pure function turns it into an ordered list of writes to
 * the files of the cgroup, which can be printed, checked against the host and carried out.
 *
 *	cgroup_limits_compile(r, &limits, err);		no side effect: what is wrong or cannot be
 *	cgroup_limits_check(&host, &limits, err);	no side effect: controllers that are missing
 *	cgroup_limits_apply(&host, path, dirfd, &limits, err);	before the clone
 *
 * Values that ask for nothing make no write: -1 and absent everywhere, 0 where the specification
 * or every caller means "unset" by it (not pids.limit: 0 is a limit). What version 2 of cgroups
 * does not have is refused by its JSON name. Without limits all three cost nothing.
 */
#ifndef CGROUP_LIMITS_H
#define CGROUP_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bk_buf.h"
#include "base/bk_err.h"
#include "base/bk_mem.h"
#include "cgroup/cgroup.h"
#include "oci/oci_runtime_linux.h"

#define CGROUP_LIMITS_MAX 1024	/* writes */

enum {
	CGROUP_LIMIT_OPTIONAL = 1,	/* without the file there is nothing to limit */
	CGROUP_LIMIT_TRY = 2,		/* EINVAL: a later write will do it */
	CGROUP_LIMIT_DEFAULT = 4,	/* what a cgroup has anyway: needs no controller */
};

struct cgroup_limit {
	const char *controller;	/* "memory"; "" for the core's own files */
	const char *json;	/* "memory.limit", below linux.resources */
	const char *file;	/* "memory.max" */
	const char *value;
	unsigned int flags;
};

struct cgroup_limits {
	struct bk_arena *arena;
	struct cgroup_limit *list;
	size_t n;
	bool update;	/* of a cgroup that has limits: "unlimited" is a write too */
};

#define CGROUP_LIMITS_INIT { .arena = NULL }

/* r may be NULL. Errors: -BK_ERR_CONFIG, -BK_ERR_UNSUPPORTED with the JSON path. */
int cgroup_limits_compile(const struct oci_resources *r, struct cgroup_limits *ret,
			  struct bk_err **err);
/*
 * The writes of an update: what is given alone, computed from the whole, which cgroup_resources_merge() made of
 * what there was and what is given.
 */
int cgroup_limits_compile_update(const struct oci_resources *whole, const struct oci_resources *given,
				 struct cgroup_limits *ret, struct bk_err **err);
void cgroup_limits_done(struct cgroup_limits *limits);

/*
 * 0 if the hierarchy has every controller that is needed. On a hybrid host -BK_ERR_UNSUPPORTED
 * names the member, its controller and where that is bound.
 */
int cgroup_limits_check(const struct cgroup_host *h, const struct cgroup_limits *limits,
			struct bk_err **err);

/* Enables the controllers from the root down to the parent of path, and writes below dirfd. */
int cgroup_limits_apply(const struct cgroup_host *h, const char *path, int dirfd,
			const struct cgroup_limits *limits, struct bk_err **err);

/*
 * The same for a cgroup in use: each file's old content is kept, and written back if a later write fails, or what
 * is to be done with them (then, NULL: nothing): all or nothing. An error of the way back is told with the error.
 */
typedef int (*cgroup_limits_then)(const void *arg, const struct cgroup_limits *limits, struct bk_err **err);
int cgroup_limits_update(const struct cgroup_host *h, const char *path, int dirfd,
			 const struct cgroup_limits *limits, cgroup_limits_then then, const void *arg,
			 struct bk_err **err);

/* memory.checkBeforeUpdate: "rejecting memory limit N < usage M" where more is in use than will be allowed. */
int cgroup_limits_check_usage(int dirfd, const struct oci_memory *whole, const struct oci_memory *given,
			      struct bk_err **err);

/*
 * current with given in place of it, member by member, lists of devices as a whole, maps key by key; in the
 * arena, sharing what is not changed. NULL is nothing. An unlimited memory.limit takes memory.swap
 * along, and cpu.idle replaces cpu.shares, unless they are given themselves.
 */
struct oci_resources *cgroup_resources_merge(const struct oci_resources *current,
					     const struct oci_resources *given,
					     struct bk_arena *arena);

/* One write. What the limit's flags let pass is no error. */
int cgroup_limit_write(int dirfd, const struct cgroup_limit *limit, struct bk_err **err);

/* Makes every controller that is needed available at path, from the root down. */
int cgroup_limits_enable(const struct cgroup_host *h, const char *path, int dirfd,
			 const struct cgroup_limits *limits, struct bk_err **err);

/*
 * Compiles r and forgets the result: whether everything that it asks for can be done at all,
 * before any side effect. *ret_any (may be NULL): it asks for a limit. What a rootless caller may
 * set depends on what was delegated to it, which cgroup_limits_apply() finds out; here `rootless`
 * changes nothing.
 */
int cgroup_resources_check(const struct oci_resources *r, bool rootless, bool *ret_any,
			   struct bk_err **err);

/* Appends one line a write, "memory.max = 1048576", for the plan. */
void cgroup_limits_print(const struct cgroup_limits *limits, struct bk_buf *out);

/* cpu.weight of cpu.shares (2..262144), on the curve that runc 1.3.2 has: 1024 is 100. */
unsigned int cgroup_cpu_weight(unsigned long long shares);

#endif
