/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_log.h"

#define SAID_MAX 300000

/* What a test writes: stderr goes to a file of its own while `call` runs. */
struct said {
	char err[SAID_MAX], file[SAID_MAX];
};

static void slurp(int fd, char *to)
{
	ssize_t n = pread(fd, to, SAID_MAX - 1, 0);

	assert_true(n >= 0);
	to[n] = '\0';
	/* the time changes */
	for (char *t = to; (t = strstr(t, "20")) != NULL; t++)
		if (strlen(t) >= 20 && t[4] == '-' && t[10] == 'T' && t[19] == 'Z')
			memcpy(t, "2026-01-02T03:04:05Z", 20);
}

static void collect(struct bk_log *log, bool file, void (*call)(const struct bk_log *),
		    struct said *s)
{
	bk_autoclose int err = memfd_create("stderr", MFD_CLOEXEC);
	bk_autoclose int saved = dup(STDERR_FILENO);

	assert_true(err >= 0 && saved >= 0);
	if (file) {
		log->fd = memfd_create("log", MFD_CLOEXEC);
		assert_true(log->fd >= 0);
	}
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	call(log);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	slurp(err, s->err);
	s->file[0] = '\0';
	if (file)
		slurp(log->fd, s->file);
	bk_log_done(log);
	assert_int_equal(log->fd, -1);
}

static void say_error(const struct bk_log *log)
{
	struct bk_err *err = NULL;

	bk_err_set(&err, BK_ERR_IO, ENOENT, "open '%s'", "a\"\\\n\x01");
	bk_err_wrap(&err, -1, "create 'web'");
	bk_err_hint(&err, -1, "make it");
	bk_log_err(log, err);
	bk_err_clear(&err);
}

static void say_all(const struct bk_log *log)
{
	bk_log_msg(log, BK_LOG_WARNING, "warned %d", 1);
	bk_log_msg(log, BK_LOG_INFO, "informed");
	bk_log_msg(log, BK_LOG_DEBUG, "debugged");
}

#define JSON_ERROR                                                                                  \
	"{\"level\":\"error\",\"msg\":\"create 'web': open 'a\\\"\\\\\\n\\u0001': No such file or " \
	"directory\",\"time\":\"2026-01-02T03:04:05Z\",\"kind\":\"io\",\"errno\":2,\"chain\":["     \
	"\"create 'web'\",\"open 'a\\\"\\\\\\n\\u0001'\"],\"hint\":\"make it\"}\n"
#define TEXT_ERROR "prog: create 'web': open 'a\"\\\n\\x01': No such file or directory (make it)\n"

static struct said said;

static void test_error(void **state)
{
	struct bk_log log = BK_LOG_INIT("prog");

	(void)state;
	collect(&log, false, say_error, &said);
	assert_string_equal(said.err, TEXT_ERROR);

	log.format = BK_LOG_JSON;
	collect(&log, false, say_error, &said);
	assert_string_equal(said.err, JSON_ERROR);

	collect(&log, true, say_error, &said);
	assert_string_equal(said.err, TEXT_ERROR);
	assert_string_equal(said.file, JSON_ERROR);

	log.format = BK_LOG_TEXT;
	collect(&log, true, say_error, &said);
	assert_string_equal(said.err, TEXT_ERROR);
	assert_string_equal(said.file,
			    "time=\"2026-01-02T03:04:05Z\" level=error msg=\"create 'web': open "
			    "'a\\\"\\\\\\n\\x01': No such file or directory\" hint=\"make it\"\n");
}

static void test_levels(void **state)
{
	struct bk_log log = BK_LOG_INIT("prog");

	(void)state;
	collect(&log, false, say_all, &said);
	assert_string_equal(said.err, "prog: warning: warned 1\n");

	log.level = BK_LOG_ERROR;
	collect(&log, false, say_all, &said);
	assert_string_equal(said.err, "");

	/* a JSON file is kept for the one error, but for debug */
	log.format = BK_LOG_JSON;
	log.level = BK_LOG_INFO;
	collect(&log, true, say_all, &said);
	assert_string_equal(said.err, "prog: warning: warned 1\nprog: informed\n");
	assert_string_equal(said.file, "");

	log.level = BK_LOG_DEBUG;
	collect(&log, true, say_all, &said);
	assert_string_equal(said.err, "");
	assert_non_null(
		strstr(said.file, "{\"level\":\"debug\",\"msg\":\"debugged\",\"time\":\"2026-01"));

	log.format = BK_LOG_TEXT;
	log.level = BK_LOG_WARNING;
	collect(&log, true, say_all, &said);
	assert_string_equal(said.err, "");
	assert_string_equal(said.file,
			    "time=\"2026-01-02T03:04:05Z\" level=warning msg=\"warned 1\"\n");
}

static void say_bytes(const struct bk_log *log)
{
	/* valid; then: lone continuation, overlong, surrogate, past U+10FFFF, cut, C1, DEL */
	bk_log_msg(log, BK_LOG_ERROR, "%s",
		   "\xc3\xa4\xf0\x9f\x98\x80 \x80 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82 "
		   "\xc2\x9b \x7f\t\x1b");
}

static void test_bytes(void **state)
{
	struct bk_log log = BK_LOG_INIT("prog");

	(void)state;
	collect(&log, false, say_bytes, &said);
	assert_string_equal(said.err,
			    "prog: \xc3\xa4\xf0\x9f\x98\x80 \\x80 \\xc0\\xaf \\xed\\xa0\\x80 "
			    "\\xf4\\x90\\x80\\x80 \\xe2\\x82 \\xc2\\x9b \\x7f\t\\x1b\n");
	log.format = BK_LOG_JSON;
	collect(&log, false, say_bytes, &said);
	assert_non_null(strstr(said.err,
			       "\"\xc3\xa4\xf0\x9f\x98\x80 \\ufffd \\ufffd\\ufffd "
			       "\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd "
			       "\xc2\x9b \\u007f\\t\\u001b\""));
}

static void say_much(const struct bk_log *log)
{
	struct bk_err *err = NULL;
	char wide[BK_ERR_MSG_MAX + 1];

	memset(wide, 1, BK_ERR_MSG_MAX);
	wide[BK_ERR_MSG_MAX] = '\0';
	bk_err_set(&err, BK_ERR_IO, 1, "%s", wide);
	for (int i = 1; i < BK_ERR_LINKS_MAX; i++)
		bk_err_wrap(&err, -1, "%s", wide);
	bk_err_hint(&err, -1, "%s", wide);
	bk_log_err(log, err);
	bk_err_clear(&err);
}

/* The largest error is still one whole object. */
static void test_largest(void **state)
{
	static struct said much;
	struct bk_log log = BK_LOG_INIT("prog");
	off_t size;

	(void)state;
	log.format = BK_LOG_JSON;
	log.fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(log.fd >= 0);
	{
		bk_autoclose int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		bk_autoclose int saved = dup(STDERR_FILENO);

		assert_true(null >= 0 && saved >= 0);
		assert_true(dup2(null, STDERR_FILENO) >= 0);
		say_much(&log);
		assert_true(dup2(saved, STDERR_FILENO) >= 0);
	}
	size = lseek(log.fd, 0, SEEK_END);
	assert_true(size > 6 * 2 * BK_ERR_MSG_MAX * BK_ERR_LINKS_MAX);
	assert_int_equal(pread(log.fd, much.file, 4, size - 4), 4);
	assert_string_equal(much.file, "1\"}\n");
	bk_log_done(&log);
}

static void say_hello(const struct bk_log *log)
{
	bk_log_msg(log, BK_LOG_ERROR, "hello");
}

/* The C library agrees about what time it is. */
static void test_time(void **state)
{
	struct bk_log log = BK_LOG_INIT("prog");
	bk_autoclose int fd = memfd_create("log", MFD_CLOEXEC);
	char want[2][64], got[64] = "";
	struct tm tm;
	time_t now;

	(void)state;
	assert_true(fd >= 0);
	log.fd = fd;
	now = time(NULL);
	strftime(want[0], sizeof(want[0]), "time=\"%Y-%m-%dT%H:%M:%SZ\"", gmtime_r(&now, &tm));
	say_hello(&log);
	now = time(NULL);
	strftime(want[1], sizeof(want[1]), "time=\"%Y-%m-%dT%H:%M:%SZ\"", gmtime_r(&now, &tm));
	assert_int_equal(pread(fd, got, strlen(want[0]), 0), strlen(want[0]));
	if (strcmp(got, want[0]) < 0 || strcmp(got, want[1]) > 0)
		fail_msg("%s is not between %s and %s", got, want[0], want[1]);
}

static void test_open(void **state)
{
	char path[] = "/tmp/bk_log_XXXXXX";
	bk_autoclose int fd = mkstemp(path);
	struct bk_log log = BK_LOG_INIT("prog");
	struct bk_err *err = NULL;
	char text[64] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_err(bk_log_open(&log, "/nonexistent/log", BK_LOG_TEXT, &err), &err, BK_ERR_IO,
		   "open log '/nonexistent/log': No such file");
	assert_int_equal(log.fd, -1);
	assert_int_equal(write(fd, "before\n", 7), 7);
	assert_ok(bk_log_open(&log, path, BK_LOG_TEXT, &err), &err);
	assert_true(fcntl(log.fd, F_GETFD) & FD_CLOEXEC);
	bk_log_msg(&log, BK_LOG_WARNING, "behind");
	assert_ok(bk_log_open(&log, path, BK_LOG_JSON, &err), &err); /* closes the first */
	bk_log_done(&log);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 7);
	assert_memory_equal(text, "before\ntime=", 12);
	unlink(path);
}

BK_TEST_MAIN(cmocka_unit_test(test_error), cmocka_unit_test(test_levels),
	     cmocka_unit_test(test_bytes), cmocka_unit_test(test_largest),
	     cmocka_unit_test(test_time), cmocka_unit_test(test_open))
