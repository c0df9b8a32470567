/* SPDX-License-Identifier: Apache-2.0 */
#include "proc/proc_sched.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_str.h"

/* linux/sched.h has them, and can't be included beside the C library's sched.h everywhere. */
#define POLICY_ISO 4
#define POLICY_DEADLINE 6
#define FLAG_RESET_ON_FORK 0x01
#define FLAG_KEEP_PARAMS 0x10
#define RUNTIME_MIN 1024		/* ns; the kernel's resolution */
#define TIME_MAX (UINT64_MAX >> 1)	/* its highest bit is the kernel's */

/* struct sched_attr of linux/sched/types.h, as of its second version (5.3). */
struct sched_attr_v1 {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

_Static_assert(sizeof(struct sched_attr_v1) == 56, "SCHED_ATTR_SIZE_VER1");

const struct bk_doc_name proc_sched_policies[] = {
	{ "SCHED_OTHER", SCHED_OTHER },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", POLICY_ISO },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", POLICY_DEADLINE },
	{ NULL, 0 },
};

const struct bk_doc_name proc_sched_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },
	{ "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
	{ NULL, 0 },
};

static int bad(struct bk_err **err, const char *member, const char *why)
{
	return bk_err_set(err, BK_ERR_CONFIG, 0, "process.scheduler.%s: %s", member, why);
}

static int check_deadline(const struct proc_sched *s, struct bk_err **err)
{
	if (s->flags & FLAG_KEEP_PARAMS)
		return 0;
	if (s->runtime < RUNTIME_MIN)
		return bad(err, "runtime", "must be 1024 ns or more");
	if (s->runtime > s->deadline)
		return bad(err, "deadline", "must not be less than the runtime");
	if (s->period && s->deadline > s->period)
		return bad(err, "period", "must not be less than the deadline");
	if (s->deadline > TIME_MAX || s->period > TIME_MAX)
		return bad(err, s->period > TIME_MAX ? "period" : "deadline", "is too long");
	return 0;
}

static int check_values(const struct proc_sched *s, struct bk_err **err)
{
	bool fair = s->policy == SCHED_OTHER || s->policy == SCHED_BATCH;
	bool realtime = s->policy == SCHED_FIFO || s->policy == SCHED_RR;

	if (s->nice && !fair)
		return bad(err, "nice", "can only be given with SCHED_OTHER or SCHED_BATCH");
	if (s->nice < -20 || s->nice > 19)
		return bad(err, "nice", "is not within -20..19");
	if (s->priority && !realtime)
		return bad(err, "priority", "can only be given with SCHED_FIFO or SCHED_RR");
	if (realtime && !(s->flags & FLAG_KEEP_PARAMS) && (s->priority < 1 || s->priority > 99))
		return bad(err, "priority", "is not within 1..99");
	if (s->policy == POLICY_DEADLINE)
		return check_deadline(s, err);
	if (s->runtime || s->deadline || s->period)
		return bad(err, s->runtime ? "runtime" : s->deadline ? "deadline" : "period",
			   "can only be given with SCHED_DEADLINE");
	return 0;
}

int proc_sched_compile(const struct oci_scheduler *s, struct proc_sched *ret, struct bk_err **err)
{
	struct proc_sched out = {
		.nice = s->nice,
		.priority = (uint32_t)s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	int value, rc;

	if (!bk_doc_name_find(proc_sched_policies, s->policy, &value))
		return bk_err_set(err, BK_ERR_CONFIG, 0, "process.scheduler.policy: '%s' is unknown",
				  s->policy);
	out.policy = (uint32_t)value;
	for (size_t i = 0; s->flags && s->flags[i]; i++) {
		if (!bk_doc_name_find(proc_sched_flags, s->flags[i], &value))
			return bk_err_set(err, BK_ERR_CONFIG, 0,
					  "process.scheduler.flags[%zu]: '%s' is unknown", i,
					  s->flags[i]);
		out.flags |= (uint64_t)value;
	}
	rc = check_values(&out, err);
	if (rc < 0)
		return rc;
	*ret = out;
	return 0;
}

int proc_sched_check(const struct proc_sched *s, struct bk_err **err)
{
	if (sched_get_priority_max((int)s->policy) >= 0)
		return 0;
	return bk_err_set(err, BK_ERR_UNSUPPORTED, 0, "process.scheduler.policy: this kernel has no %s",
			  bk_doc_name_of(proc_sched_policies, (int)s->policy));
}

bool proc_sched_may_fork(const struct proc_sched *s)
{
	return s->policy != POLICY_DEADLINE || (s->flags & FLAG_RESET_ON_FORK);
}

static int set_error(const struct proc_sched *s, int errnum, struct bk_err **err)
{
	const char *policy = bk_doc_name_of(proc_sched_policies, (int)s->policy);
	int rc = bk_err_set(err, BK_ERR_IO, errnum, "set the scheduler %s", policy);

	if (errnum == EPERM && s->policy == POLICY_DEADLINE)
		return bk_err_hint(err, rc, "it needs CAP_SYS_NICE of the host, and a cpuset and affinity "
					    "that hold all CPUs");
	if (errnum == EPERM)
		return bk_err_hint(err, rc, "raising a priority needs CAP_SYS_NICE of the host, or "
					    "RLIMIT_NICE or RLIMIT_RTPRIO");
	if (errnum == EBUSY)
		return bk_err_hint(err, rc, "the deadlines that are promised already leave no room for it");
	if (errnum == EOPNOTSUPP)
		return bk_err_hint(err, rc, "this kernel has no utilization clamps");
	return rc;
}

int proc_sched_set(const struct proc_sched *s, struct bk_err **err)
{
	struct sched_attr_v1 attr = {
		.size = sizeof(attr),
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};

	return syscall(SYS_sched_setattr, 0, &attr, 0) < 0 ? set_error(s, errno, err) : 0;
}

void proc_sched_print(const struct proc_sched *s, struct bk_buf *out)
{
	bk_buf_adds(out, bk_doc_name_of(proc_sched_policies, (int)s->policy));
	if (s->policy == SCHED_OTHER || s->policy == SCHED_BATCH)
		bk_buf_printf(out, " nice %d", s->nice);
	if (s->priority)
		bk_buf_printf(out, " priority %u", s->priority);
	if (s->runtime)
		bk_buf_printf(out, " runtime %llu deadline %llu period %llu",
			      (unsigned long long)s->runtime, (unsigned long long)s->deadline,
			      (unsigned long long)s->period);
	for (const struct bk_doc_name *f = proc_sched_flags; f->name; f++) {
		if (s->flags & (uint64_t)f->value)
			bk_buf_printf(out, " %s", f->name);
	}
}
