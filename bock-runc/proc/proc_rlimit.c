/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_rlimit.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"

static const char *const rlimit_names[] = {
	[RLIMIT_AS] = "RLIMIT_AS",		 [RLIMIT_CORE] = "RLIMIT_CORE",
	[RLIMIT_CPU] = "RLIMIT_CPU",		 [RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_FSIZE] = "RLIMIT_FSIZE",	 [RLIMIT_LOCKS] = "RLIMIT_LOCKS",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",	 [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
	[RLIMIT_NICE] = "RLIMIT_NICE",		 [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",	 [RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",	 [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
	[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING", [RLIMIT_STACK] = "RLIMIT_STACK",
};

const char *proc_rlimit_name(int number)
{
	if (number < 0 || (size_t)number >= BK_ARRAY_SIZE(rlimit_names))
		return NULL;
	return rlimit_names[number];
}

int proc_rlimit_number(const char *name)
{
	for (size_t i = 0; i < BK_ARRAY_SIZE(rlimit_names); i++) {
		if (rlimit_names[i] && bk_streq(rlimit_names[i], name))
			return (int)i;
	}
	return -1;
}

int proc_rlimit_check(const struct oci_rlimit *limits, size_t n, struct bk_err **err)
{
	for (size_t i = 0; i < n; i++) {
		if (proc_rlimit_number(limits[i].type) < 0)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "process.rlimits[%zu].type: '%s' is unknown", i,
					  limits[i].type);
		if (limits[i].soft > limits[i].hard)
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "process.rlimits[%zu]: soft is above hard", i);
		for (size_t k = 0; k < i; k++) {
			if (bk_streq(limits[i].type, limits[k].type))
				return bk_err_set(err, BK_ERR_CONFIG, 0,
						  "process.rlimits[%zu].type: '%s' is there twice",
						  i, limits[i].type);
		}
	}
	return 0;
}

int proc_rlimit_set(const struct oci_rlimit *limit, struct bk_err **err)
{
	struct rlimit r = { .rlim_cur = limit->soft, .rlim_max = limit->hard };

	if (setrlimit(proc_rlimit_number(limit->type), &r) < 0) {
		int rc = bk_err_set(err, BK_ERR_IO, errno, "set %s to %llu:%llu", limit->type,
				    (unsigned long long)limit->soft,
				    (unsigned long long)limit->hard);

		return bk_err_hint(err, rc,
				   "raising a hard limit needs CAP_SYS_RESOURCE; ask for less");
	}
	return 0;
}

int proc_rlimit_make_room(const struct oci_rlimit *limit, struct bk_err **err)
{
	int resource = proc_rlimit_number(limit->type);
	struct rlimit now;

	if (getrlimit(resource, &now) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "read %s", limit->type);
	if (now.rlim_max < limit->hard)
		now.rlim_max = limit->hard;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(resource, &now) < 0)
		return bk_err_set(err, BK_ERR_IO, errno, "raise %s to %llu", limit->type,
				  (unsigned long long)limit->hard);
	return 0;
}
