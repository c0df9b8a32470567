/* SPDX-License-Identifier: Apache-2.0 */
/* The malloc() of programs that are linked with musl, under other names, in a program that isn't. */
#include "bk_test.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"

void *heap_malloc(size_t n);
void *heap_calloc(size_t n, size_t size);
void *heap_realloc(void *p, size_t n);
void heap_free(void *p);

#define malloc heap_malloc
#define calloc heap_calloc
#define realloc heap_realloc
#define free(p) heap_free(p)
#include "musl/bk_musl_malloc.c"

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Small sizes mostly, some at the borders of classes, some with a mapping of their own. */
static size_t any_size(uint32_t *seed)
{
	uint32_t r = next_random(seed);

	switch (r % 16) {
	case 0:
		return BIG - 2 + next_random(seed) % 5;
	case 1:
		return next_random(seed) % 300000;
	case 2:
		return ((size_t)1 << next_random(seed) % 17) + next_random(seed) % 3 - 1;
	default:
		return next_random(seed) % 700;
	}
}

static bool filled(const unsigned char *p, size_t n, unsigned char with)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != with)
			return false;
	return true;
}

/* No block reaches into another one, calloc's are 0, realloc keeps what was there. */
static void test_random(void **state)
{
	struct {
		unsigned char *p;
		size_t n;
		unsigned char with;
	} blocks[200] = { 0 };
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t at = next_random(&seed) % BK_ARRAY_SIZE(blocks);
		size_t n = any_size(&seed);
		uint32_t how = next_random(&seed) % 3;
		unsigned char *p = blocks[at].p;

		assert_true(filled(p, blocks[at].n, blocks[at].with));
		if (how == 0 && p) {
			p = heap_realloc(p, n);
			assert_non_null(p);
			assert_true(filled(p, n < blocks[at].n ? n : blocks[at].n, blocks[at].with));
		} else {
			heap_free(p);
			p = how == 1 ? heap_calloc(1, n) : heap_malloc(n);
			assert_non_null(p);
			if (how == 1)
				assert_true(filled(p, n, 0));
		}
		assert_int_equal((uintptr_t)p % 16, 0);
		blocks[at].p = p;
		blocks[at].n = n;
		blocks[at].with = (unsigned char)i;
		memset(p, blocks[at].with, n);
	}
	for (size_t i = 0; i < BK_ARRAY_SIZE(blocks); i++) {
		assert_true(filled(blocks[i].p, blocks[i].n, blocks[i].with));
		heap_free(blocks[i].p);
	}
}

/* Each size lies in its class, which holds it, and wastes a fifth at most. */
static void test_classes(void **state)
{
	size_t last = 0;

	(void)state;
	for (size_t n = 1; n <= BIG; n++) {
		size_t size = 0, again = 0;
		size_t class = class_of(n, &size);

		assert_true(class == last || class == last + 1);
		assert_true(size >= n && size % 16 == 0);
		assert_true(size - n < 16 || (size - n) * 5 <= size);
		assert_int_equal(class_of(size, &again), class);
		assert_int_equal(size, again);
		last = class;
	}
	assert_int_equal(last, CLASSES - 1);
}

/* What is free is used again: a thousand rounds need no more than one. */
static void test_reuse(void **state)
{
	void *p = heap_malloc(5000), *first = p;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		heap_free(p);
		p = heap_malloc(4800);
		assert_ptr_equal(p, first);
	}
	heap_free(p);
}

static void test_too_much(void **state)
{
	volatile size_t huge = SIZE_MAX;
	void *p = heap_malloc(10);

	(void)state;
	errno = 0;
	assert_null(heap_malloc(huge));
	assert_int_equal(errno, ENOMEM);
	assert_null(heap_malloc(huge / 2 - 100));
	assert_null(heap_calloc(huge / 4, 8));
	assert_null(heap_realloc(p, huge));
	heap_free(p);
	heap_free(NULL);
	p = heap_realloc(NULL, 0);
	assert_non_null(p);
	heap_free(p);
}

static void twice(unsigned char *p)
{
	heap_free(p);
	heap_free(p);
}

static void inside(unsigned char *p)
{
	heap_free(p + 16);
}

static void size_changed(unsigned char *p)
{
	unsigned char *next = heap_malloc(16);

	p[16 + 8] ^= 0x40;
	heap_free(next);
}

static void header_overwritten(unsigned char *p)
{
	unsigned char *next = heap_malloc(16);

	memset(p, 'A', 32);
	(void)heap_realloc(next, 100);
}

static void free_overwritten(unsigned char *p)
{
	unsigned char *next = heap_malloc(16);

	heap_free(next);
	memset(p, 'A', 24);
	(void)heap_malloc(16);
}

/* Whoever misuses it ends by SIGABRT, in a process of its own here. */
static void test_misuse(void **state)
{
	static void (*const wrong[])(unsigned char *) = { twice, inside, size_changed,
							  header_overwritten, free_overwritten };

	(void)state;
	for (size_t i = 0; i < BK_ARRAY_SIZE(wrong); i++) {
		int status = 0;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			(void)signal(SIGABRT, SIG_DFL);
			(void)close(2);
			/* so that the blocks which follow are new ones, one behind the other */
			memset(heap.free, 0, sizeof(heap.free));
			wrong[i](heap_malloc(16));
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

BK_TEST_MAIN(cmocka_unit_test(test_classes), cmocka_unit_test(test_reuse), cmocka_unit_test(test_random),
	     cmocka_unit_test(test_too_much), cmocka_unit_test(test_misuse))
