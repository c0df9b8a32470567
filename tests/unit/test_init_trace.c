/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "init/init_trace.h"

static void read_all(const char *path, struct bk_buf *b)
{
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(AT_FDCWD, path, b, &err), &err);
}

static void test_none(void **state)
{
	(void)state;
	init_trace_child(NULL);
	init_trace_flush(NULL);
	init_trace_close(NULL);
	assert_int_equal(init_trace_mark(NULL, "x", -3), -3);
	assert_int_equal(init_trace_op(NULL, NULL, INIT_RUNTIME, NULL, 0), 0);
}

/* Runtime's lines are there at once, the child's when they are asked for. */
static void test_lines(void **state)
{
	char path[] = "/tmp/bock-trace-XXXXXX";
	int fd = mkstemp(path);
	struct init_trace t = INIT_TRACE_INIT;
	struct bk_err *err = NULL;
	pid_t pid;
	int status;

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	assert_ok(init_trace_open(path, "run", "a\"b", &t, &err), &err);
	assert_int_equal(init_trace_mark(&t, "one", 0), 0);
	pid = fork();
	if (pid == 0) {
		init_trace_child(&t);
		(void)init_trace_mark(&t, "two \x01", 0);
		_exit(init_trace_mark(&t, "three", -1) == -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	{
		bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);

		read_all(path, &b);
		assert_non_null(strstr(bk_buf_str(&b), "{\"command\":\"run\",\"id\":\"a\\\"b\",\"process\":"
						       "\"runtime\",\"phase\":\"one\",\"us\":"));
		assert_null(strstr(bk_buf_str(&b), "two"));
		assert_null(strstr(bk_buf_str(&b), "failed"));
	}
	init_trace_flush(&t);
	init_trace_flush(&t);
	init_trace_close(&t);
	init_trace_close(&t);
	{
		bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
		const char *two, *three;

		read_all(path, &b);
		two = strstr(bk_buf_str(&b), "\"process\":\"container\",\"phase\":\"two \\u0001\",\"us\":");
		assert_non_null(two);
		three = strstr(two, "\"phase\":\"three\"");
		assert_non_null(three);
		assert_non_null(strstr(three, ",\"failed\":true}\n"));
		assert_null(strstr(three, "two"));
	}
	(void)unlink(path);
}

/* A child that says more than fits loses lines, whole ones. */
static void test_full(void **state)
{
	char path[] = "/tmp/bock-trace-XXXXXX";
	int fd = mkstemp(path);
	bk_autobuf struct bk_buf b = BK_BUF_INIT((size_t)1 << 20);
	struct init_trace t = INIT_TRACE_INIT;
	struct bk_err *err = NULL;
	char long_name[1000];

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_ok(init_trace_open(path, "run", "x", &t, &err), &err);
	init_trace_child(&t);
	for (int i = 0; i < 2000; i++)
		(void)init_trace_mark(&t, long_name, 0);
	init_trace_close(&t);
	read_all(path, &b);
	assert_in_range(b.len, 200 << 10, 256 << 10);
	assert_int_equal(bk_buf_str(&b)[b.len - 1], '\n');
	(void)unlink(path);
}

static void test_refused(void **state)
{
	struct init_trace t = INIT_TRACE_INIT;
	struct bk_err *err = NULL;

	(void)state;
	assert_err(init_trace_open("/nonexistent/x", "run", "x", &t, &err), &err, BK_ERR_IO,
		   "--trace: open '/nonexistent/x'");
	init_trace_close(&t);
}

BK_TEST_MAIN(cmocka_unit_test(test_none), cmocka_unit_test(test_lines), cmocka_unit_test(test_full),
	     cmocka_unit_test(test_refused))
