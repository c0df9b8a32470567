/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bk_auto.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "sec/sec_caps.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define NAMES(...)                \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}
#define CHOWN	(char *)"CAP_CHOWN"
#define KILL	(char *)"CAP_KILL"
#define RESTORE (char *)"CAP_CHECKPOINT_RESTORE"

static void test_names(void **state)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_SMALL);

	(void)state;
	for (unsigned int i = 0; i < sec_caps_count(); i++)
		assert_int_equal(sec_caps_find(sec_caps_name(i)), i);
	assert_null(sec_caps_name(sec_caps_count()));
	assert_int_equal(sec_caps_find("CAP_NET_ADMIN"), CAP_NET_ADMIN);
	assert_int_equal(sec_caps_find("cap_bpf"), CAP_BPF);
	assert_int_equal(sec_caps_find("NET_ADMIN"), -1);
	assert_int_equal(sec_caps_find(""), -1);
	sec_caps_print(0, &text);
	assert_string_equal(bk_buf_str(&text), "-");
	bk_buf_reset(&text);
	sec_caps_print(BIT(CAP_CHOWN) | BIT(CAP_CHECKPOINT_RESTORE), &text);
	assert_string_equal(bk_buf_str(&text), "CAP_CHOWN CAP_CHECKPOINT_RESTORE");
}

static void test_compile(void **state)
{
	struct oci_capabilities c = {
		.bounding = NAMES(CHOWN, RESTORE, (char *)"CAP_NOPE"),
		.permitted = NAMES(CHOWN, KILL, (char *)"CAP_NOPE"),
		.effective = NAMES(CHOWN, CHOWN),
		.inheritable = NAMES(KILL),
		.ambient = NAMES(KILL, CHOWN),
	};
	bk_autostrv char **unknown = NULL;
	struct sec_caps caps = { 0 };
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(sec_caps_compile(&c, &caps, &unknown, &err), &err);
	assert_true(caps.bounding == (BIT(CAP_CHOWN) | BIT(40)));
	assert_true(caps.permitted == (BIT(CAP_CHOWN) | BIT(CAP_KILL)));
	assert_true(caps.effective == BIT(CAP_CHOWN));
	assert_true(caps.inheritable == BIT(CAP_KILL));
	assert_true(caps.ambient == BIT(CAP_KILL));
	assert_true(caps.ambient_refused == BIT(CAP_CHOWN));
	assert_int_equal(bk_strv_len(unknown), 1);
	assert_string_equal(unknown[0], "CAP_NOPE");

	c.effective = NAMES(RESTORE);
	assert_err(sec_caps_compile(&c, &caps, NULL, &err), &err, BK_ERR_CONFIG,
		   "process.capabilities.effective: CAP_CHECKPOINT_RESTORE not in permitted");
	assert_true(caps.ambient == BIT(CAP_KILL)); /* untouched on failure */
	assert_ok(sec_caps_compile(NULL, &caps, NULL, &err), &err);
	assert_true(caps.bounding == 0 && caps.permitted == 0 && caps.ambient == 0);
}

/* "CapBnd:" and its like of /proc/self/status. */
static uint64_t own(const char *status, const char *name)
{
	const char *p = strstr(status, name);
	unsigned long long value = 0;

	if (!p || sscanf(p + strlen(name), " %llx", &value) != 1)
		_exit(90);
	return value;
}

static void in_child(const struct sec_caps *caps, uid_t uid)
{
	struct bk_err *err = NULL;
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_SMALL);
	const char *status;

	if (sec_caps_drop_bounding(caps, &err) < 0)
		_exit(91);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(92);
	if (sec_caps_set(caps, &err) < 0)
		_exit(93);
	if (bk_file_read(AT_FDCWD, "/proc/self/status", &b, &err) < 0)
		_exit(94);
	status = bk_buf_str(&b);
	/* what the machine itself lacks in its bounding set stays away */
	if (own(status, "CapBnd:") & ~caps->bounding)
		_exit(1);
	if (own(status, "CapPrm:") != caps->permitted)
		_exit(2);
	if (own(status, "CapEff:") != caps->effective)
		_exit(3);
	if (own(status, "CapInh:") != caps->inheritable)
		_exit(4);
	if (own(status, "CapAmb:") != caps->ambient)
		_exit(5);
	_exit(0);
}

static int forked(const struct sec_caps *caps, uid_t uid)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		in_child(caps, uid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void test_set(void **state)
{
	struct sec_caps caps = {
		.bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
		.effective = BIT(CAP_KILL),
		.inheritable = BIT(CAP_KILL),
		.ambient = BIT(CAP_KILL),
	};

	(void)state;
	if (geteuid() != 0)
		skip_because("changing capabilities needs root, and this is uid %u", geteuid());
	assert_int_equal(forked(&caps, 0), 0);
	assert_int_equal(forked(&caps, 65534), 0);
	caps = (struct sec_caps){ 0 };
	assert_int_equal(forked(&caps, 0), 0);
	assert_int_equal(forked(&caps, 65534), 0);
}

static void test_lacking(void **state)
{
	struct sec_caps none = { 0 };
	struct sec_caps much = { .permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL) };
	struct bk_err *err = NULL;
	int status = 0;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		char text[BK_ERR_MSG_MAX];

		if (sec_caps_set(&none, &err) < 0)
			_exit(1);
		if (sec_caps_set(&much, &err) != -BK_ERR_PERMISSION)
			_exit(2);
		bk_err_print(err, text, sizeof(text));
		_exit(strstr(text, "itself lacks CAP_CHOWN CAP_KILL") ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* What can't be had is left out, and can be asked for afterwards. */
static void test_granted(void **state)
{
	struct sec_caps kill = { .permitted = BIT(CAP_KILL), .effective = BIT(CAP_KILL) };
	struct sec_caps much = { .permitted = BIT(CAP_CHOWN) | BIT(CAP_KILL),
				 .effective = BIT(CAP_KILL),
				 .inheritable = BIT(CAP_CHOWN),
				 .ambient = BIT(CAP_CHOWN) };
	struct bk_err *err = NULL;
	int status = 0;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip_because("id -u: not root, which has capabilities to lose");
	pid = fork();
	if (pid == 0) {
		bool less = true;

		if (sec_caps_set_granted(&kill, &less, &err) < 0 || less)
			_exit(1);
		if (sec_caps_set_granted(&much, &less, &err) < 0 || !less || err)
			_exit(2);
		_exit(sec_caps_missing(&much, getpid()) == BIT(CAP_CHOWN) &&
				      sec_caps_missing(&kill, getpid()) == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

BK_TEST_MAIN(cmocka_unit_test(test_granted), cmocka_unit_test(test_names), cmocka_unit_test(test_compile),
	     cmocka_unit_test(test_set), cmocka_unit_test(test_lacking))
