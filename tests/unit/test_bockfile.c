/* SPDX-License-Identifier: Apache-2.0 */
#include "bk_test.h"

#include "bockfile/bockfile.h"

static int parse(struct bk_arena *arena, const char *text, struct bockfile *ret,
		 struct bk_err **err)
{
	return bockfile_parse("Bockfile", text, strlen(text), arena, ret, err);
}

static void refuse(const char *text, enum bk_err_kind kind, const char *message)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct bockfile b;

	assert_err(parse(arena, text, &b, &err), &err, kind, message);
}

static void test_whole(void **state)
{
	static const char text[] = "version: 1\n"
				   "from: debian:12\n"
				   "metadata:\n"
				   "  name: app\n"
				   "  version: 1.20\n"
				   "  authors: [A <a@example.org>, B]\n"
				   "  labels: {x.y: no}\n"
				   "args:\n"
				   "  PORT: 0755\n"
				   "  MODE: {default: on, enum: [on, off], description: what}\n"
				   "  ID: {required: true, pattern: '[0-9]+', env: ID}\n"
				   "  NONE:\n"
				   "stages:\n"
				   "  - name: a\n"
				   "    from: scratch\n"
				   "    depends: [b]\n"
				   "    env: {A: yes}\n"
				   "    shell: [/bin/sh, -c]\n"
				   "    steps:\n"
				   "      - run: make\n"
				   "      - run: [make, '-j2']\n"
				   "        user: 22:22\n"
				   "        network: none\n"
				   "      - copy: x\n"
				   "        to: /y\n"
				   "        chmod: 0644\n"
				   "      - copy: [x, y]\n"
				   "        to: /z/\n"
				   "        parents: true\n"
				   "      - env: {A: 1, B: 2}\n"
				   "      - env: C\n"
				   "        value: 3\n"
				   "      - workdir: /w\n"
				   "      - user: app\n"
				   "  - name: b\n"
				   "runtime:\n"
				   "  entrypoint: []\n"
				   "  cmd: [x]\n"
				   "  expose: [8080, 53/udp]\n"
				   "  healthcheck: {cmd: ping, interval: 30s, retries: 3}\n";
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	const struct bockfile_step *steps;
	struct bockfile b;

	(void)state;
	assert_ok(parse(arena, text, &b, &err), &err);
	assert_string_equal(b.metadata->version.text, "1.20");
	assert_string_equal(b.metadata->labels.items[0].value.text, "no");
	assert_int_equal(b.metadata->authors.n, 2);
	assert_int_equal(b.args.n, 4);
	assert_string_equal(b.args.items[0].value.text, "0755");
	assert_string_equal(b.args.items[1].value.text, "on");
	assert_int_equal(b.args.items[1].choices.n, 2);
	assert_true(b.args.items[2].required);
	assert_null(b.args.items[3].value.text);
	assert_int_equal(b.n_stages, 2);
	assert_int_equal(b.stages[0].steps.n, 8);
	steps = b.stages[0].steps.items;
	assert_true(steps[0].run->command.shell);
	assert_false(steps[1].run->command.shell);
	assert_string_equal(steps[1].run->user.text, "22:22");
	assert_int_equal(steps[1].at->line, 21);
	assert_int_equal(steps[2].copy->sources.n, 1);
	assert_string_equal(steps[2].copy->chmod.text, "0644");
	assert_true(steps[3].copy->parents);
	assert_int_equal(steps[4].env.n, 2);
	assert_string_equal(steps[5].env.items[0].key, "C");
	assert_string_equal(steps[5].env.items[0].value.text, "3");
	assert_int_equal(steps[6].kind, BOCKFILE_STEP_WORKDIR);
	assert_int_equal(steps[7].kind, BOCKFILE_STEP_USER);
	assert_non_null(b.runtime->entrypoint.at);
	assert_int_equal(b.runtime->entrypoint.n, 0);
	assert_string_equal(b.runtime->expose.items[0].text, "8080");
	assert_ptr_equal(bockfile_stage_find(&b, "b"), &b.stages[1]);
	assert_null(bockfile_stage_find(&b, "c"));
}

static void test_json(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	struct bk_err *err = NULL;
	struct bockfile b;

	(void)state;
	assert_ok(
		parse(arena, "{\"stages\": [{\"name\": \"a\", \"from\": \"scratch\"}]}", &b, &err),
		&err);
	assert_string_equal(b.stages[0].from.text, "scratch");
}

#define STAGE "stages:\n  - name: a\n    from: scratch\n    steps:\n"

static void test_places(void **state)
{
	(void)state;
	refuse("stages:\n  - name: a\nruntime:\n  entrypiont: [x]\n", BK_ERR_CONFIG,
	       "Bockfile:4:3: unknown member 'entrypiont' in 'runtime', did you mean 'entrypoint'?");
	refuse(STAGE "      - run: x\n        chown: a\n", BK_ERR_CONFIG,
	       "Bockfile:6:9: unknown member 'chown' in 'stages[0].steps[0]'");
	refuse(STAGE "      - rum: x\n", BK_ERR_CONFIG,
	       "Bockfile:5:9: unknown member 'rum' in 'stages[0].steps[0]', did you mean 'run'?");
	refuse(STAGE "      - shell: x\n", BK_ERR_CONFIG, "a step is one of run, copy, add, env");
	refuse(STAGE "      - make\n", BK_ERR_CONFIG,
	       "Bockfile:5:9: stages[0].steps[0]: a step is a map");
	refuse(STAGE "      - copy: [x]\n", BK_ERR_CONFIG,
	       "Bockfile:5:9: stages[0].steps[0].to: required member is missing");
	refuse(STAGE "      - copy: []\n        to: /x\n", BK_ERR_CONFIG,
	       "Bockfile:5:15: stages[0].steps[0].copy: must not be empty");
	refuse(STAGE "      - run: {a: b}\n", BK_ERR_CONFIG,
	       "Bockfile:5:14: stages[0].steps[0].run: expected a string or a list of strings, found a map");
	refuse(STAGE "      - run: [[a]]\n", BK_ERR_CONFIG,
	       "Bockfile:5:15: stages[0].steps[0].run[0]: expected a string, found a list");
	refuse(STAGE "      - env: {A: [x]}\n", BK_ERR_CONFIG,
	       "stages[0].steps[0].env.A: expected a string");
	refuse(STAGE "      - env: A\n", BK_ERR_CONFIG, "together with 'value'");
	refuse(STAGE "      - workdir: /x\n        user: a\n", BK_ERR_CONFIG,
	       "Bockfile:6:9: member 'user' does not belong to a step 'workdir'");
	refuse("version: 2\nstages: [{name: a}]\n", BK_ERR_CONFIG,
	       "Bockfile:1:10: version: version '2'");
	refuse("from: x\n", BK_ERR_CONFIG, "stages: required member is missing");
	refuse("stages: []\n", BK_ERR_CONFIG, "stages: must not be empty");
	refuse("stages: [{name: A}]\n", BK_ERR_CONFIG,
	       "Bockfile:1:17: stages[0].name: invalid stage name 'A'");
	refuse("stages: [{name: scratch}]\n", BK_ERR_CONFIG, "can't name a stage");
	refuse("stages:\n- name: a\n- name: b\n- name: a\n", BK_ERR_CONFIG,
	       "Bockfile:4:9: stages[2].name: stage 'a' is there already, in line 2");
	refuse("args: {A-B: x}\nstages: [{name: a}]\n", BK_ERR_CONFIG, "args.A-B: invalid name");
	refuse("args: {A: {defualt: x}}\nstages: [{name: a}]\n", BK_ERR_CONFIG,
	       "unknown member 'defualt' in 'args.A', did you mean 'default'?");
	refuse("stages:\n- name: a\n  name: b\n", BK_ERR_CONFIG, "Bockfile:3:3");
	refuse("stages:\n\t- name: a\n", BK_ERR_CONFIG, "Bockfile:2");
	refuse("", BK_ERR_CONFIG, "Bockfile");
}

static void test_unsupported(void **state)
{
	(void)state;
	refuse(STAGE "      - run: x\n        cache: [{path: /x}]\n", BK_ERR_UNSUPPORTED,
	       "Bockfile:6:9: stages[0].steps[0].cache: not supported");
	refuse(STAGE "      - run: x\n        secrets: []\n", BK_ERR_UNSUPPORTED,
	       "stages[0].steps[0].secrets: not supported");
	refuse(STAGE "      - run: x\n        ssh: true\n", BK_ERR_UNSUPPORTED, "steps[0].ssh");
	refuse(STAGE "      - run: x\n        limits: {pids: 1}\n", BK_ERR_UNSUPPORTED,
	       "steps[0].limits");
	refuse(STAGE "      - run: x\n        mounts: []\n", BK_ERR_UNSUPPORTED, "steps[0].mounts");
	refuse(STAGE "      - add: http://x/y\n        to: /z\n", BK_ERR_UNSUPPORTED,
	       "Bockfile:5:9: stages[0].steps[0].add: not supported");
	refuse("include: [x]\n" STAGE "      - run: x\n", BK_ERR_UNSUPPORTED,
	       "Bockfile:1:1: include");
	refuse("security: {user: x}\n" STAGE "      - run: x\n", BK_ERR_UNSUPPORTED, "security");
}

static void test_flow(void **state)
{
	bk_autoarena struct bk_arena *arena = bk_arena_new();
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;
	struct bockfile b;

	(void)state;
	assert_ok(parse(arena,
			STAGE "      - run: make -j2\n        env: {A: 'x: y'}\n"
			      "      - copy:\n        - '*.c'\n        - src/\n        to: /x\n",
			&b, &err),
		  &err);
	bockfile_text_flow_step(b.stages[0].steps.items[0].at, &out);
	assert_string_equal(bk_buf_str(&out), "run: make -j2, env: {A: \"x: y\"}");
	bk_buf_reset(&out);
	bockfile_text_flow_step(b.stages[0].steps.items[1].at, &out);
	assert_string_equal(bk_buf_str(&out), "copy: [\"*.c\", src/], to: /x");
}

BK_TEST_MAIN(cmocka_unit_test(test_whole), cmocka_unit_test(test_json),
	     cmocka_unit_test(test_places), cmocka_unit_test(test_unsupported),
	     cmocka_unit_test(test_flow))
