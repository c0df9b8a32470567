/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include <fcntl.h>

#include "base/bk_auto.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "container/container_exec.h"

static void load(struct spec *s)
{
	static const char text[] =
		"{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"r\"}, \"linux\": {}, \"process\": {"
		"\"terminal\": true, \"consoleSize\": {\"height\": 1, \"width\": 2},"
		"\"user\": {\"uid\": 1, \"gid\": 2, \"additionalGids\": [3]}, \"cwd\": \"/w\","
		"\"args\": [\"a\"], \"env\": [\"A=1\"], \"oomScoreAdj\": 5, \"noNewPrivileges\": true,"
		"\"capabilities\": {\"bounding\": [\"CAP_KILL\"], \"inheritable\": [\"CAP_KILL\"]},"
		"\"rlimits\": [{\"type\": \"RLIMIT_CORE\", \"soft\": 1, \"hard\": 2}]}}";
	struct bk_err *err = NULL;

	*s = (struct spec){ .arena = bk_arena_new() };
	s->config = bk_arena_alloc(s->arena, sizeof(*s->config));
	assert_ok(bk_json_decode(&oci_runtime_config_type, "test", text, strlen(text),
				 &bk_doc_limits_oci, s->arena, s->config, &err), &err);
}

static void test_nothing_changed(void **state)
{
	static char *args[] = { (char *)"b", (char *)"c", NULL };
	const struct container_exec p = { .changes.args = args };
	bk_autospec struct spec s = { 0 };
	struct oci_process *got = NULL;
	struct bk_err *err = NULL;

	(void)state;
	load(&s);
	assert_ok(container_exec_process(&p, &s, &got, &err), &err);
	assert_string_equal(got->args[1], "c");
	assert_null(got->args[2]);
	assert_string_equal(got->cwd, "/w");
	assert_int_equal(got->user->uid, 1);
	assert_int_equal(got->user->gid, 2);
	assert_int_equal(got->n_rlimits, 1);
	assert_true(got->no_new_privileges);
	assert_true(got->has_oom_score_adj);
	/* a terminal is for who asks */
	assert_false(got->terminal);
	assert_null(got->console_size);
	/* the container's own object stays */
	assert_true(s.config->process->terminal);
	assert_string_equal(s.config->process->args[0], "a");
}

static void test_all_changed(void **state)
{
	static char *args[] = { (char *)"b", NULL }, *env[] = { (char *)"A=2", NULL };
	static char *gids[] = { (char *)"7", (char *)"8", NULL }, *caps[] = { (char *)"CAP_CHOWN", NULL };
	const struct container_exec p = { .changes = { .args = args, .env = env, .gids = gids,
						       .caps = caps, .user = "5:6", .cwd = "/x",
						       .terminal = true } };
	bk_autospec struct spec s = { 0 };
	struct oci_process *got = NULL;
	struct bk_err *err = NULL;

	(void)state;
	load(&s);
	assert_ok(container_exec_process(&p, &s, &got, &err), &err);
	assert_int_equal(got->user->uid, 5);
	assert_int_equal(got->user->gid, 6);
	assert_int_equal(got->user->n_additional_gids, 3);
	assert_int_equal(got->user->additional_gids[2], 8);
	assert_int_equal(s.config->process->user->n_additional_gids, 1);
	assert_string_equal(got->env[1], "A=2");
	assert_string_equal(got->cwd, "/x");
	assert_true(got->terminal);
	assert_string_equal(got->capabilities->bounding[1], "CAP_CHOWN");
	assert_string_equal(got->capabilities->ambient[0], "CAP_CHOWN");
	/* CVE-2022-29162 */
	assert_null(got->capabilities->inheritable[1]);
}

static void user_refused(const char *user)
{
	const struct container_exec p = { .changes.user = user };
	bk_autospec struct spec s = { 0 };
	struct oci_process *got = NULL;
	struct bk_err *err = NULL;

	load(&s);
	assert_err(container_exec_process(&p, &s, &got, &err), &err, BK_ERR_CONFIG, "--user");
	assert_null(got);
}

/* CVE-2026-30892: "1x" was 0 to another runtime. */
static void test_user(void **state)
{
	(void)state;
	user_refused("");
	user_refused("1x");
	user_refused("x");
	user_refused("-1");
	user_refused("+1");
	user_refused(" 1");
	user_refused("4294967295");
	user_refused("99999999999");
	user_refused("1:");
	user_refused(":1");
	user_refused("1:2:3");
	user_refused("1:x");
}

BK_TEST_MAIN(cmocka_unit_test(test_nothing_changed), cmocka_unit_test(test_all_changed),
	     cmocka_unit_test(test_user))
