/* SPDX-License-Identifier: Apache-2.0 */
/* bk_json: text to structs and back, and every way in which a text can be wrong. */
#include "bk_test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_mem.h"
#include "codec/bk_json.h"

enum color { RED, GREEN, BLUE };

static const struct bk_doc_name colors[] = {
	{ "red", RED }, { "green", GREEN }, { "blue", BLUE }, { NULL, 0 }
};

struct leaf {
	char *key;
	char *name;
	int32_t n;
};

struct tree {
	char *text;
	bool flag;
	bool opt, has_opt;
	int64_t i64;
	uint64_t u64;
	int32_t i32;
	uint32_t u32;
	uint16_t u16;
	int64_t limit;
	bool has_limit;
	int color;
	bool has_color;
	struct leaf *leaf;
	char **strv;
	int *enumv;
	size_t n_enumv;
	uint32_t *numv;
	size_t n_numv;
	struct leaf *objv;
	size_t n_objv;
	struct bk_doc_pair *map;
	size_t n_map;
	struct leaf *objmap;
	size_t n_objmap;
	char **set;
	char *raw;
};

struct forms {
	size_t custom;
};

static int count_items(const struct bk_doc_field *f, const struct bk_doc_value *v,
		       struct bk_arena *arena, void *member, struct bk_err **err)
{
	(void)f;
	(void)arena;
	if (v->node == BK_DOC_NODE_SEQ && v->n > 2)
		return bk_doc_value_error(&v->items[2], err, "too many");
	*(size_t *)member = v->node == BK_DOC_NODE_SEQ ? v->n : 100;
	return 0;
}

static const struct bk_doc_field leaf_fields[] = {
	BK_DOC_STR_F(struct leaf, name, "name", BK_DOC_REQUIRED | BK_DOC_NOT_EMPTY),
	BK_DOC_NUM_F(struct leaf, n, "n", BK_DOC_I32, 0),
	BK_DOC_END,
};
static const struct bk_doc_type leaf_type = BK_DOC_TYPE(struct leaf, leaf_fields);

static const struct bk_doc_field tree_fields[] = {
	BK_DOC_STR_F(struct tree, text, "text", 0),
	BK_DOC_BOOL_F(struct tree, flag, "flag", 0),
	BK_DOC_BOOL_OPT(struct tree, opt, has_opt, "opt", 0),
	BK_DOC_NUM_F(struct tree, i64, "i64", BK_DOC_I64, 0),
	BK_DOC_NUM_F(struct tree, u64, "u64", BK_DOC_U64, 0),
	BK_DOC_NUM_F(struct tree, i32, "i32", BK_DOC_I32, 0),
	BK_DOC_NUM_F(struct tree, u32, "u32", BK_DOC_U32, 0),
	BK_DOC_NUM_F(struct tree, u16, "u16", BK_DOC_U16, 0),
	BK_DOC_NUM_OPT(struct tree, limit, has_limit, "limit", BK_DOC_I64, 0),
	BK_DOC_ENUM_OPT(struct tree, color, has_color, "color", 0, colors),
	BK_DOC_OBJ_F(struct tree, leaf, "leaf", 0, leaf_type),
	BK_DOC_STRV_F(struct tree, strv, "strv", 0),
	BK_DOC_ENUMV_F(struct tree, enumv, n_enumv, "enumv", 0, colors),
	BK_DOC_NUMV_F(struct tree, numv, n_numv, "numv", BK_DOC_U32, 0),
	BK_DOC_OBJV_F(struct tree, objv, n_objv, "objv", 0, leaf_type),
	BK_DOC_STRMAP_F(struct tree, map, n_map, "map", 0),
	BK_DOC_OBJMAP_F(struct tree, objmap, n_objmap, "objmap", 0, leaf_type),
	BK_DOC_SETMAP_F(struct tree, set, "set", BK_DOC_NOT_EMPTY),
	BK_DOC_RAW_F(struct tree, raw, "raw", 0),
	BK_DOC_IGNORED_F("windows", "another platform's"),
	BK_DOC_UNSUPPORTED_F("later", "comes in version 9"),
	BK_DOC_END,
};
static const struct bk_doc_type tree_type = BK_DOC_TYPE(struct tree, tree_fields);

static const struct bk_doc_field forms_fields[] = {
	BK_DOC_CUSTOM_F(struct forms, custom, "custom", 0, count_items),
	BK_DOC_END,
};
static const struct bk_doc_type forms_type = BK_DOC_TYPE(struct forms, forms_fields);

static struct bk_arena *arena;
static struct tree tree;
static struct forms forms;

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
	return bk_json_decode(&tree_type, "doc", text, strlen(text), &bk_doc_limits_oci, arena,
			      &tree, err);
}

static int decode_forms(const char *text, struct bk_err **err)
{
	return bk_json_decode(&forms_type, "doc", text, strlen(text), &bk_doc_limits_oci, arena,
			      &forms, err);
}

static void refused(const char *text, const char *message)
{
	struct bk_err *err = NULL;

	assert_err(decode(text, &err), &err, BK_ERR_CONFIG, message);
}

static void test_scalars(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(decode("{\"text\":\"a\\u00e9\\n\",\"flag\":true,\"opt\":false,"
			 "\"i64\":-9223372036854775808,\"u64\":18446744073709551615,"
			 "\"i32\":-2147483648,\"u32\":4294967295,\"u16\":65535,"
			 "\"limit\":0,\"color\":\"red\"}",
			 &err),
		  &err);
	assert_string_equal(tree.text, "a\xc3\xa9\n");
	assert_true(tree.flag && !tree.opt && tree.has_opt);
	assert_true(tree.i64 == INT64_MIN && tree.u64 == UINT64_MAX);
	assert_true(tree.i32 == INT32_MIN && tree.u32 == UINT32_MAX && tree.u16 == UINT16_MAX);
	assert_true(tree.has_limit && tree.limit == 0 && tree.has_color && tree.color == RED);

	assert_ok(decode("{\"i64\":9223372036854775807,\"u32\":-0,\"i32\":2147483647}", &err),
		  &err);
	assert_true(tree.i64 == INT64_MAX && tree.u32 == 0 && tree.i32 == INT32_MAX);
	assert_true(!tree.has_limit && !tree.has_opt && !tree.text);
}

static void test_null_is_absent(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(decode("{\"text\":null,\"opt\":null,\"leaf\":null,\"strv\":null,\"map\":null,"
			 "\"raw\":null,\"later\":null,\"color\":null}",
			 &err),
		  &err);
	assert_true(!tree.text && !tree.has_opt && !tree.leaf && !tree.strv && !tree.map &&
		    !tree.raw);
	assert_false(tree.has_color);
	assert_ok(decode("{\"map\":{\"a\":null,\"b\":\"2\"},\"objmap\":{\"x\":null}}", &err), &err);
	assert_int_equal(tree.n_map, 1);
	assert_int_equal(tree.n_objmap, 0);
	assert_non_null(tree.objmap);
	refused("{\"leaf\":{\"name\":null}}", "doc: leaf.name: required member is missing");
	refused("{\"strv\":[\"a\",null]}", "strv[1]: expected a string, found null");
}

static void test_containers(void **state)
{
	struct bk_err *err = NULL;
	char text[4096];
	size_t len;

	(void)state;
	assert_ok(decode("{\"strv\":[],\"objv\":[],\"map\":{},\"leaf\":{\"name\":\"x\",\"n\":7},"
			 "\"enumv\":[\"blue\",\"red\"],\"numv\":[1,4294967295],"
			 "\"objmap\":{\"eth0\":{\"name\":\"a\"},\"eth1\":{\"name\":\"b\",\"n\":2}},"
			 "\"set\":{\"80/tcp\":{},\"53/udp\":{\"x\":1}}}",
			 &err),
		  &err);
	assert_true(tree.strv && !tree.strv[0] && tree.objv && tree.n_objv == 0 && tree.map);
	assert_true(tree.leaf->n == 7 && tree.n_enumv == 2 && tree.enumv[0] == BLUE);
	assert_true(tree.n_numv == 2 && tree.numv[1] == UINT32_MAX);
	assert_true(tree.n_objmap == 2 && tree.objmap[1].n == 2);
	assert_string_equal(tree.objmap[1].key, "eth1");
	assert_string_equal(tree.set[1], "53/udp");
	assert_null(tree.set[2]);

	len = (size_t)snprintf(text, sizeof(text), "{\"strv\":[\"0\"");
	for (int i = 1; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",\"%d\"", i);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "],\"objv\":[{\"name\":\"0\"}");
	for (int i = 1; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",{\"name\":\"%d\"}", i);
	snprintf(text + len, sizeof(text) - len, "]}");
	assert_ok(decode(text, &err), &err);
	assert_string_equal(tree.strv[99], "99");
	assert_null(tree.strv[100]);
	assert_int_equal(tree.n_objv, 100);
	for (int i = 0; i < 100; i++)
		assert_string_equal(tree.objv[i].name, tree.strv[i]);
}

static void test_raw_and_custom(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(decode("{ \"raw\" : { \"a\" : [ 1e5, true, null, \"x\\ty\" ], \"b\" : {} } }",
			 &err),
		  &err);
	assert_string_equal(tree.raw, "{\"a\":[1e5,true,null,\"x\\ty\"],\"b\":{}}");
	assert_ok(decode("{\"raw\":12}", &err), &err);
	assert_string_equal(tree.raw, "12");
	assert_ok(decode_forms("{\"custom\":[1,[2,3]]}", &err), &err);
	assert_int_equal(forms.custom, 2);
	assert_ok(decode_forms("{\"custom\":\"x\"}", &err), &err);
	assert_int_equal(forms.custom, 100);
	assert_ok(decode_forms("{\"custom\":null}", &err), &err);
	assert_int_equal(forms.custom, 0);
	assert_err(decode_forms("{\"custom\":[1,2,{\"a\":1}]}", &err), &err, BK_ERR_CONFIG,
		   "doc: custom[2]: too many");
}

static void test_wrong_types(void **state)
{
	(void)state;
	refused("{\"objv\":[{\"name\":\"a\"},{\"name\":5}]}",
		"doc: objv[1].name: expected a string, found a number");
	refused("{\"text\":[]}", "text: expected a string, found an array");
	refused("{\"text\":{}}", "text: expected a string, found an object");
	refused("{\"flag\":\"true\"}", "flag: expected a boolean, found a string");
	refused("{\"i32\":\"1\"}", "i32: expected an integer, found a string");
	refused("{\"i32\":1.5}", "i32: expected an integer, found 1.5");
	refused("{\"i32\":1e3}", "i32: expected an integer, found 1e3");
	refused("{\"leaf\":[]}", "leaf: expected an object, found an array");
	refused("{\"strv\":\"a\"}", "strv: expected an array, found a string");
	refused("{\"strv\":{}}", "strv: expected an array, found an object");
	refused("{\"strv\":[[]]}", "strv[0]: expected a string, found an array");
	refused("{\"numv\":[1,{}]}", "numv[1]: expected an integer, found an object");
	refused("{\"objv\":[1]}", "objv[0]: expected an object, found a number");
	refused("{\"map\":[]}", "map: expected an object, found an array");
	refused("{\"map\":{\"io.x/y\":1}}", "map[\"io.x/y\"]: expected a string, found a number");
	refused("{\"map\":{\"a\":{}}}", "map.a: expected a string, found an object");
	refused("{\"objmap\":{\"a\":1}}", "objmap.a: expected an object, found a number");
	refused("{\"set\":{\"a\":1}}", "set.a: expected an object, found a number");
	refused("{\"color\":3}", "color: expected a string, found a number");
	refused("[]", "doc: expected an object, found an array");
	refused("3", "doc: expected an object, found a number");
}

static void test_values(void **state)
{
	struct bk_err *err = NULL;

	(void)state;
	refused("{\"limit\":99999999999999999999}", "limit: 99999999999999999999 is out of range");
	refused("{\"i64\":-9223372036854775809}", "out of range");
	refused("{\"i64\":9223372036854775808}", "out of range");
	refused("{\"u64\":18446744073709551616}", "out of range (0 to 18446744073709551615)");
	refused("{\"u64\":-1}", "u64: -1 is out of range");
	refused("{\"u32\":-1}", "u32: -1 is out of range (0 to 4294967295)");
	refused("{\"u16\":-1}", "u16: -1 is out of range");
	refused("{\"i32\":-2147483649}", "i32: -2147483649 is out of range");
	refused("{\"i32\":2147483648}", "out of range (-2147483648 to 2147483647)");
	refused("{\"u16\":65536}", "u16: 65536 is out of range (0 to 65535)");
	refused("{\"numv\":[4294967296]}", "numv[0]: 4294967296 is out of range");
	refused("{\"color\":\"pink\"}", "color: unknown value 'pink' (known: red, green, blue)");
	refused("{\"enumv\":[\"red\",\"Red\"]}", "enumv[1]: unknown value 'Red'");
	refused("{\"leaf\":{}}", "leaf.name: required member is missing");
	refused("{\"leaf\":{\"name\":\"\"}}", "leaf.name: must not be empty");
	refused("{\"set\":{}}", "set: must not be empty");
	assert_err(decode("{\"later\":{\"a\":1}}", &err), &err, BK_ERR_UNSUPPORTED,
		   "doc: later: not supported: comes in version 9");
	assert_err(decode("{\"later\":false}", &err), &err, BK_ERR_UNSUPPORTED, "later");
}

static void test_members(void **state)
{
	struct bk_doc_limits strict = bk_doc_limits_oci;
	static const char unknown[] = "{\"leaf\":{\"name\":\"x\",\"nmae\":1}}";
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(
		decode("{\"x\":{\"a\":[{\"b\":1},null,\"c\"]},\"windows\":{\"z\":[]},\"flag\":true}",
		       &err),
		&err);
	assert_true(tree.flag);
	refused("{\"text\":\"a\",\"text\":\"b\"}", "doc: text: duplicate member");
	refused("{\"text\":\"a\",\"te\\u0078t\":\"b\"}", "text: duplicate member");
	refused("{\"text\":null,\"text\":\"b\"}", "text: duplicate member");
	refused("{\"x\":1,\"y\":2,\"x\":3}", "x: duplicate member");
	refused("{\"x\":{\"q\":[{\"a\":1,\"b\":2,\"a\":3}]}}", "x.q[0].a: duplicate member");
	refused("{\"map\":{\"k\":\"1\",\"\\u006b\":\"2\"}}", "map.k: duplicate member");
	refused("{\"objmap\":{\"k\":{\"name\":\"a\"},\"k\":{\"name\":\"a\"}}}",
		"objmap.k: duplicate");
	refused("{\"raw\":{\"k\":1,\"k\":1}}", "raw.k: duplicate member");
	assert_ok(decode("{\"x\":{\"a\":1},\"y\":{\"a\":1},\"raw\":[{\"a\":1},{\"a\":1}]}", &err),
		  &err);

	strict.unknown_is_error = true;
	assert_err(bk_json_decode(&tree_type, "doc", unknown, strlen(unknown), &strict, arena,
				  &tree, &err),
		   &err, BK_ERR_CONFIG,
		   "doc: unknown member 'nmae' in 'leaf', did you mean 'name'?");
}

static void test_many_duplicates(void **state)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);
	struct bk_err *err = NULL;

	(void)state;
	bk_buf_adds(&text, "{\"map\":{");
	for (int i = 0; i < 100000; i++)
		bk_buf_printf(&text, "\"key%d\":\"v\",", i);
	bk_buf_adds(&text, "\"z\":\"\"}}");
	assert_ok(decode(bk_buf_str(&text), &err), &err);
	assert_int_equal(tree.n_map, 100001);
	bk_buf_reset(&text);
	bk_buf_adds(&text, "{\"map\":{");
	for (int i = 0; i < 100000; i++)
		bk_buf_printf(&text, "\"key%d\":\"v\",", i);
	bk_buf_adds(&text, "\"key77\":\"\"}}");
	refused(bk_buf_str(&text), "map.key77: duplicate member");
}

static void test_syntax(void **state)
{
	static const char nul[] = "{\"text\":\"a\0b\"}";
	struct bk_err *err = NULL;

	(void)state;
	refused("", "not JSON");
	refused("{\n  \"text\": x}", "line 2, column 11 (byte 12): not JSON: lexical error");
	refused("{\"text\":\"a\"", "not JSON: parse error: premature EOF");
	refused("{\"text\":\"a\"} x", "not JSON");
	refused("{}{}", "trailing garbage");
	refused("{\"u16\":007}", "not JSON");
	refused("{\"text\":\"a\tb\"}", "not JSON");
	refused("{\"text\":\"a\",}", "not JSON");
	refused("{/* */}", "not JSON");
	refused("\xef\xbb\xbf{}", "not JSON");
	refused("{\"text\":\"\xc0\xaf\"}", "line 1, column 10 (byte 9): not UTF-8");
	refused("{\"text\":\"\xed\xa0\x80\"}", "not UTF-8");
	refused("{\"text\":\"\\ud83d\"}", "half of a surrogate pair");
	refused("{\"text\":\"\\uDe00 \"}", "half of a surrogate pair");
	refused("{\"text\":\"\\ud83dx\\ude00\"}", "half of a surrogate pair");
	refused("{\"text\":\"a\\u0000b\"}", "text: a string must not hold a NUL character");
	refused("{\"raw\":[\"a\\u0000b\"]}", "NUL character");
	refused("{\"a\\u0000b\":1}", "a member's name must not hold a NUL character");
	assert_err(bk_json_decode(&tree_type, "doc", nul, sizeof(nul) - 1, &bk_doc_limits_oci,
				  arena, &tree, &err),
		   &err, BK_ERR_CONFIG, "not JSON");
	assert_ok(decode("{\"text\":\"\\ud83d\\ude00\\\\ud800\"}", &err), &err);
	assert_string_equal(tree.text, "\xf0\x9f\x98\x80\\ud800");
}

static void test_limits(void **state)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT((size_t)128 << 20);
	struct bk_doc_limits few = bk_doc_limits_oci;
	struct bk_err *err = NULL;

	(void)state;
	bk_buf_adds(&text, "{\"x\":");
	for (int i = 0; i < 10000; i++)
		bk_buf_addc(&text, '[');
	refused(bk_buf_str(&text), "nested deeper than 64 levels");
	bk_buf_reset(&text);
	while (text.len < 100000000)
		bk_buf_adds(&text, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22],");
	refused(bk_buf_str(&text), "doc: larger than 16777216 bytes");
	few.max_nodes = 4;
	assert_err(
		bk_json_decode(&tree_type, "doc", "{\"x\":[1,2,3]}", 13, &few, arena, &tree, &err),
		&err, BK_ERR_CONFIG, "more than 4 values");
}

static void test_file(void **state)
{
	struct bk_doc_limits small = bk_doc_limits_oci;
	struct bk_err *err = NULL;
	char path[] = "/tmp/test_bk_json.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{\"text\":5}", 10), 10);
	assert_err(bk_json_decode_file(&tree_type, AT_FDCWD, path, &bk_doc_limits_oci, arena, &tree,
				       &err),
		   &err, BK_ERR_CONFIG, ": text: expected a string, found a number");
	small.max_size = 9;
	assert_int_not_equal(
		bk_json_decode_file(&tree_type, AT_FDCWD, path, &small, arena, &tree, &err), 0);
	bk_err_clear(&err);
	close(fd);
	unlink(path);
	assert_err(bk_json_decode_file(&tree_type, AT_FDCWD, path, &bk_doc_limits_oci, arena, &tree,
				       &err),
		   &err, BK_ERR_NOT_FOUND, path);
}

static void test_parse(void **state)
{
	static const char text[] = "{\"a\":[1,{\"b c\":null}]}";
	struct bk_doc_value v;
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(bk_json_parse("doc", text, strlen(text), &bk_doc_limits_oci, arena, &v, &err),
		  &err);
	assert_true(v.node == BK_DOC_NODE_MAP && v.n == 1);
	assert_string_equal(v.keys[0], "a");
	assert_string_equal(v.items[0].items[0].text, "1");
	assert_string_equal(v.items[0].items[1].items[0].path, "a[1][\"b c\"]");
	assert_ok(bk_json_parse("doc", "\"x\"", 3, &bk_doc_limits_oci, arena, &v, &err), &err);
	assert_true(v.node == BK_DOC_NODE_STRING && v.n == 0);
	assert_err(bk_json_parse("doc", "[[1]", 4, &bk_doc_limits_oci, arena, &v, &err), &err,
		   BK_ERR_CONFIG, "doc: line 1");
}

static char *text_of(const char *s)
{
	return bk_arena_strdup(arena, s);
}

static void test_encode(void **state)
{
	static const char compact[] =
		"{\"text\":\"a\\\"\\\\\\n\\u0001\xc3\xa9\",\"opt\":false,\"i64\":-5,"
		"\"u64\":18446744073709551615,\"limit\":0,\"color\":\"red\",\"leaf\":{\"name\":\"x\"},"
		"\"strv\":[\"a\",\"b\"],\"enumv\":[\"blue\"],\"numv\":[1,2],"
		"\"objv\":[{\"name\":\"p\",\"n\":-1},{\"name\":\"q\"}],\"map\":{\"k\":\"v\"},"
		"\"objmap\":{\"e\":{\"name\":\"o\"}},\"set\":{\"s\":{}},\"raw\":[1,{\"a\":null}]}";
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(decode(compact, &err), &err);
	assert_ok(bk_json_encode(&tree_type, &tree, 0, &out, &err), &err);
	assert_string_equal(bk_buf_str(&out), compact);

	assert_ok(decode("{\"leaf\":{\"name\":\"x\"},\"strv\":[],\"map\":{\"k\":\"v\"}}", &err),
		  &err);
	bk_buf_reset(&out);
	assert_ok(bk_json_encode(&tree_type, &tree, BK_JSON_PRETTY | BK_JSON_NEWLINE, &out, &err),
		  &err);
	assert_string_equal(bk_buf_str(&out),
			    "{\n  \"leaf\": {\n    \"name\": \"x\"\n  },\n"
			    "  \"strv\": [],\n  \"map\": {\n    \"k\": \"v\"\n  }\n}\n");
	bk_buf_reset(&out);
	assert_ok(bk_json_encode(&leaf_type, tree.leaf, BK_JSON_TAB, &out, &err), &err);
	assert_string_equal(bk_buf_str(&out), "{\n\t\"name\": \"x\"\n}");
}

static void test_encode_refused(void **state)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(64);
	struct leaf leaves[2] = { { .name = text_of("a") }, { .name = text_of("b") } };
	struct tree bad = { .map = bk_arena_alloc(arena, sizeof(*bad.map)), .n_map = 1 };
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(bk_json_encode_array(&leaf_type, leaves, 2, 0, &out, &err), &err);
	assert_string_equal(bk_buf_str(&out), "[{\"name\":\"a\"},{\"name\":\"b\"}]");
	bk_buf_reset(&out);
	leaves[1].name = NULL;
	assert_err(bk_json_encode_array(&leaf_type, leaves, 2, 0, &out, &err), &err,
		   BK_ERR_INTERNAL, "[1]: required member 'name' is not set");
	bk_buf_reset(&out);
	bad.map[0] = (struct bk_doc_pair){ text_of("k"), text_of("a\xff") };
	assert_err(bk_json_encode(&tree_type, &bad, 0, &out, &err), &err, BK_ERR_CONFIG,
		   "map: not UTF-8");
	bk_buf_reset(&out);
	bad = (struct tree){ .color = 7, .has_color = true };
	assert_err(bk_json_encode(&tree_type, &bad, 0, &out, &err), &err, BK_ERR_INTERNAL,
		   "color: no text for the value 7");
	bk_buf_reset(&out);
	bad = (struct tree){ .text = text_of("0123456789012345678901234567890123456789"
					     "01234567890123456789") };
	assert_err(bk_json_encode(&tree_type, &bad, 0, &out, &err), &err, BK_ERR_CONFIG,
		   "the document");
	bk_buf_reset(&out);
	assert_err(bk_json_encode(&forms_type, &forms, 0, &out, &err), &err, BK_ERR_INTERNAL,
		   "'custom' can be read only");
}

struct always {
	char *s;
	char **v;
	bool b;
	uint32_t n;
	char **nil;
	int color;
};

static void test_encode_always(void **state)
{
	static const struct bk_doc_field fields[] = {
		BK_DOC_STR_F(struct always, s, "s", BK_DOC_ALWAYS),
		BK_DOC_STRV_F(struct always, v, "v", BK_DOC_REQUIRED),
		BK_DOC_BOOL_F(struct always, b, "b", BK_DOC_ALWAYS),
		BK_DOC_NUM_F(struct always, n, "n", BK_DOC_U32, BK_DOC_REQUIRED),
		BK_DOC_STRV_F(struct always, nil, "nil", BK_DOC_ALWAYS | BK_DOC_NULL),
		BK_DOC_ENUM_F(struct always, color, "color", BK_DOC_REQUIRED, colors),
		BK_DOC_END,
	};
	static const struct bk_doc_type type = BK_DOC_TYPE(struct always, fields);
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);
	struct always a = { 0 };
	struct bk_err *err = NULL;

	(void)state;
	assert_ok(bk_json_encode(&type, &a, 0, &out, &err), &err);
	assert_string_equal(bk_buf_str(&out),
			    "{\"s\":\"\",\"v\":[],\"b\":false,\"n\":0,\"nil\":null,"
			    "\"color\":\"red\"}");
}

static void test_quote(void **state)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_SMALL);

	(void)state;
	bk_json_quote(&out, "a\"\x1f\xff\xc3\xa9\xed\xa0\x80");
	assert_string_equal(bk_buf_str(&out), "\"a\\\"\\u001f\xef\xbf\xbd\xc3\xa9"
					      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

BK_TEST_MAIN(TEST(test_scalars), TEST(test_null_is_absent), TEST(test_containers),
	     TEST(test_raw_and_custom), TEST(test_wrong_types), TEST(test_values),
	     TEST(test_members), TEST(test_many_duplicates), TEST(test_syntax), TEST(test_limits),
	     TEST(test_file), TEST(test_parse), TEST(test_encode), TEST(test_encode_refused),
	     TEST(test_encode_always), TEST(test_quote))
