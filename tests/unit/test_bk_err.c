/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_prints(const struct bk_err *err, const char *want)
{
	char text[BK_ERR_WIRE_SIZE];

	assert_string_equal(bk_err_print(err, text, sizeof(text)), want);
}

static void test_chain(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_int_equal(bk_err_set(&err, BK_ERR_IO, EEXIST, "make directory '%s'", "web"),
			 -BK_ERR_IO);
	assert_int_equal(bk_err_wrap(&err, -BK_ERR_IO, "create '%s'", "web"), -BK_ERR_IO);
	assert_prints(err, "create 'web': make directory 'web': File exists");
	assert_string_equal(bk_err_link(err, 0), "create 'web'");
	assert_string_equal(bk_err_link(err, 1), "make directory 'web'");
	assert_null(bk_err_link(err, 2));
	assert_null(bk_err_hint_text(err));
	assert_int_equal(bk_err_hint(&err, 5, "first"), 5);
	assert_int_equal(bk_err_hint(&err, 6, "use %d", 2), 6);
	assert_string_equal(bk_err_hint_text(err), "use 2");
	assert_int_equal(bk_err_errno(err), EEXIST);
	bk_err_clear(&err);
	assert_null(err);
	bk_err_clear(&err);
	bk_err_clear(NULL);
}

static void test_no_errno_and_kinds(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	bk_err_set(&err, BK_ERR_CONFIG, 0, "no such member");
	assert_prints(err, "no such member");
	bk_err_clear(&err);
	assert_int_equal(bk_err_set(&err, BK_ERR_IO, EACCES, "open"), -BK_ERR_PERMISSION);
	assert_int_equal(bk_err_kind_of(err), BK_ERR_PERMISSION);
	bk_err_clear(&err);
	assert_int_equal(bk_err_set(&err, BK_ERR_NETWORK, EPERM, "connect"), -BK_ERR_NETWORK);
	bk_err_clear(&err);
	for (int kind = BK_ERR_IO; kind < BK_ERR_KIND_MAX_; kind++)
		assert_true(strlen(bk_err_kind_name((enum bk_err_kind)kind)) > 1);
	assert_string_equal(bk_err_kind_name(BK_ERR_NOT_FOUND), "not-found");
	assert_string_equal(bk_err_kind_name((enum bk_err_kind)99), "internal");
}

static void test_absent(void **state)
{
	struct bk_err *err = NULL;
	char text[32];

	(void)state;
	assert_int_equal(bk_err_set(NULL, BK_ERR_IO, EPERM, "x"), -BK_ERR_PERMISSION);
	assert_int_equal(bk_err_wrap(NULL, -3, "x"), -3);
	assert_int_equal(bk_err_wrap(&err, -3, "x"), -3);
	assert_int_equal(bk_err_hint(&err, -3, "x"), -3);
	assert_null(err);
	assert_int_equal(bk_err_kind_of(NULL), BK_ERR_INTERNAL);
	assert_int_equal(bk_err_errno(NULL), 0);
	assert_null(bk_err_link(NULL, 0));
	assert_string_equal(bk_err_print(NULL, text, sizeof(text)), "unknown error");
}

static void test_move(void **state)
{
	struct bk_err *first = NULL, *second = NULL;

	(void)state;
	bk_err_set(&first, BK_ERR_IO, 0, "first");
	bk_err_set(&second, BK_ERR_IO, 0, "second");
	bk_err_move(&first, second); /* freed: the first stays */
	assert_prints(first, "first");
	second = NULL;
	bk_err_move(&second, first);
	assert_prints(second, "first");
	bk_err_move(NULL, second);
}

static void test_cuts(void **state)
{
	struct bk_err *err = NULL;
	char wide[BK_ERR_MSG_MAX + 100];
	char text[16];

	(void)state;
	memset(wide, 'x', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	bk_err_set(&err, BK_ERR_IO, 0, "%s", wide);
	assert_int_equal(strlen(bk_err_link(err, 0)), BK_ERR_MSG_MAX);
	bk_err_print(err, text, sizeof(text));
	assert_int_equal(strlen(text), sizeof(text) - 1);
	text[0] = '!';
	bk_err_print(err, text, 0); /* writes nothing */
	assert_int_equal(text[0], '!');
	bk_err_clear(&err);

	/* a character of several bytes is dropped, not split */
	for (size_t i = 0; i + 2 < sizeof(wide); i += 2)
		memcpy(wide + i, "\xc3\xa4", 2);
	bk_err_set(&err, BK_ERR_IO, 0, "%s", wide);
	assert_string_equal(bk_err_link(err, 0) + BK_ERR_MSG_MAX - 6, "\xc3\xa4...");
	bk_err_clear(&err);

	bk_err_set(&err, BK_ERR_IO, 0, "message");
	for (int i = 0; i < 2 * BK_ERR_LINKS_MAX; i++)
		bk_err_wrap(&err, -1, "context %d", i);
	assert_non_null(bk_err_link(err, BK_ERR_LINKS_MAX - 1));
	assert_null(bk_err_link(err, BK_ERR_LINKS_MAX));
	assert_string_equal(bk_err_link(err, BK_ERR_LINKS_MAX - 1), "message");
	bk_err_clear(&err);
}

static struct bk_err *send_and_receive(struct bk_err *err)
{
	struct bk_err *got = NULL;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(bk_err_send(err, fds[1]), 0);
	assert_int_equal(bk_err_recv(fds[0], &got), -(int)bk_err_kind_of(err));
	close(fds[1]);
	assert_int_equal(bk_err_recv(fds[0], NULL), 0); /* exactly one error was sent */
	close(fds[0]);
	assert_non_null(got);
	return got;
}

static void test_wire(void **state)
{
	struct bk_err *err = NULL, *got;

	(void)state;
	bk_err_set(&err, BK_ERR_PERMISSION, EPERM, "mount proc");
	bk_err_wrap(&err, -1, "mounts[3] '/proc'");
	bk_err_hint(&err, -1, "give it a user namespace");
	got = send_and_receive(err);
	assert_prints(got, "mounts[3] '/proc': mount proc: Operation not permitted");
	assert_string_equal(bk_err_hint_text(got), "give it a user namespace");
	assert_int_equal(bk_err_errno(got), EPERM);
	bk_err_clear(&got);
	bk_err_clear(&err);

	got = send_and_receive(NULL);
	assert_prints(got, "unknown error");
	bk_err_clear(&got);
}

/* A chain that doesn't fit keeps its two ends and says that something is missing. */
static void test_wire_drops_the_middle(void **state)
{
	struct bk_err *err = NULL, *got;
	size_t n = 0, gaps = 0;

	(void)state;
	bk_err_set(&err, BK_ERR_IO, ENOENT, "%s%0900d", "message", 0);
	for (int i = 1; i < BK_ERR_LINKS_MAX; i++)
		bk_err_wrap(&err, -1, "context %02d%0900d", i, 0);
	bk_err_hint(&err, -1, "%01000d", 0);
	got = send_and_receive(err);
	for (; bk_err_link(got, n); n++)
		gaps += strcmp(bk_err_link(got, n), "...") == 0;
	assert_int_equal(gaps, 1);
	assert_in_range(n, 3, BK_ERR_LINKS_MAX - 1);
	assert_string_equal(bk_err_link(got, 0), bk_err_link(err, 0));
	assert_string_equal(bk_err_link(got, n - 1), bk_err_link(err, BK_ERR_LINKS_MAX - 1));
	assert_string_equal(bk_err_hint_text(got), bk_err_hint_text(err));
	bk_err_clear(&got);
	bk_err_clear(&err);

	/* many small ones fit, and none is lost */
	bk_err_set(&err, BK_ERR_IO, 0, "message");
	for (int i = 1; i < BK_ERR_LINKS_MAX; i++)
		bk_err_wrap(&err, -1, "context %d", i);
	got = send_and_receive(err);
	for (size_t i = 0; i < BK_ERR_LINKS_MAX; i++)
		assert_string_equal(bk_err_link(got, i), bk_err_link(err, i));
	bk_err_clear(&got);
	bk_err_clear(&err);
}

static void test_wire_is_checked(void **state)
{
	static const size_t words[] = { 0, 4, 8, 12, 16 };
	unsigned char wire[BK_ERR_WIRE_SIZE], bad[BK_ERR_WIRE_SIZE];
	struct bk_err *err = NULL;
	int fds[2];

	(void)state;
	bk_err_set(&err, BK_ERR_IO, 2, "message");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(bk_err_send(err, fds[1]), 0);
	bk_err_clear(&err);
	assert_int_equal(read(fds[0], wire, sizeof(wire)), sizeof(wire));
	assert_int_equal(bk_err_decode(wire, sizeof(wire), NULL), -BK_ERR_IO);

	assert_err(bk_err_decode(wire, sizeof(wire) - 1, &err), &err, BK_ERR_INTERNAL,
		   "4095 bytes");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		memcpy(bad, wire, sizeof(bad));
		memset(bad + words[i], 0xff, 4);
		assert_err(bk_err_decode(bad, sizeof(bad), &err), &err, BK_ERR_INTERNAL,
			   "malformed");
	}
	/* no string ends */
	memcpy(bad, wire, sizeof(bad));
	memset(bad + 20, 'x', sizeof(bad) - 20);
	assert_err(bk_err_decode(bad, sizeof(bad), &err), &err, BK_ERR_INTERNAL, "malformed");

	/* the last of five strings doesn't end */
	for (size_t end = 20 + 999; end < sizeof(bad); end += 1000)
		bad[end] = '\0';
	bad[16] = 5;
	assert_err(bk_err_decode(bad, sizeof(bad), &err), &err, BK_ERR_INTERNAL, "malformed");
	bad[16] = 4;
	assert_int_equal(bk_err_decode(bad, sizeof(bad), NULL), -BK_ERR_IO);

	/* the other side died in the middle */
	assert_int_equal(write(fds[1], wire, 100), 100);
	close(fds[1]);
	assert_err(bk_err_recv(fds[0], &err), &err, BK_ERR_INTERNAL, "100 bytes");
	close(fds[0]);
	assert_err(bk_err_recv(fds[0], &err), &err, BK_ERR_IO, "Bad file descriptor");
	assert_int_equal(bk_err_send(NULL, fds[0]), -EBADF);
}

static void test_wire_from_a_child(void **state)
{
	struct bk_err *err = NULL;
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bk_err_set(&err, BK_ERR_UNSUPPORTED, ENOSYS, "clone3");
		_exit(bk_err_send(err, fds[1]) == 0 ? 0 : 1);
	}
	close(fds[1]);
	assert_err(bk_err_recv(fds[0], &err), &err, BK_ERR_UNSUPPORTED,
		   "clone3: Function not implemented");
	assert_int_equal(bk_err_recv(fds[0], &err), 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_chain), cmocka_unit_test(test_no_errno_and_kinds),
	     cmocka_unit_test(test_absent), cmocka_unit_test(test_move),
	     cmocka_unit_test(test_cuts), cmocka_unit_test(test_wire),
	     cmocka_unit_test(test_wire_drops_the_middle), cmocka_unit_test(test_wire_is_checked),
	     cmocka_unit_test(test_wire_from_a_child))
