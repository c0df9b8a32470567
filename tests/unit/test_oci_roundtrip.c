/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of the runtime specification through the tables and back: nothing is lost and no number changed. The
 * configurations are those that podman 4.3 and CRI-O 1.36 wrote, where they lie beside the checkout
 * (../shared/reference/engines/samples, or $ENGINE_SAMPLES); a small one of our own is always here.
 */
#include "bk_test.h"

#include <fcntl.h>

#include "base/bk_auto.h"
#include "base/bk_buf.h"
#include "base/bk_file.h"
#include "base/bk_str.h"
#include "codec/bk_json.h"
#include "oci/oci_runtime.h"

static const struct bk_doc_value *member(const struct bk_doc_value *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++) {
		if (bk_streq(map->keys[i], key))
			return &map->items[i];
	}
	return NULL;
}

/* A member that is null may be left out: it means the same. */
static bool means_absence(const struct bk_doc_value *v)
{
	return v->node == BK_DOC_NODE_NULL;
}

static void compare(const struct bk_doc_value *want, const struct bk_doc_value *got, const char *path)
{
	if (want->node != got->node)
		fail_msg("%s: another kind of value", path);
	switch (want->node) {
	case BK_DOC_NODE_MAP:
		for (size_t i = 0; i < want->n; i++) {
			bk_autofree char *sub = bk_asprintf("%s.%s", path, want->keys[i]);
			const struct bk_doc_value *v = member(got, want->keys[i]);

			if (v)
				compare(&want->items[i], v, sub);
			else if (!means_absence(&want->items[i]))
				fail_msg("%s is lost", sub);
		}
		for (size_t i = 0; i < got->n; i++) {
			if (!member(want, got->keys[i]))
				fail_msg("%s.%s was not there", path, got->keys[i]);
		}
		break;
	case BK_DOC_NODE_SEQ:
		if (want->n != got->n)
			fail_msg("%s: %zu items of %zu", path, got->n, want->n);
		for (size_t i = 0; i < want->n; i++) {
			bk_autofree char *sub = bk_asprintf("%s[%zu]", path, i);

			compare(&want->items[i], &got->items[i], sub);
		}
		break;
	default: /* texts: a number that became 1e3 is another one here */
		if (want->text || got->text)
			assert_string_equal(want->text ? want->text : "", got->text ? got->text : "");
	}
}

static void round_trip(const struct bk_doc_type *type, const char *text, size_t len)
{
	bk_autobuf struct bk_buf out = BK_BUF_INIT(BK_BUF_DOC);
	struct bk_arena *arena = bk_arena_new();
	struct bk_doc_value want, got;
	struct bk_err *err = NULL;
	void *obj = bk_arena_alloc(arena, type->size);

	assert_ok(bk_json_decode(type, "sample", text, len, &bk_doc_limits_oci, arena, obj, &err), &err);
	assert_ok(bk_json_encode(type, obj, 0, &out, &err), &err);
	assert_ok(bk_json_parse("sample", text, len, &bk_doc_limits_oci, arena, &want, &err), &err);
	assert_ok(bk_json_parse("encoded", out.data, out.len, &bk_doc_limits_oci, arena, &got, &err),
		  &err);
	compare(&want, &got, "");
	bk_arena_free(arena);
}

static void sample(const struct bk_doc_type *type, const char *name)
{
	const char *dir = getenv("ENGINE_SAMPLES");
	const char *top = getenv("BOCK_SRCDIR");
	bk_autofree char *folder = dir ? bk_strdup(dir) :
		bk_asprintf("%s/../shared/reference/engines/samples", top ? top : ".");
	bk_autofree char *path = bk_asprintf("%s/%s", folder, name);
	bk_autobuf struct bk_buf b = BK_BUF_INIT(BK_BUF_DOC);
	struct bk_err *err = NULL;

	if (access(folder, F_OK) < 0)
		skip_because("no samples of engines in '%s'", folder);
	assert_ok(bk_file_read(AT_FDCWD, path, &b, &err), &err);
	round_trip(type, b.data, b.len);
}

static void test_podman(void **state)
{
	(void)state;
	sample(&oci_runtime_config_type, "podman-4.3.json");
}

static void test_podman_exec(void **state)
{
	(void)state;
	sample(&oci_process_type, "podman-exec-process.json");
}

static void test_crio_sandbox(void **state)
{
	(void)state;
	sample(&oci_runtime_config_type, "cri-o-1.36-sandbox.json");
}

static void test_crio_container(void **state)
{
	(void)state;
	sample(&oci_runtime_config_type, "cri-o-1.36-container.json");
}

static void test_numbers(void **state)
{
	static const char text[] =
		"{\"ociVersion\":\"1.3.0\",\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"oomScoreAdj\":-998,"
		"\"user\":{\"uid\":4294967294,\"gid\":0,\"umask\":18,\"additionalGids\":[0,4294967294]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_FSIZE\",\"soft\":9007199254740993,\"hard\":18446744073709551615}]},"
		"\"root\":{\"path\":\"r\",\"readonly\":true},\"annotations\":{\"\\u00e9\\n\":\"\\\"\\u0007\"},"
		"\"linux\":{\"resources\":{\"pids\":{\"limit\":-1},\"memory\":{\"limit\":9223372036854775807},"
		"\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
		"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
		"{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
		"\"value\":18446744073709551615,\"valueTwo\":1,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}}}";

	(void)state;
	round_trip(&oci_runtime_config_type, text, sizeof(text) - 1);
}

BK_TEST_MAIN(cmocka_unit_test(test_podman), cmocka_unit_test(test_podman_exec),
	     cmocka_unit_test(test_crio_sandbox), cmocka_unit_test(test_crio_container),
	     cmocka_unit_test(test_numbers))
