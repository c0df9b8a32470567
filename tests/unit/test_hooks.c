/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "hooks/hooks.h"

#define ARGS(...)                 \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}
#define HOW(text, length, ms)                                                                   \
	(&(struct hooks_how){ .state = (text), .len = (length), .timeout_ms = (ms), .out = -1, \
			      .errout = -1 })
#define STATE "{\"ociVersion\":\"1.3.0\",\"id\":\"x\"}"
#define T(s)  ((char *)(uintptr_t)(s))

static char dir[] = "/tmp/bock-hooks-XXXXXX"; /* machine-path-ok */

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return bk_file_rmtree(AT_FDCWD, dir, NULL);
}

static struct oci_hook shell(const char *script)
{
	static char *args[4];

	args[0] = T("sh");
	args[1] = T("-c");
	args[2] = T(script);
	args[3] = NULL;
	return (struct oci_hook){ .path = T("/bin/sh"), .args = args };
}

static int run(const struct oci_hook *h, struct bk_err **err)
{
	return hooks_run("createRuntime", h, 1, HOW(STATE, strlen(STATE), 5000), err);
}

static void test_state_and_env(void **state)
{
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	bk_autofree char *script = bk_asprintf("cat >%s/out; /usr/bin/env | "
					       "grep -v -e '^PWD=' -e '^_=' -e '^SHLVL=' >>%s/out; "
					       "echo \"$0\" >>%s/out",
					       dir, dir, dir);
	bk_autofree char *out = bk_asprintf("%s/out", dir);
	struct oci_hook h = shell(script);
	struct bk_err *err = NULL;

	(void)state;
	assert_int_equal(setenv("BOCK_TEST_LEAK", "1", 1), 0);
	assert_ok(run(&h, &err), &err);
	assert_ok(bk_file_read(AT_FDCWD, out, &b, &err), &err);
	assert_string_equal(bk_buf_str(&b), STATE "sh\n"); /* no environment at all */
	h.env = ARGS(T("A=b c"), T("PATH=/nowhere:/bin:/usr/bin"));
	bk_buf_reset(&b);
	assert_ok(run(&h, &err), &err);
	assert_ok(bk_file_read(AT_FDCWD, out, &b, &err), &err);
	assert_non_null(strstr(bk_buf_str(&b), "A=b c\n"));
	assert_null(strstr(bk_buf_str(&b), "LEAK"));
}

static void test_failures(void **state)
{
	struct oci_hook h = shell("echo what; echo no way >&2; exit 3");
	struct bk_err *err = NULL;

	(void)state;
	assert_err(
		run(&h, &err), &err, BK_ERR_IO,
		"error running createRuntime hook #0: exit status 3, stdout: what, stderr: no way");
	h = shell("kill -9 $$");
	assert_err(run(&h, &err), &err, BK_ERR_IO, "hook #0: signal: Killed, stdout: , stderr: ");
	h.path = T("/nonexistent/hook");
	assert_err(run(&h, &err), &err, BK_ERR_NOT_FOUND, "error running createRuntime hook #0: ");
	h.path = T("sh");
	assert_err(run(&h, &err), &err, BK_ERR_CONFIG, "hooks.createRuntime[0].path: 'sh'");
	h = shell("true");
	h.has_timeout = true;
	assert_err(hooks_check("poststop", &h, 1, &err), &err, BK_ERR_CONFIG,
		   "hooks.poststop[0].timeout: 0 is not above 0");
}

/* A hook that writes more than is kept, and one that never reads its input. */
static void test_much(void **state)
{
	static char big[200000];
	struct oci_hook h = shell(
		"i=0; while [ $i -lt 30000 ]; do echo 0123456789 >&2; i=$((i+1)); "
		"done; echo last words >&2; exit 1");
	struct bk_err *err = NULL;

	(void)state;
	assert_err(run(&h, &err), &err, BK_ERR_IO, "0123456789\nlast words");
	memset(big, 'x', sizeof(big));
	h = shell("exec <&-; exit 0");
	assert_ok(hooks_run("prestart", &h, 1, HOW(big, sizeof(big), 5000), &err), &err);
}

static void test_timeout(void **state)
{
	struct oci_hook h = shell("sleep 30");
	struct timespec from, to;
	struct bk_err *err = NULL;

	(void)state;
	h.has_timeout = true;
	h.timeout = 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_err(run(&h, &err), &err, BK_ERR_IO, "error running createRuntime hook #0: ");
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 10);
	h.has_timeout = false;
	assert_err(hooks_run("createRuntime", &h, 1, HOW("", 0, 200), &err), &err, BK_ERR_IO,
		   "error running createRuntime hook #0: ");
}

static void test_order(void **state)
{
	bk_autofree char *touch = bk_asprintf("%s/second", dir);
	struct oci_hook hooks[3] = {
		{ .path = T("/bin/false") },
		{ .path = T("/usr/bin/touch"), .args = ARGS(T("touch"), touch) },
		{ .path = T("/bin/false"), .args = ARGS(T("false")) },
	};
	bk_autostrv char **warnings = NULL;
	struct bk_err *err = NULL;

	(void)state;
	assert_err(hooks_run("createContainer", hooks, 3, HOW("", 0, 5000), &err), &err, BK_ERR_IO,
		   "createContainer hook #0: exit status 1");
	assert_int_equal(access(touch, F_OK), -1); /* the first failure ended it */
	hooks_run_all("poststop", hooks, 3, HOW("", 0, 5000), &warnings);
	assert_int_equal(access(touch, F_OK), 0);
	assert_int_equal(bk_strv_len(warnings), 2);
	assert_non_null(strstr(warnings[1], "poststop hook #2: exit status 1"));
	assert_ok(hooks_run("poststart", NULL, 0, HOW("", 0, 5000), &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_and_env), cmocka_unit_test(test_failures),
		cmocka_unit_test(test_much),	      cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
