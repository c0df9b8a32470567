/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "proc/proc_mempolicy.h"

#define STATIC	 "MPOL_F_STATIC_NODES"
#define RELATIVE "MPOL_F_RELATIVE_NODES"
#define BALANCE	 "MPOL_F_NUMA_BALANCING"

struct given {
	const char *mode, *nodes, *flag, *flag2;
};

static int compile(const struct given *g, struct bk_arena *arena, struct proc_mempolicy *ret,
		   struct bk_err **err)
{
	char *flags[] = { (char *)g->flag, (char *)g->flag2, NULL };
	struct oci_memory_policy m = { .mode = (char *)g->mode, .nodes = (char *)g->nodes,
				       .flags = flags };

	return proc_mempolicy_compile(&m, arena, ret, err);
}

static void good(const struct given *g, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct proc_mempolicy m;

	assert_ok(compile(g, arena, &m, &err), &err);
	proc_mempolicy_print(&m, &b);
	assert_string_equal(bk_buf_str(&b), want);
}

static void refused(const struct given *g, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct proc_mempolicy m;

	assert_err(compile(g, arena, &m, &err), &err, BK_ERR_CONFIG, words);
	assert_err(compile(g, arena, &m, &err), &err, BK_ERR_CONFIG, "invalid memory policy");
}

static void test_modes(void **state)
{
	static const char *const with_nodes[] = { "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_PREFERRED",
						  "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE" };

	(void)state;
	for (size_t i = 0; i < sizeof(with_nodes) / sizeof(*with_nodes); i++) {
		bk_autofree char *want = bk_asprintf("%s nodes 0-1,3 MPOL_F_STATIC_NODES",
						     with_nodes[i]);

		good(&(struct given){ with_nodes[i], "3,0-1", STATIC, NULL }, want);
	}
	good(&(struct given){ "MPOL_DEFAULT", NULL, NULL, NULL }, "MPOL_DEFAULT");
	good(&(struct given){ "MPOL_DEFAULT", "", NULL, NULL }, "MPOL_DEFAULT");
	good(&(struct given){ "MPOL_LOCAL", NULL, NULL, NULL }, "MPOL_LOCAL");
	good(&(struct given){ "MPOL_PREFERRED", NULL, NULL, NULL }, "MPOL_PREFERRED");
	good(&(struct given){ "MPOL_BIND", "0", BALANCE, RELATIVE },
	     "MPOL_BIND nodes 0 MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES");
	good(&(struct given){ "MPOL_BIND", "1500,32767", NULL, NULL }, "MPOL_BIND nodes 1500,32767");
}

static void test_refused(void **state)
{
	(void)state;
	refused(&(struct given){ NULL, NULL, NULL, NULL }, "mode: invalid memory policy: required");
	refused(&(struct given){ "MPOL_X", "0", NULL, NULL }, "invalid memory policy mode 'MPOL_X'");
	refused(&(struct given){ "MPOL_BIND", "0", "MPOL_F_X", NULL },
		"linux.memoryPolicy.flags[0]: invalid memory policy flag 'MPOL_F_X'");
	refused(&(struct given){ "MPOL_BIND", "0", STATIC, RELATIVE }, "exclude each other");
	refused(&(struct given){ "MPOL_BIND", NULL, NULL, NULL }, "MPOL_BIND needs at least one node");
	refused(&(struct given){ "MPOL_INTERLEAVE", ",", NULL, NULL }, "at least one node");
	refused(&(struct given){ "MPOL_PREFERRED_MANY", "", NULL, NULL }, "at least one node");
	refused(&(struct given){ "MPOL_WEIGHTED_INTERLEAVE", "", NULL, NULL }, "at least one node");
	refused(&(struct given){ "MPOL_DEFAULT", "0", NULL, NULL }, "MPOL_DEFAULT has no nodes");
	refused(&(struct given){ "MPOL_LOCAL", "0", NULL, NULL }, "MPOL_LOCAL has no nodes");
	refused(&(struct given){ "MPOL_BIND", "x", NULL, NULL }, "invalid memory policy node: 'x'");
	refused(&(struct given){ "MPOL_BIND", "32768", NULL, NULL }, "invalid memory policy node");
}

static void set(const struct given *g, int mode, unsigned long nodes)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct proc_mempolicy m;
	unsigned long mask[PROC_MEMPOLICY_NODES_MAX / PROC_MASK_WORD_BITS] = { 0 };
	int got = -1;

	assert_ok(compile(g, arena, &m, &err), &err);
	assert_ok(proc_mempolicy_set(&m, &err), &err);
	assert_int_equal(syscall(SYS_get_mempolicy, &got, mask, PROC_MEMPOLICY_NODES_MAX, NULL, 0), 0);
	assert_int_equal(got, mode);
	assert_int_equal(mask[0], nodes);
}

static void test_kernel(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct given far = { "MPOL_BIND", "30000", NULL, NULL };
	struct bk_err *err = NULL;
	struct proc_mempolicy m;

	(void)state;
	if (proc_mempolicy_check(&err) < 0) {
		bk_err_clear(&err);
		skip_because("get_mempolicy: this kernel has no NUMA");
	}
	/* node 0 there is everywhere; beside it what is not there is left out by the kernel */
	set(&(struct given){ "MPOL_BIND", "0", STATIC, NULL }, MPOL_BIND | MPOL_F_STATIC_NODES, 1);
	set(&(struct given){ "MPOL_INTERLEAVE", "0", NULL, NULL }, MPOL_INTERLEAVE, 1);
	set(&(struct given){ "MPOL_LOCAL", NULL, NULL, NULL }, MPOL_LOCAL, 0);
	assert_ok(compile(&far, arena, &m, &err), &err);
	assert_err(proc_mempolicy_set(&m, &err), &err, BK_ERR_CONFIG, "MPOL_BIND nodes 30000");
	set(&(struct given){ "MPOL_DEFAULT", NULL, NULL, NULL }, MPOL_DEFAULT, 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_modes), cmocka_unit_test(test_refused),
	     cmocka_unit_test(test_kernel))
