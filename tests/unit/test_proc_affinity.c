/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "proc/proc_affinity.h"

static void test_compile(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	char initial[] = "0-1", final[] = " 2000, 3", empty[] = "", nothing[] = " ,", bad[] = "2-1";
	struct oci_cpu_affinity a = { .initial = initial, .final = final };
	struct proc_affinity p;
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(proc_affinity_compile(&a, arena, &p, &err), &err);
	assert_true(proc_mask_has(&p.initial, 0) && proc_mask_has(&p.initial, 1));
	assert_true(proc_mask_has(&p.final, 3) && proc_mask_has(&p.final, 2000));
	assert_ok(proc_affinity_compile(NULL, arena, &p, &err), &err);
	assert_int_equal(p.initial.n_words + p.final.n_words, 0);
	a = (struct oci_cpu_affinity){ .initial = empty };
	assert_ok(proc_affinity_compile(&a, arena, &p, &err), &err);
	assert_int_equal(p.initial.n_words + p.final.n_words, 0);
	a.initial = nothing;
	assert_err(proc_affinity_compile(&a, arena, &p, &err), &err, BK_ERR_CONFIG,
		   "process.execCPUAffinity.initial: ' ,' names no CPU");
	a = (struct oci_cpu_affinity){ .final = bad };
	assert_err(proc_affinity_compile(&a, arena, &p, &err), &err, BK_ERR_CONFIG,
		   "process.execCPUAffinity.final: '2-1'");
}

/* The CPUs that this process may run on, as the kernel has it (for machines of up to 1,024). */
static int count(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		skip_because("this machine has more than 1,024 CPUs");
	return CPU_COUNT(&set);
}

static int first(void)
{
	cpu_set_t set;
	int i = 0;

	(void)sched_getaffinity(0, sizeof(set), &set);
	while (!CPU_ISSET(i, &set))
		i++;
	return i;
}

static void test_kernel(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct proc_mask m = { 0 };
	struct bk_err *err = NULL;
	int all = count(), cpu = first();
	bk_autofree char *list = bk_asprintf("%d,60000", cpu);

	(void)state;
	assert_ok(proc_affinity_set(&m, &err), &err); /* nothing is asked for */
	assert_int_equal(count(), all);
	assert_ok(proc_mask_parse(list, PROC_AFFINITY_CPUS_MAX, arena, &m, &err), &err);
	assert_ok(proc_affinity_set(&m, &err), &err);
	assert_int_equal(count(), 1);
	assert_int_equal(first(), cpu);
	assert_ok(proc_mask_parse("60000", PROC_AFFINITY_CPUS_MAX, arena, &m, &err), &err);
	assert_err(proc_affinity_set(&m, &err), &err, BK_ERR_CONFIG, "run on the CPUs '60000'");
	proc_affinity_reset();
	assert_true(count() >= all);
}

BK_TEST_MAIN(cmocka_unit_test(test_compile), cmocka_unit_test(test_kernel))
