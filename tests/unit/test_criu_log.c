/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_mem.h"
#include "criu/criu_log.h"

static void check(const char *text, const char *want)
{
	bk_autofree char *copy = bk_strdup(text);
	bk_autofree char *got = criu_log_find(copy);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void test_find(void **state)
{
	(void)state;
	check("", NULL);
	check("(00.1) all is well\n(00.2) Error is a word\n", NULL);
	check("(00.1) Error (criu/mount.c:1): mnt: first\n(00.2)      1: Error (criu/x.c:2): last\n(00.3) more\n", "last");
	/* criu's last word says nothing, unless it is the only one */
	check("(00.1) Error (a.c:1): why\n(00.2) Error (criu/cr-dump.c:2): Dumping FAILED.\n", "why");
	check("(00.2) Error (criu/cr-dump.c:2): Dumping FAILED.", "Dumping FAILED.");
	check("Error (no end of the place", NULL);
}

static void test_file(void **state)
{
	char dir[] = "/tmp/bock-criu-log-XXXXXX";
	bk_autofree char *big = bk_malloc(2 * CRIU_LOG_TAIL);
	bk_autofree char *got = NULL, *none = NULL, *early = NULL;
	bk_autoclose int dfd = -1;
	bk_autoclose int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	none = criu_log_error(dfd, "log");
	assert_null(none);
	fd = openat(dfd, "log", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	memset(big, 'x', 2 * CRIU_LOG_TAIL);
	memcpy(big, "Error (a.c:1): early\n", 21);
	assert_int_equal(write(fd, big, 2 * CRIU_LOG_TAIL), 2 * CRIU_LOG_TAIL);
	early = criu_log_error(dfd, "log");
	assert_null(early); /* the end alone is looked at */
	assert_int_equal(write(fd, "\n(1) Error (a.c:1): la\033[2Jst\n", 29), 29);
	got = criu_log_error(dfd, "log");
	assert_string_equal(got, "la?[2Jst");
	assert_int_equal(unlinkat(dfd, "log", 0), 0);
	/* what is no file is not waited for */
	assert_int_equal(mkfifoat(dfd, "log", 0600), 0);
	none = criu_log_error(dfd, "log");
	assert_null(none);
	assert_int_equal(unlinkat(dfd, "log", 0), 0);
	assert_int_equal(rmdir(dir), 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_find), cmocka_unit_test(test_file))
