/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_mem.h"

static void test_copies(void **state)
{
	bk_autofree char *s = bk_strdup("abc");
	bk_autofree char *part = bk_strndup("abc", 2);
	bk_autofree char *whole = bk_strndup("abc", 100);
	bk_autofree char *text = bk_asprintf("%s-%d", "x", 3);
	bk_autofree void *none = bk_malloc(0);
	bk_autofree void *nothing = bk_calloc(0, 8);
	bk_autofree unsigned char *bytes = bk_memdup("\0\1", 2);

	(void)state;
	assert_string_equal(s, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(whole, "abc");
	assert_string_equal(text, "x-3");
	assert_non_null(none);
	assert_non_null(nothing);
	assert_int_equal(bytes[1], 1);
}

static void test_arena(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	char *texts[3000];
	size_t last = 0;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		unsigned char *p = bk_arena_alloc(a, i);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(p[j], 0);
		memset(p, 0xff, i); /* into nobody else's bytes: see below */
		texts[i] = bk_arena_printf(a, "%zu:%s", i, bk_arena_strndup(a, "tail", 2));
		assert_true(bk_arena_used(a) > last);
		last = bk_arena_used(a);
	}
	for (size_t i = 0; i < 3000; i++) {
		char want[32];

		snprintf(want, sizeof(want), "%zu:ta", i);
		assert_string_equal(texts[i], want);
	}
	assert_string_equal(bk_arena_strdup(a, ""), "");
	bk_arena_free(NULL);
}

static void test_arena_grow(void **state)
{
	bk_autoarena struct bk_arena *a = bk_arena_new();
	uint32_t *array = NULL, *other = NULL;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		array = bk_arena_grow(a, array, i, sizeof(*array));
		assert_int_equal(array[i], 0);
		array[i] = i;
		other = bk_arena_grow(a, other, i, sizeof(*other));
		other[i] = ~i;
	}
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(array[i], i);
		assert_int_equal(other[i], ~i);
	}
	/* an element that was dropped and is taken again is empty, too */
	array = bk_arena_grow(a, array, 4998, sizeof(*array));
	assert_int_equal(array[4998], 0);
	assert_int_equal(array[4997], 4997);
}

/* Runs f in a child: it must say why and abort. */
static void assert_aborts(void (*f)(void))
{
	char said[64] = "";
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = { 0, 0 };

		signal(SIGABRT, SIG_DFL); /* cmocka's handler would go on with the tests */
		setrlimit(RLIMIT_CORE, &no_core);
		dup2(fds[1], STDERR_FILENO);
		f();
		_exit(0);
	}
	close(fds[1]);
	assert_true(read(fds[0], said, sizeof(said) - 1) >= 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(said, "out of memory\n");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void reallocarray_overflow(void)
{
	void *volatile p = bk_reallocarray(NULL, SIZE_MAX / 2, 4);

	(void)p;
}

static void arena_overflow(void)
{
	void *volatile p = bk_arena_alloc(bk_arena_new(), SIZE_MAX - 3);

	(void)p;
}

static void test_hostile_sizes(void **state)
{
	(void)state;
	assert_aborts(reallocarray_overflow);
	assert_aborts(arena_overflow);
}

BK_TEST_MAIN(cmocka_unit_test(test_copies), cmocka_unit_test(test_arena),
	     cmocka_unit_test(test_arena_grow), cmocka_unit_test(test_hostile_sizes))
