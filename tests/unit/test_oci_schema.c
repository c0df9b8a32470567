/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The oci tables against the published schemas: each property has a row of the right kind, REQUIRED
 * is where the schema says so, and each enumeration is complete. Then the schemas' own examples, and
 * documents that other engines wrote, there and back.
 *
 * The schemas are found in $BOCK_SPECS, else in ../shared/specs beside the source tree; the engines'
 * documents in $BOCK_SAMPLES, else in ../shared/reference/engines/samples.
 */
#include "bk_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_mem.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_features.h"
#include "oci/oci_image.h"
#include "oci/oci_runtime_linux.h"
#include "oci/oci_state.h"

#define OBJ_MAX 1024 /* the largest struct of a table */

static struct bk_arena *arena;

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

/* ---- files ----------------------------------------------------------------------------------- */

static const char *folder(const char *variable, const char *beside)
{
	const char *set = getenv(variable);
	const char *top = getenv("BOCK_SRCDIR");

	return set ? set : bk_arena_printf(arena, "%s/%s", top ? top : ".", beside);
}

static bool is_there(const char *path)
{
	if (access(path, R_OK) == 0)
		return true;
	print_message("# %s is not there\n", path);
	return false;
}

static void read_tree(const char *path, struct bk_doc_value *ret)
{
	bk_autobuf struct bk_buf text = BK_BUF_INIT(BK_BUF_DOC);
	struct bk_err *err = NULL;

	assert_ok(bk_file_read(AT_FDCWD, path, &text, &err), &err);
	assert_ok(bk_json_parse(path, bk_buf_str(&text), text.len, &bk_doc_limits_oci, arena, ret,
				&err),
		  &err);
}

/* The *.json of a folder, sorted; an arena vector. */
static char **list_json(const char *dir)
{
	struct dirent **names = NULL;
	char **v = NULL;
	int n = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (bk_has_suffix(names[i]->d_name, ".json"))
			bk_doc_strv_add(arena, &v,
					bk_arena_printf(arena, "%s/%s", dir, names[i]->d_name));
		free(names[i]);
	}
	free(names);
	return v;
}

/* ---- schemas --------------------------------------------------------------------------------- */

struct schema_file {
	const char *name;
	struct bk_doc_value tree;
};

struct schemas {
	const char *dir;
	struct schema_file files[16];
	size_t n;
	unsigned int properties, problems;
};

/* A place in a schema, and the file that its references are relative to. */
struct place {
	const struct bk_doc_value *v;
	const char *file;
};

static const struct bk_doc_value *get(const struct bk_doc_value *v, const char *key)
{
	for (size_t i = 0; v && v->node == BK_DOC_NODE_MAP && i < v->n; i++)
		if (bk_streq(v->keys[i], key))
			return &v->items[i];
	return NULL;
}

static bool text_is(const struct bk_doc_value *v, const char *text)
{
	return v && v->text && bk_streq(v->text, text);
}

__attribute__((format(printf, 2, 3))) static void problem(struct schemas *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_message("# %s\n", text);
	s->problems++;
}

static const struct bk_doc_value *open_schema(struct schemas *s, const char *name)
{
	struct schema_file *f;

	for (size_t i = 0; i < s->n; i++)
		if (bk_streq(s->files[i].name, name))
			return &s->files[i].tree;
	assert_true(s->n < BK_ARRAY_SIZE(s->files));
	f = &s->files[s->n++];
	f->name = name;
	read_tree(bk_arena_printf(arena, "%s/%s", s->dir, name), &f->tree);
	return &f->tree;
}

/* "FILE#/a/b": where a "$ref" leads, through any number of them. */
static struct place resolve(struct schemas *s, struct place at)
{
	const struct bk_doc_value *ref;

	while ((ref = get(at.v, "$ref"))) {
		const char *hash = strchr(ref->text, '#');
		size_t len = hash ? (size_t)(hash - ref->text) : strlen(ref->text);
		bk_autostrv char **parts = bk_strv_split(hash ? hash + 1 : "", "/");

		if (len > 0)
			at.file = bk_arena_strndup(arena, ref->text, len);
		at.v = open_schema(s, at.file);
		for (size_t i = 0; parts && parts[i]; i++)
			at.v = get(at.v, parts[i]);
		assert_non_null(at.v);
	}
	return at;
}

/* Of {"oneOf": [X, {"type": "null"}]}, X; {"anyOf": [X]} likewise. */
static struct place without_null(struct schemas *s, struct place at)
{
	const struct bk_doc_value *of;

	at = resolve(s, at);
	of = get(at.v, "oneOf") ? get(at.v, "oneOf") : get(at.v, "anyOf");
	if (!of)
		return at;
	at.v = text_is(get(&of->items[0], "type"), "null") ? &of->items[1] : &of->items[0];
	return resolve(s, at);
}

static void check_object(struct schemas *s, struct place at, const struct bk_doc_type *t,
			 const char *path);

static bool is_number(enum bk_doc_kind kind)
{
	return kind == BK_DOC_I64 || kind == BK_DOC_U64 || kind == BK_DOC_I32 ||
	       kind == BK_DOC_U32 || kind == BK_DOC_U16;
}

static void check_enum(struct schemas *s, const struct bk_doc_value *texts,
		       const struct bk_doc_field *f, const char *path)
{
	int value;

	for (size_t i = 0; texts && i < texts->n; i++)
		if (!bk_doc_name_find(f->names, texts->items[i].text, &value))
			problem(s, "%s: the table lacks the value '%s'", path,
				texts->items[i].text);
}

static void check_items(struct schemas *s, struct place at, const struct bk_doc_field *f,
			const char *path)
{
	const char *type;

	at.v = get(at.v, "items");
	at = without_null(s, at);
	type = get(at.v, "type") ? get(at.v, "type")->text : "object";
	if (bk_streq(type, "object") && f->kind == BK_DOC_OBJV)
		check_object(s, at, f->sub, bk_arena_printf(arena, "%s[]", path));
	else if (bk_streq(type, "string") && f->kind == BK_DOC_ENUMV)
		check_enum(s, get(at.v, "enum"), f, path);
	else if (!(bk_streq(type, "string") && f->kind == BK_DOC_STRV) &&
		 !(bk_streq(type, "integer") && f->kind == BK_DOC_NUMV))
		problem(s, "%s: an array of %ss, but the row's kind is %d", path, type,
			(int)f->kind);
}

/* An object whose members are free: all of one schema, or {}. */
static void check_map(struct schemas *s, struct place at, const struct bk_doc_field *f,
		      const char *path)
{
	const struct bk_doc_value *pattern = get(at.v, "patternProperties");
	const struct bk_doc_value *additional = get(at.v, "additionalProperties");

	if (pattern) {
		bool strings = text_is(get(&pattern->items[0], "type"), "string");

		if (f->kind != (strings ? BK_DOC_STRMAP : BK_DOC_SETMAP))
			problem(s, "%s: the row's kind is %d", path, (int)f->kind);
		return;
	}
	at.v = additional;
	if (f->kind == BK_DOC_OBJMAP)
		check_object(s, resolve(s, at), f->sub, bk_arena_printf(arena, "%s.*", path));
	else
		problem(s, "%s: the row's kind is %d", path, (int)f->kind);
}

static void check_value(struct schemas *s, struct place at, const struct bk_doc_field *f,
			const char *path)
{
	const char *type;

	at = without_null(s, at);
	type = get(at.v, "type") ? get(at.v, "type")->text : "object";
	if (bk_streq(type, "array"))
		check_items(s, at, f, path);
	else if (bk_streq(type, "object") && (get(at.v, "properties") || get(at.v, "allOf")))
		f->kind == BK_DOC_OBJ ? check_object(s, at, f->sub, path)
				      : problem(s, "%s: the row's kind is %d", path, (int)f->kind);
	else if (bk_streq(type, "object"))
		check_map(s, at, f, path);
	else if (bk_streq(type, "string") && f->kind == BK_DOC_ENUM)
		check_enum(s, get(at.v, "enum"), f, path);
	else if (!(bk_streq(type, "string") && f->kind == BK_DOC_STR) &&
		 !(bk_streq(type, "boolean") && f->kind == BK_DOC_BOOL) &&
		 !(bk_streq(type, "integer") && is_number(f->kind)))
		problem(s, "%s: a %s, but the row's kind is %d", path, type, (int)f->kind);
}

static void check_properties(struct schemas *s, struct place at, const struct bk_doc_type *t,
			     const char *path)
{
	const struct bk_doc_value *properties = get(at.v, "properties");

	for (size_t i = 0; properties && i < properties->n; i++) {
		const char *name = properties->keys[i];
		const struct bk_doc_field *f = bk_doc_field_find(t, name);
		const char *below = bk_arena_printf(arena, "%s.%s", path, name);
		struct place next = { .v = &properties->items[i], .file = at.file };

		s->properties++;
		if (!f)
			problem(s, "%s: no row", below);
		else if (!(f->flags & (BK_DOC_IGNORED | BK_DOC_UNSUPPORTED)))
			check_value(s, next, f, below);
		else if (!f->note || !*f->note)
			problem(s, "%s: left out without a reason", below);
	}
}

static bool is_required(struct schemas *s, struct place at, const char *name)
{
	const struct bk_doc_value *required = get(at.v, "required");
	const struct bk_doc_value *all = get(at.v, "allOf");

	for (size_t i = 0; required && i < required->n; i++)
		if (text_is(&required->items[i], name))
			return true;
	for (size_t i = 0; all && i < all->n; i++)
		if (is_required(s, resolve(s, (struct place){ &all->items[i], at.file }), name))
			return true;
	return false;
}

/* Each row has members of its own: one that a copied row still names would be written twice. */
static void check_members(struct schemas *s, const struct bk_doc_type *t, const char *path)
{
	size_t taken[2 * BK_DOC_FIELDS_MAX];
	size_t n = 0;

	for (const struct bk_doc_field *f = t->fields; f->name; f++) {
		size_t own[2] = { f->offset, f->aux };

		if (f->flags & (BK_DOC_IGNORED | BK_DOC_UNSUPPORTED))
			continue;
		for (size_t i = 0; i < 2 && own[i] != BK_DOC_NO_AUX; i++) {
			for (size_t j = 0; j < n; j++)
				if (taken[j] == own[i])
					problem(s, "%s.%s: shares a member with another row", path,
						f->name);
			assert_true(own[i] < t->size && n < BK_ARRAY_SIZE(taken));
			taken[n++] = own[i];
		}
	}
}

static void check_object(struct schemas *s, struct place at, const struct bk_doc_type *t,
			 const char *path)
{
	const struct bk_doc_value *all = get(at.v, "allOf");

	assert_true(t->size <= OBJ_MAX);
	check_members(s, t, path);
	check_properties(s, at, t, path);
	for (size_t i = 0; all && i < all->n; i++)
		check_properties(s, resolve(s, (struct place){ &all->items[i], at.file }), t, path);
	for (size_t i = 0; t->fields[i].name; i++) {
		const struct bk_doc_field *f = &t->fields[i];

		assert_true(i < BK_DOC_FIELDS_MAX);
		if (is_required(s, at, f->name) != ((f->flags & BK_DOC_REQUIRED) != 0))
			problem(s, "%s.%s: REQUIRED in one of table and schema only", path,
				f->name);
	}
}

static void test_each_property_has_a_row(void **state)
{
	static const struct {
		const char *dir, *file;
		const struct bk_doc_type *type;
	} documents[] = {
		{ "runtime-spec", "config-schema.json", &oci_runtime_config_type },
		{ "runtime-spec", "state-schema.json", &oci_state_type },
		{ "runtime-spec", "features-schema.json", &oci_features_type },
		{ "image-spec", "content-descriptor.json", &oci_descriptor_type },
		{ "image-spec", "image-manifest-schema.json", &oci_manifest_type },
		{ "image-spec", "image-index-schema.json", &oci_index_type },
		{ "image-spec", "config-schema.json", &oci_image_config_type },
		{ "image-spec", "image-layout-schema.json", &oci_layout_type },
	};
	const char *specs = folder("BOCK_SPECS", "../shared/specs");
	unsigned int properties = 0;
	unsigned int problems = 0;

	(void)state;
	if (!is_there(specs))
		skip_because("the published schemas are not in '%s' (BOCK_SPECS names another folder)", specs);
	for (size_t i = 0; i < BK_ARRAY_SIZE(documents); i++) {
		struct schemas s = { .dir = bk_arena_printf(arena, "%s/%s", specs,
							    documents[i].dir) };
		struct place root = { .file = documents[i].file };

		root.v = open_schema(&s, root.file);
		check_object(&s, root, documents[i].type, documents[i].file);
		properties += s.properties;
		problems += s.problems;
	}
	print_message("# %u properties\n", properties);
	assert_int_equal(problems, 0);
	assert_true(properties > 300);
}

/* ---- examples -------------------------------------------------------------------------------- */

static int decode(const struct bk_doc_type *t, const char *path, void *obj, struct bk_err **err)
{
	return bk_json_decode_file(t, AT_FDCWD, path, &bk_doc_limits_oci, arena, obj, err);
}

static void test_examples(void **state)
{
	static const struct {
		const char *name;
		const struct bk_doc_type *type;
	} kinds[] = { { "config", &oci_runtime_config_type },
		      { "state", &oci_state_type },
		      { "features", &oci_features_type } };
	const char *dir = bk_arena_printf(arena, "%s/runtime-spec/test",
					  folder("BOCK_SPECS", "../shared/specs"));
	_Alignas(max_align_t) char obj[OBJ_MAX];
	struct bk_err *err = NULL;

	(void)state;
	if (!is_there(dir))
		skip_because("the published examples are not in '%s' (BOCK_SPECS names another folder)", dir);
	for (size_t i = 0; i < BK_ARRAY_SIZE(kinds); i++) {
		char **good = list_json(bk_arena_printf(arena, "%s/%s/good", dir, kinds[i].name));
		char **bad = list_json(bk_arena_printf(arena, "%s/%s/bad", dir, kinds[i].name));

		assert_true(good && bad);
		for (; *good; good++)
			assert_ok(decode(kinds[i].type, *good, obj, &err), &err);
		for (; *bad; bad++)
			assert_err(decode(kinds[i].type, *bad, obj, &err), &err, BK_ERR_CONFIG,
				   *bad);
	}
}

static void refused(const char *text, enum bk_err_kind kind, const char *message)
{
	struct oci_runtime_config config;
	struct bk_err *err = NULL;

	assert_err(bk_json_decode(&oci_runtime_config_type, "config.json", text, strlen(text),
				  &bk_doc_limits_oci, arena, &config, &err),
		   &err, kind, message);
}

#define CONFIG(members) "{\"ociVersion\":\"1.3.0\"," members "}"

static void test_refusals(void **state)
{
	(void)state;
	refused(CONFIG("\"vm\":{}"), BK_ERR_UNSUPPORTED,
		"config.json: vm: not supported: this runtime makes no virtual machines");
	refused(CONFIG("\"linux\":{\"namespaces\":[{\"type\":\"foo\"}]}"), BK_ERR_CONFIG,
		"linux.namespaces[0].type: unknown value 'foo' (known: pid, network, mount, ");
	refused(CONFIG("\"linux\":{\"resources\":{\"pids\":{\"limit\":99999999999999999999}}}"),
		BK_ERR_CONFIG, "linux.resources.pids.limit: 99999999999999999999 is out of range");
	refused(CONFIG("\"linux\":{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"cc\"}]}"),
		BK_ERR_CONFIG, "linux.devices[0].type: expected one of c, b, u, p, found 'cc'");
	refused(CONFIG("\"linux\":{\"intelRdt\":{\"memBwSchema\":\"MB:0\\nL3:\"}}"), BK_ERR_CONFIG,
		"linux.intelRdt.memBwSchema: expected one line");
	refused(CONFIG("\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_\"}]}"),
		BK_ERR_CONFIG, "process.rlimits[0].type: expected a limit such as RLIMIT_NOFILE");
	refused(CONFIG("\"process\":{\"cwd\":\"/\",\"execCPUAffinity\":{\"final\":\"a\"}}"),
		BK_ERR_CONFIG, "process.execCPUAffinity.final: expected a list of CPUs");
	refused(CONFIG("\"linux\":{\"seccomp\":{\"defaultAction\":\"a\",\"syscalls\":[{\"names\":[]}]}}"),
		BK_ERR_CONFIG, "linux.seccomp.syscalls[0].names: must not be empty");
}

/* ---- there and back -------------------------------------------------------------------------- */

static void same_object(const struct bk_doc_type *t, const struct bk_doc_value *a,
			const struct bk_doc_value *b);

/* Equal trees, where objects that a table describes are compared by it. */
static void same_value(const struct bk_doc_type *t, const struct bk_doc_value *a,
		       const struct bk_doc_value *b)
{
	if (t && a->node == BK_DOC_NODE_MAP) {
		same_object(t, a, b);
		return;
	}
	if (a->node != b->node || a->n != b->n || (a->text && !bk_streq(a->text, b->text)))
		fail_msg("%s: %s became %s", a->path, a->text ? a->text : "it",
			 b->text ? b->text : "other");
	for (size_t i = 0; i < a->n; i++)
		same_value(t, &a->items[i], a->keys ? get(b, a->keys[i]) : &b->items[i]);
}

static bool reads_as_absent(const struct bk_doc_value *v)
{
	return v->node == BK_DOC_NODE_NULL || text_is(v, "0") || text_is(v, "false");
}

static void same_object(const struct bk_doc_type *t, const struct bk_doc_value *a,
			const struct bk_doc_value *b)
{
	if (b->node != BK_DOC_NODE_MAP)
		fail_msg("%s is no object any more", a->path);
	for (size_t i = 0; i < a->n; i++) {
		const struct bk_doc_field *f = bk_doc_field_find(t, a->keys[i]);
		const struct bk_doc_value *other = get(b, a->keys[i]);

		if (!f || (f->flags & BK_DOC_IGNORED) || (!other && reads_as_absent(&a->items[i])))
			continue;
		if (!other)
			fail_msg("%s is lost", a->items[i].path);
		if (f->kind == BK_DOC_OBJMAP)
			for (size_t j = 0; j < a->items[i].n; j++)
				same_object(f->sub, &a->items[i].items[j],
					    get(other, a->items[i].keys[j]));
		else
			same_value(f->sub, &a->items[i], other);
	}
}

static void there_and_back(const struct bk_doc_type *t, const char *path)
{
	bk_autobuf struct bk_buf once = BK_BUF_INIT(BK_BUF_DOC);
	bk_autobuf struct bk_buf twice = BK_BUF_INIT(BK_BUF_DOC);
	_Alignas(max_align_t) char obj[OBJ_MAX];
	struct bk_doc_value before, after;
	struct bk_err *err = NULL;

	assert_ok(decode(t, path, obj, &err), &err);
	assert_ok(bk_json_encode(t, obj, 0, &once, &err), &err);
	assert_ok(bk_json_decode(t, "once", bk_buf_str(&once), once.len, &bk_doc_limits_oci, arena,
				 obj, &err),
		  &err);
	assert_ok(bk_json_encode(t, obj, 0, &twice, &err), &err);
	assert_string_equal(bk_buf_str(&once), bk_buf_str(&twice));

	read_tree(path, &before);
	assert_ok(bk_json_parse("once", bk_buf_str(&once), once.len, &bk_doc_limits_oci, arena,
				&after, &err),
		  &err);
	same_object(t, &before, &after);
}

/* The part of a file's name before the first '-' says which document it is. */
static const struct bk_doc_type *type_of(const char *path)
{
	static const struct {
		const char *prefix;
		const struct bk_doc_type *type;
	} types[] = {
		{ "runtime-", &oci_runtime_config_type },
		{ "process-", &oci_process_type },
		{ "state-", &oci_state_type },
		{ "features-", &oci_features_type },
		{ "manifest-", &oci_manifest_type },
		{ "index-", &oci_index_type },
		{ "image-", &oci_image_config_type },
		{ "layout-", &oci_layout_type },
	};
	const char *name = strrchr(path, '/') + 1;

	for (size_t i = 0; i < BK_ARRAY_SIZE(types); i++)
		if (bk_skip_prefix(name, types[i].prefix))
			return types[i].type;
	fail_msg("%s: of what kind is it?", name);
	return NULL;
}

static void test_our_documents(void **state)
{
	char **files = list_json(folder("BOCK_TEST_DATA", "tests/unit/data"));

	(void)state;
	assert_non_null(files);
	for (; *files; files++)
		there_and_back(type_of(*files), *files);
}

static void test_documents_of_engines(void **state)
{
	const char *dir = folder("BOCK_SAMPLES", "../shared/reference/engines/samples");
	char **files;

	(void)state;
	if (!is_there(dir))
		skip_because("no documents of engines in '%s' (BOCK_SAMPLES names another folder)", dir);
	files = list_json(dir);
	assert_non_null(files);
	for (; *files; files++)
		there_and_back(strstr(*files, "exec-process") ? &oci_process_type
							      : &oci_runtime_config_type,
			       *files);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

BK_TEST_MAIN(TEST(test_each_property_has_a_row), TEST(test_examples), TEST(test_refusals),
	     TEST(test_our_documents), TEST(test_documents_of_engines))
