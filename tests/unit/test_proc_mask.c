/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "base/bk_auto.h"
#include "proc/proc_mask.h"

#define LIMIT 4096

static void list(const char *text, const char *want)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct proc_mask m = { 0 };

	assert_ok(proc_mask_parse(text, LIMIT, arena, &m, &err), &err);
	proc_mask_print(&m, &b);
	assert_string_equal(bk_buf_str(&b), want);
}

static void refused(const char *text, const char *words)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct proc_mask m = { .n_words = 77 };
	struct bk_err *err = NULL;

	assert_err(proc_mask_parse(text, LIMIT, arena, &m, &err), &err, BK_ERR_CONFIG, words);
	assert_int_equal(m.n_words, 77);
}

static void test_lists(void **state)
{
	(void)state;
	list("", "");
	list(" ", "");
	list(",,", "");
	list("0", "0");
	list("7,0-3", "0-3,7");
	list("0-3,2-5", "0-5");
	list(" 0 - 1 , 3 ,", "0-1,3");
	list("63,64", "63-64");
	list("0,63,127", "0,63,127");
	list("1023-1025", "1023-1025");
	list("4095", "4095");
	list("007", "7");
}

static void test_refused(void **state)
{
	(void)state;
	refused("x", "'x'");
	refused("0,x", "'0,x'");
	refused("-", "'-'");
	refused("1-", "'1-'");
	refused("-1", "'-1'");
	refused("1-2-3", "'1-2-3'");
	refused("1 2", "'1 2'");
	refused("3-1", "the range '3-1' ends before it begins");
	refused("4096", "'4096'");
	refused("0-4096", "'0-4096'");
	refused("4294967296", "'4294967296'");
	refused("0x1", "'0x1'");
}

/* Beyond what a cpu_set_t or a nodemask_t of fixed size holds. */
static void test_long(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct proc_mask m;

	(void)state;
	assert_ok(proc_mask_parse("1,2000-2001", LIMIT, arena, &m, &err), &err);
	assert_int_equal(m.n_words, 2001 / PROC_MASK_WORD_BITS + 1);
	assert_false(proc_mask_has(&m, 0));
	assert_true(proc_mask_has(&m, 1));
	assert_false(proc_mask_has(&m, 1999));
	assert_true(proc_mask_has(&m, 2000));
	assert_true(proc_mask_has(&m, 2001));
	assert_false(proc_mask_has(&m, 2002));
	assert_false(proc_mask_has(&m, 100000));
}

BK_TEST_MAIN(cmocka_unit_test(test_lists), cmocka_unit_test(test_refused), cmocka_unit_test(test_long))
