/* SPDX-License-Identifier: Apache-2.0 */
/* bk_yaml: what YAML's shapes mean, and that its traps are closed. */
#include "bk_test.h"

#include <stdbool.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "codec/bk_json_write.h"
#include "codec/bk_yaml.h"

struct step {
	char *run;
	uint32_t retries;
	bool readonly;
	char **args;
};

struct file {
	char *version;
	char *name;
	struct bk_doc_pair *env;
	size_t n_env;
	struct step *steps;
	size_t n_steps;
	struct step *main_step;
	char *raw;
};

static const struct bk_doc_field step_fields[] = {
	BK_DOC_STR_F(struct step, run, "run", BK_DOC_REQUIRED),
	BK_DOC_NUM_F(struct step, retries, "retries", BK_DOC_U32, 0),
	BK_DOC_BOOL_F(struct step, readonly, "readonly", 0),
	BK_DOC_STRV_F(struct step, args, "args", BK_DOC_NOT_EMPTY),
	BK_DOC_UNSUPPORTED_F("ssh", "not in this version"),
	BK_DOC_END,
};
static const struct bk_doc_type step_type = BK_DOC_TYPE(struct step, step_fields);

static const struct bk_doc_field file_fields[] = {
	BK_DOC_STR_F(struct file, version, "version", 0),
	BK_DOC_STR_F(struct file, name, "name", 0),
	BK_DOC_STRMAP_F(struct file, env, n_env, "env", 0),
	BK_DOC_OBJV_F(struct file, steps, n_steps, "steps", 0, step_type),
	BK_DOC_OBJ_F(struct file, main_step, "main", 0, step_type),
	BK_DOC_RAW_F(struct file, raw, "raw", 0),
	BK_DOC_END,
};
static const struct bk_doc_type file_type = BK_DOC_TYPE(struct file, file_fields);

static struct bk_arena *arena;
static struct file file;

static int setup(void **state)
{
	(void)state;
	arena = bk_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bk_arena_free(arena);
	return 0;
}

static int decode(const char *text, struct bk_err **err)
{
	return bk_yaml_decode(&file_type, "F", text, strlen(text), &bk_doc_limits_strict, arena,
			      &file, err);
}

static void refused(const char *text, const char *message)
{
	struct bk_err *err = NULL;

	assert_err(decode(text, &err), &err, BK_ERR_CONFIG, message);
}

/* The tree as JSON. */
static void tree_is(const char *text, const char *want)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_json_writer writer = { .out = &out };
	struct bk_doc_value v;
	struct bk_err *err = NULL;

	assert_ok(bk_yaml_parse("F", text, strlen(text), &bk_doc_limits_strict, arena, &v, &err),
		  &err);
	bk_json_write_value(&writer, &v);
	assert_string_equal(bk_buf_str(&out), want);
}

static void test_scalars_are_typed_by_the_member(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(
		decode("version: 1.20\nname: no\n"
		       "env: {A: 0755, B: 22:22, C: on, D: '~', E: 1e3, F: true, G: 2001-01-01, H: ''}\n"
		       "main: {run: 12, retries: 3, readonly: yes}\n",
		       &err),
		&err);
	assert_string_equal(file.version, "1.20");
	assert_string_equal(file.name, "no");
	assert_string_equal(bk_doc_pair_get(file.env, file.n_env, "A"), "0755");
	assert_string_equal(bk_doc_pair_get(file.env, file.n_env, "B"), "22:22");
	assert_string_equal(bk_doc_pair_get(file.env, file.n_env, "C"), "on");
	assert_string_equal(bk_doc_pair_get(file.env, file.n_env, "D"), "~");
	assert_string_equal(bk_doc_pair_get(file.env, file.n_env, "F"), "true");
	assert_string_equal(bk_doc_pair_get(file.env, file.n_env, "H"), "");
	assert_string_equal(file.main_step->run, "12");
	assert_true(file.main_step->retries == 3 && file.main_step->readonly);
	assert_ok(decode("name: ~\nversion:\nmain: null\n", &err), &err);
	assert_true(!file.name && !file.version && !file.main_step);
	assert_ok(decode("name: |\n  a\n  b\nmain:\n  run: >\n    x\n    y\n  args: [a, \"b c\"]\n",
			 &err),
		  &err);
	assert_string_equal(file.name, "a\nb\n");
	assert_string_equal(file.main_step->run, "x y\n");
	assert_string_equal(file.main_step->args[1], "b c");
}

static void test_json_is_yaml(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(
		decode("{\n\t\"name\": \"a\\u00e9\",\n\t\"main\": {\"run\": \"x\", \"retries\": 5, "
		       "\"readonly\": true}\n}\n",
		       &err),
		&err);
	assert_string_equal(file.name, "a\xc3\xa9");
	assert_true(file.main_step->retries == 5 && file.main_step->readonly);
	assert_ok(decode("raw: {a: [1, true, x, '1', 007], b: ~}", &err), &err);
	assert_string_equal(file.raw, "{\"a\":[1,true,\"x\",\"1\",\"007\"],\"b\":null}");
}

static void test_errors_have_a_place(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	refused("name: a\nmain:\n  run: x\n  retries: many\n",
		"F:4:12: main.retries: expected an integer, found 'many'");
	refused("main: {run: x, retries: '3'}",
		"F:1:25: main.retries: expected an integer, found a string");
	refused("main: {run: x, retries: 0755}", "expected an integer, found '0755'");
	refused("main: {run: x, retries: 4294967296}", "main.retries: 4294967296 is out of range");
	refused("main: {run: x, readonly: maybe}", "expected a boolean, found 'maybe'");
	refused("name: [a]\n", "F:1:7: name: expected a string, found a list");
	refused("name: {a: b}\n", "F:1:7: name: expected a string, found a map");
	refused("steps: {a: b}\n", "F:1:8: steps: expected a list, found a map");
	refused("steps: text\n", "F:1:8: steps: expected a list, found a string");
	refused("- a\n", "F:1:1: expected a map, found a list");
	refused("steps:\n- run: a\n- args: [x]\n",
		"F:3:3: steps[1].run: required member is missing");
	refused("main: {run: a, args: []}", "F:1:22: main.args: must not be empty");
	refused("main: {run: a, args: [b, ~]}",
		"F:1:26: main.args[1]: expected a string, found null (an empty string is \"\")");
	refused("env:\n  A:\n", "env.A: expected a string, found null");
	refused("main:\n  run: a\n  rnu: b\n",
		"F:3:3: unknown member 'rnu' in 'main', did you mean 'run'?");
	refused("nmae: b\n", "F:1:1: unknown member 'nmae', did you mean 'name'?");
	refused("qqqqqq: b\n", "F:1:1: unknown member 'qqqqqq'");
	assert_err(decode("main: {run: a, ssh: true}", &err), &err, BK_ERR_UNSUPPORTED,
		   "F:1:16: main.ssh: not supported: not in this version");
}

static void test_duplicates(void **state)
{
	(void)state;
	refused("name: a\nenv: {}\nname: b\n", "F:3:1: name: duplicate member");
	refused("env:\n  A: 1\n  'A': 2\n", "F:3:3: env.A: duplicate member");
	refused("steps:\n- run: a\n- run: a\n  run: b\n", "F:4:3: steps[1].run: duplicate member");
	refused("raw: {a: {b: 1, b: 2}}", "F:1:17: raw.a.b: duplicate member");
}

static void test_documents(void **state)
{
	(void)state;
	refused("", "the document is empty");
	refused("# nothing\n", "the document is empty");
	refused("name: a\n---\nname: b\n", "F:2:1: a second document begins here");
	refused("--- \n", "F:2:1: expected a map, found null");
	tree_is("---\na: b\n...\n", "{\"a\":\"b\"}");
	tree_is("%YAML 1.1\n---\na: b\n", "{\"a\":\"b\"}");
	tree_is("\xef\xbb\xbf"
		"a: b\n",
		"{\"a\":\"b\"}");
}

static void test_characters(void **state)
{
	static const char nul[] = "name: a\0b\n";
	static const char utf16[] = "\xff\xfe"
				    "n\0a\0:\0 \0b\0\n\0";
	struct bk_err *err = NULL;

	(void)state;
	refused("name: \"a\\0b\"\n", "F:1:7: name: a string must not hold control characters");
	refused("name: \"a\\eb\"\n", "control characters");
	refused("name: \"a\\x7fb\"\n", "control characters");
	refused("name: \"a\\u0085b\"\n", "control characters");
	refused("\"a\\0b\": c\n", "control characters");
	refused("env: {}\nname: a\x01"
		"b\n",
		"F:2:8: control characters are not allowed");
	refused("name: \xc3\xa9\nenv: a\xff\n", "F:2:7: not UTF-8");
	assert_err(bk_yaml_decode(&file_type, "F", nul, sizeof(nul) - 1, &bk_doc_limits_strict,
				  arena, &file, &err),
		   &err, BK_ERR_CONFIG, "F:1:8: control characters");
	assert_err(bk_yaml_decode(&file_type, "F", utf16, sizeof(utf16) - 1, &bk_doc_limits_strict,
				  arena, &file, &err),
		   &err, BK_ERR_CONFIG, "F:1:1: not UTF-8");
	assert_ok(decode("name: \"a\\tb\\r\\n\xc3\xa9\xe2\x98\x83\"\n", &err), &err);
	assert_string_equal(file.name, "a\tb\r\n\xc3\xa9\xe2\x98\x83");
}

static void test_tabs(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	refused("main:\n\trun: a\n", "F:2:1: main: a tab can't be used for indentation");
	refused("main:\n  run: a\n\tretries: 1\n", "F:3:");
	refused("# \xc3\xa9\xc3\xa9\nmain:\n\trun: a\n", "F:3:1: main: a tab can't be used");
	assert_ok(decode("name: |\n  all:\n  \tcc -c x.c\n", &err), &err);
	assert_string_equal(file.name, "all:\n\tcc -c x.c\n");
}

static void test_anchors(void **state)
{
	(void)state;
	tree_is("a: &x [1, {b: c}]\nd: *x\ne: *x\n",
		"{\"a\":[1,{\"b\":\"c\"}],\"d\":[1,{\"b\":\"c\"}],\"e\":[1,{\"b\":\"c\"}]}");
	tree_is("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}");
	refused("name: *x\n", "F:1:7: name: no anchor '&x' stands before this alias");
	refused("raw: &x [*x]\n", "F:1:10: raw[0]: no anchor '&x' stands before this alias");
	refused("raw: &x {a: {b: *x}}\n", "raw.a.b: no anchor");
	refused("steps:\n- &s {run: a, retries: x}\n- *s\n", "F:2:24: steps[0].retries: expected");
	refused("raw: &x [1]\nsteps: [*x]\n", "F:1:6: steps[0]: expected a map, found a list");
}

static void test_merge(void **state)
{
	(void)state;
	tree_is("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}\n",
		"{\"a\":{\"p\":1,\"q\":2},\"b\":{\"q\":3,\"r\":4,\"p\":1}}");
	tree_is("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}\n",
		"{\"a\":{\"p\":1},\"b\":{\"p\":2,\"q\":2},\"c\":{\"p\":1,\"q\":2}}");
	tree_is("b: {q: 1, <<: {q: 2, s: 3}}\n", "{\"b\":{\"q\":1,\"s\":3}}");
	tree_is("b: {'<<': 1}\n", "{\"b\":{\"<<\":1}}");
	refused("raw: {<<: text}\n", "F:1:11: raw[\"<<\"]: '<<' takes a map or a list of maps");
	refused("raw: {<<: [{a: 1}, [2]]}\n", "'<<' takes a map or a list of maps");
	refused("raw: {<<: {a: 1}, <<: {b: 1}}\n", "duplicate member");
	refused("main: {<<: {run: a, rnu: b}}\n", "F:1:21: unknown member 'rnu' in 'main'");
}

static void test_what_is_not_for_us(void **state)
{
	(void)state;
	refused("name: !!binary aGk=\n",
		"F:1:7: name: the tag 'tag:yaml.org,2002:binary' is not supported");
	refused("name: !thing x\n", "the tag '!thing' is not supported");
	refused("raw: !!set {a, b}\n", "is not supported");
	refused("? [a, b]\n: c\n", "F:1:3: a key must be a string");
	refused("? {a: b}\n: c\n", "a key must be a string");
	refused("raw: [&x a]\nenv: {*x : b}\n", "F:2:7: env: a key must be a string");
	tree_is("a: !!str 12\nb: ! 12\nc: !!map {}\n", "{\"a\":\"12\",\"b\":\"12\",\"c\":{}}");
	refused("name: [a\n", "F:2:1: name[0]: not YAML");
	refused("name: 'a\n", "not YAML");
	refused("a: b: c\n", "F:1:5: a: not YAML: mapping values are not allowed");
}

static void test_limits(void **state)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT((size_t)8 << 20);
	char name[8] = "a0";

	(void)state;
	bk_buf_adds(&text, "raw: ");
	for (int i = 0; i < 10000; i++)
		bk_buf_addc(&text, '[');
	refused(bk_buf_str(&text), "nested deeper than 64 levels");
	bk_buf_reset(&text);
	for (int i = 0; i < 100; i++)
		bk_buf_adds(&text, "- ");
	refused(bk_buf_str(&text), "nested deeper than 64 levels");

	/* nine lists of nine: a billion */
	bk_buf_reset(&text);
	bk_buf_adds(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 9; i++) {
		bk_buf_printf(&text, "a%d: &a%d [*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s]\n", i, i,
			      name, name, name, name, name, name, name, name, name);
		snprintf(name, sizeof(name), "a%d", i);
	}
	refused(bk_buf_str(&text), "F:5:10: a4[0][2][0][5][2]: more than 10000 values");

	/* an alias deeper than it may be where it stands */
	bk_buf_reset(&text);
	bk_buf_adds(&text, "raw: {b0: &b0 [x]");
	for (int i = 1; i < 80; i++)
		bk_buf_printf(&text, ", b%d: &b%d [*b%d]", i, i, i - 1);
	bk_buf_adds(&text, "}\n");
	refused(bk_buf_str(&text), "nested deeper than 64 levels");

	bk_buf_reset(&text);
	while (text.len <= (size_t)1 << 20)
		bk_buf_adds(&text, "# a line of no meaning at all, but long\n");
	refused(bk_buf_str(&text), "F: larger than 1048576 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

BK_TEST_MAIN(TEST(test_scalars_are_typed_by_the_member), TEST(test_json_is_yaml),
	     TEST(test_errors_have_a_place), TEST(test_duplicates), TEST(test_documents),
	     TEST(test_characters), TEST(test_tabs), TEST(test_anchors), TEST(test_merge),
	     TEST(test_what_is_not_for_us), TEST(test_limits))
