/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "proc/proc_sched.h"

static char *no_flags[] = { NULL };

static struct oci_scheduler sched(const char *policy)
{
	return (struct oci_scheduler){ .policy = (char *)policy, .flags = no_flags };
}

static void prints(const struct oci_scheduler *s, const char *want)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct proc_sched p;

	assert_ok(proc_sched_compile(s, &p, &err), &err);
	proc_sched_print(&p, &b);
	assert_string_equal(bk_buf_str(&b), want);
}

static void refused(const struct oci_scheduler *s, const char *words)
{
	struct bk_err *err = NULL;
	struct proc_sched p;

	assert_err(proc_sched_compile(s, &p, &err), &err, BK_ERR_CONFIG, words);
}

static void test_prints(void **state)
{
	char *flags[] = { (char *)"SCHED_FLAG_RECLAIM", (char *)"SCHED_FLAG_RESET_ON_FORK", NULL };
	struct oci_scheduler s = sched("SCHED_OTHER");

	(void)state;
	prints(&s, "SCHED_OTHER nice 0");
	s.nice = -20;
	prints(&s, "SCHED_OTHER nice -20");
	s = sched("SCHED_BATCH");
	s.nice = 19;
	prints(&s, "SCHED_BATCH nice 19");
	s = sched("SCHED_RR");
	s.priority = 99;
	prints(&s, "SCHED_RR priority 99");
	s = sched("SCHED_IDLE");
	prints(&s, "SCHED_IDLE");
	s = sched("SCHED_ISO");
	prints(&s, "SCHED_ISO");
	s = sched("SCHED_DEADLINE");
	s.runtime = 1024;
	s.deadline = 1024;
	s.flags = flags;
	prints(&s, "SCHED_DEADLINE runtime 1024 deadline 1024 period 0 SCHED_FLAG_RESET_ON_FORK "
		   "SCHED_FLAG_RECLAIM");
}

static void test_refused(void **state)
{
	char *unknown[] = { (char *)"SCHED_FLAG_RECLAIM", (char *)"SCHED_FLAG_X", NULL };
	struct oci_scheduler s = sched("SCHED_X");

	(void)state;
	refused(&s, "process.scheduler.policy: 'SCHED_X' is unknown");
	s = sched("");
	refused(&s, "process.scheduler.policy");
	s = sched("SCHED_OTHER");
	s.flags = unknown;
	refused(&s, "process.scheduler.flags[1]: 'SCHED_FLAG_X' is unknown");
	s = sched("SCHED_OTHER");
	s.nice = 20;
	refused(&s, "process.scheduler.nice: is not within");
	s.nice = -21;
	refused(&s, "process.scheduler.nice: is not within");
	s.nice = 0;
	s.priority = 1;
	refused(&s, "process.scheduler.priority: can only");
	s.priority = 0;
	s.period = 1;
	refused(&s, "process.scheduler.period: can only");
	s = sched("SCHED_FIFO");
	refused(&s, "process.scheduler.priority: is not within 1..99");
	s.priority = 100;
	refused(&s, "process.scheduler.priority: is not within 1..99");
	s.priority = -1;
	refused(&s, "process.scheduler.priority: is not within 1..99");
	s.priority = 1;
	s.nice = 1;
	refused(&s, "process.scheduler.nice: can only");
	s = sched("SCHED_IDLE");
	s.nice = 1;
	refused(&s, "process.scheduler.nice: can only");
}

static void test_deadline(void **state)
{
	char *keep[] = { (char *)"SCHED_FLAG_KEEP_PARAMS", NULL };
	struct oci_scheduler s = sched("SCHED_DEADLINE");

	(void)state;
	refused(&s, "process.scheduler.runtime: must be 1024");
	s.runtime = 1023;
	s.deadline = s.period = 2000;
	refused(&s, "process.scheduler.runtime: must be 1024");
	s.runtime = 2001;
	refused(&s, "process.scheduler.deadline: must not be less");
	s.runtime = 2000;
	s.period = 1999;
	refused(&s, "process.scheduler.period: must not be less");
	s.period = UINT64_MAX;
	refused(&s, "process.scheduler.period: is too long");
	s.deadline = UINT64_MAX;
	s.period = 0;
	refused(&s, "process.scheduler.deadline: is too long");
	s = sched("SCHED_DEADLINE");
	s.flags = keep;
	prints(&s, "SCHED_DEADLINE SCHED_FLAG_KEEP_PARAMS");
}

static void test_fork(void **state)
{
	char *flags[] = { (char *)"SCHED_FLAG_RESET_ON_FORK", NULL };
	struct oci_scheduler s = sched("SCHED_DEADLINE");
	struct bk_err *err = NULL;
	struct proc_sched p;

	(void)state;
	s.runtime = s.deadline = 2000;
	assert_ok(proc_sched_compile(&s, &p, &err), &err);
	assert_false(proc_sched_may_fork(&p));
	s.flags = flags;
	assert_ok(proc_sched_compile(&s, &p, &err), &err);
	assert_true(proc_sched_may_fork(&p));
	s = sched("SCHED_FIFO");
	s.priority = 1;
	assert_ok(proc_sched_compile(&s, &p, &err), &err);
	assert_true(proc_sched_may_fork(&p));
}

/* What needs no right: a thread may lower itself. */
static void test_kernel(void **state)
{
	struct proc_sched batch = { .policy = SCHED_BATCH, .nice = 19 };
	struct proc_sched none = { .policy = 4 }; /* mainline has no SCHED_ISO */
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(proc_sched_check(&batch, &err), &err);
	assert_err(proc_sched_check(&none, &err), &err, BK_ERR_UNSUPPORTED,
		   "process.scheduler.policy: this kernel has no SCHED_ISO");
	assert_ok(proc_sched_set(&batch, &err), &err);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 19);
	none.policy = 77;
	assert_err(proc_sched_set(&none, &err), &err, BK_ERR_IO, "set the scheduler");
}

BK_TEST_MAIN(cmocka_unit_test(test_prints), cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_deadline), cmocka_unit_test(test_fork),
	     cmocka_unit_test(test_kernel))
